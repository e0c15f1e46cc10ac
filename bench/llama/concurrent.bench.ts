/**
 * llama.tokensPerSecond.8: eight calls talking at once in one context, against the same turns one call after another; the
 * opening turn, which is mostly prompt, is left out. llama.prefill: tokens of a prompt per second. Settles: many sequences
 * in one context, batched by the library.
 */
import type { LlamaClient } from '../../src/workers/llama/llama-client.ts';
import { type BenchOptions, type BenchResult, figure, quantiles, rounded } from '../bench-row.ts';
import { languageModelMachine, packMachine } from '../models/engines.ts';
import { BenchCall, benchPack, median, startClient, type Workload, workloadOf } from './dialogue.ts';

const CALLS = 8;

interface Talk {
  readonly tokensPerSecond: number;
  readonly firstTokenMs: readonly number[];
}

/** For bench/main.ts. */
export async function benchRows({ pack: name, limit }: BenchOptions): Promise<BenchResult> {
  const pack = await benchPack(name);
  const workload = workloadOf(pack, limit);
  const client = await startClient(pack, { sequences: CALLS, maxTokens: workload.maxTokens });
  const prefill: number[] = [];
  const [serial, together]: [Talk[], Talk[]] = [[], []];
  for (let round = 0; round < workload.rounds; round++) {
    serial.push(await talk(client, { workload, isTogether: false, prefill }));
    together.push(await talk(client, { workload, isTogether: true, prefill }));
  }
  const machine = { ...packMachine(pack), ...languageModelMachine(client) };
  await client.close();
  const speed = (talks: readonly Talk[]): number =>
    median(talks.map(({ tokensPerSecond }) => tokensPerSecond));
  const [own, peer] = [speed(together), speed(serial)];
  const beside = { baseline: 'serial', baselineP50: rounded(peer), ratio: rounded(own / peer) };
  return {
    rows: [
      figure('llama.tokensPerSecond.8', 'tokens/s', own, beside),
      quantiles(
        'llama.ttft.8',
        'ms',
        together.flatMap(({ firstTokenMs }) => firstTokenMs),
      ),
      figure('llama.prefill', 'tokens/s', median(prefill)),
    ],
    machine,
  };
}

interface TalkOptions {
  readonly workload: Workload;
  readonly isTogether: boolean;
  /** Takes the prompt speed of each call's opening turn. */
  readonly prefill: number[];
}

let lastCallId = 0;

async function talk(client: LlamaClient, { workload, isTogether, prefill }: TalkOptions): Promise<Talk> {
  const calls = Array.from({ length: CALLS }, () => new BenchCall(client, ++lastCallId));
  for (const call of calls) {
    const { promptTokens, reusedTokens, firstTokenMs } = await call.nextTurn();
    if (promptTokens > 2 * reusedTokens) prefill.push((1000 * (promptTokens - reusedTokens)) / firstTokenMs);
  }
  const firstTokenMs: number[] = [];
  let tokens = 0;
  const talkOn = async (call: BenchCall): Promise<void> => {
    for (let turn = 1; turn < workload.turns; turn++) {
      const finished = await call.nextTurn();
      tokens += finished.generatedTokens;
      firstTokenMs.push(finished.firstTokenMs);
    }
  };
  const startMs = performance.now();
  if (isTogether) await Promise.all(calls.map(talkOn));
  else for (const call of calls) await talkOn(call);
  const seconds = (performance.now() - startMs) / 1000;
  await Promise.all(calls.map((call) => call.close()));
  return { tokensPerSecond: tokens / seconds, firstTokenMs };
}
