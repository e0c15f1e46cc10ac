/**
 * llama.ttft.secondTurn: first text of a later turn when the call's KV cache is reused, against evaluating the whole
 * conversation again ("reprompt"), turn by turn in the same run, and against a bare LlamaChatSession, which has one
 * conversation to itself and no thread in between. All are timed by whoever asks, from asking to the first text.
 * Settles: one sequence per call. Limit: 3 times sooner than evaluating again.
 */
import { against, aimedAt, type BenchOptions, type BenchResult, quantiles } from '../bench-row.ts';
import { languageModelMachine, packMachine } from '../models/engines.ts';
import { bareSessionFirstTexts } from './bare-session.ts';
import { BenchCall, benchPack, startClient, workloadOf } from './dialogue.ts';

const LEAST_RATIO_TO_REPROMPT = 3;

/** For bench/main.ts. */
export async function benchRows({ pack: name, limit }: BenchOptions): Promise<BenchResult> {
  const pack = await benchPack(name);
  const workload = workloadOf(pack, limit);
  const client = await startClient(pack, { maxTokens: workload.maxTokens });
  const [first, reused, again, promptTokens]: [number[], number[], number[], number[]] = [[], [], [], []];
  let callId = 0;
  for (let round = 0; round < workload.rounds; round++) {
    const call = new BenchCall(client, ++callId);
    first.push((await call.nextTurn()).firstTextMs);
    for (let turn = 1; turn < workload.turns; turn++) {
      const fresh = call.fork(++callId);
      again.push((await fresh.nextTurn()).firstTextMs);
      await fresh.close();
      const finished = await call.nextTurn();
      reused.push(finished.firstTextMs);
      promptTokens.push(finished.promptTokens);
    }
    await call.close();
  }
  const machine = { ...packMachine(pack), ...languageModelMachine(client) };
  await client.close();
  const bare = await bareSessionFirstTexts(pack.llama.file, workload);
  const own = quantiles('llama.ttft.secondTurn', 'ms', reused, {
    longestPromptTokens: Math.max(...promptTokens),
  });
  const peer = (label: string, values: readonly number[]) =>
    against(own, { name: label, p50: quantiles(label, 'ms', values).p50 });
  const rows = [
    aimedAt(peer('reprompt', again), { atLeast: LEAST_RATIO_TO_REPROMPT }, 'ratio'),
    peer('LlamaChatSession', bare),
    quantiles('llama.ttft.firstTurn', 'ms', first),
  ];
  return { rows, machine };
}
