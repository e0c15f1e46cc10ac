/**
 * llama.ttft.secondTurn: first token of a later turn when the call's KV cache is reused, against evaluating the whole
 * conversation again ("reprompt"), turn by turn in the same run, and against a bare LlamaChatSession, which has one
 * conversation to itself and no thread in between. Settles: one sequence per call.
 */
import { against, type BenchOptions, type BenchResult, quantiles } from '../bench-row.ts';
import { languageModelMachine, packMachine } from '../models/engines.ts';
import { bareSessionFirstTokens } from './bare-session.ts';
import { BenchCall, benchPack, startClient, workloadOf } from './dialogue.ts';

/** For bench/main.ts. */
export async function benchRows({ pack: name, limit }: BenchOptions): Promise<BenchResult> {
  const pack = await benchPack(name);
  const workload = workloadOf(pack, limit);
  const client = await startClient(pack, { maxTokens: workload.maxTokens });
  const [first, reused, again, promptTokens]: [number[], number[], number[], number[]] = [[], [], [], []];
  let callId = 0;
  for (let round = 0; round < workload.rounds; round++) {
    const call = new BenchCall(client, ++callId);
    first.push((await call.nextTurn()).firstTokenMs);
    for (let turn = 1; turn < workload.turns; turn++) {
      const fresh = call.fork(++callId);
      again.push((await fresh.nextTurn()).firstTokenMs);
      await fresh.close();
      const finished = await call.nextTurn();
      reused.push(finished.firstTokenMs);
      promptTokens.push(finished.promptTokens);
    }
    await call.close();
  }
  const machine = { ...packMachine(pack), ...languageModelMachine(client) };
  await client.close();
  const bare = await bareSessionFirstTokens(pack.llama.file, workload);
  const own = quantiles('llama.ttft.secondTurn', 'ms', reused, {
    longestPromptTokens: Math.max(...promptTokens),
  });
  const peer = (label: string, values: readonly number[]) =>
    against(own, { name: label, p50: quantiles(label, 'ms', values).p50 });
  const rows = [
    peer('reprompt', again),
    peer('LlamaChatSession', bare),
    quantiles('llama.ttft.firstTurn', 'ms', first),
  ];
  return { rows, machine };
}
