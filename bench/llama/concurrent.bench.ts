/**
 * llama.tokensPerSecond.8 and .16: so many calls generating at once in one context, against the same replies one after
 * another. All prompts are evaluated before, so that generation alone is timed; llama.prefill is their tokens per second.
 * A model that no cache holds is measured with a thread per core, too (.allCores). Settles: many sequences in one context,
 * batched by the library, their replies in step (workers/llama/token-step.ts). Limit: on all cores eight at once give
 * twice the tokens of one by one; a small model has one thread, which no core helps.
 */
import { availableParallelism } from 'node:os';
import { DEFAULT_CONFIG } from '../../src/config/key-paths.ts';
import type { ModelPack } from '../../src/models/pack.ts';
import type { LlamaClient } from '../../src/workers/llama/llama-client.ts';
import type { LlamaPrepared } from '../../src/workers/protocol.ts';
import {
  aimedAt,
  type BenchOptions,
  type BenchResult,
  type BenchRow,
  figure,
  quantiles,
  rounded,
} from '../bench-row.ts';
import { languageModelMachine, packMachine } from '../models/engines.ts';
import { BenchCall, benchPack, median, startClient, type Workload, workloadOf } from './dialogue.ts';

const JUDGED_CALLS = 8;
const CALLS = [JUDGED_CALLS, 16];
const LEAST_RATIO_TO_SERIAL = 2;
/** At the least: what a spoken reply has, so that its first token does not stand for all. */
const REPLY_TOKENS = 24;
const FEWEST_PROMPT_TOKENS = 16;

interface Talk {
  readonly tokensPerSecond: number;
  readonly firstTextMs: readonly number[];
}

/** For bench/main.ts. */
export async function benchRows({ pack: name, limit }: BenchOptions): Promise<BenchResult> {
  const pack = await benchPack(name);
  const workload = workloadOf(pack, limit);
  const { rows, engine } = await measure(pack, workload, {
    calls: CALLS,
    threads: DEFAULT_CONFIG.llama.threads,
  });
  const threads = availableParallelism();
  const { rows: onAllCores } = workload.isLarge
    ? await measure(pack, workload, { calls: [JUDGED_CALLS], threads })
    : { rows: [] };
  const named = onAllCores.map((row) => ({ ...row, name: `${row.name}.allCores` }));
  const judged = named.map((row) =>
    row.ratio === undefined ? row : aimedAt(row, { atLeast: LEAST_RATIO_TO_SERIAL }, 'ratio'),
  );
  return { rows: [...rows, ...judged], machine: { ...packMachine(pack), ...engine } };
}

async function measure(
  pack: ModelPack,
  workload: Workload,
  { calls: counts, threads }: { readonly calls: readonly number[]; readonly threads: number },
): Promise<{ rows: BenchRow[]; engine: ReturnType<typeof languageModelMachine> }> {
  const maxTokens = Math.max(REPLY_TOKENS, workload.maxTokens);
  const client = await startClient(pack, { sequences: Math.max(...counts), maxTokens, threads });
  const prefill: number[] = [];
  const rows: BenchRow[] = [];
  for (const calls of counts) rows.push(...(await rowsAt(client, { workload, prefill, calls })));
  const engine = languageModelMachine(client);
  await client.close();
  return { rows: [...rows, figure('llama.prefill', 'tokens/s', median(prefill))], engine };
}

async function rowsAt(
  client: LlamaClient,
  options: Pick<TalkOptions, 'workload' | 'prefill' | 'calls'>,
): Promise<BenchRow[]> {
  const { workload, calls } = options;
  const [serial, together]: [Talk[], Talk[]] = [[], []];
  for (let round = 0; round < workload.rounds; round++) {
    serial.push(await talk(client, { ...options, isTogether: false }));
    together.push(await talk(client, { ...options, isTogether: true }));
  }
  const speed = (talks: readonly Talk[]): number =>
    median(talks.map(({ tokensPerSecond }) => tokensPerSecond));
  const [own, peer] = [speed(together), speed(serial)];
  const beside = { baseline: 'serial', baselineP50: rounded(peer), ratio: rounded(own / peer) };
  const firstTextMs = together.flatMap((talked) => talked.firstTextMs);
  return [
    figure(`llama.tokensPerSecond.${calls}`, 'tokens/s', own, beside),
    quantiles(`llama.ttft.${calls}`, 'ms', firstTextMs),
  ];
}

interface TalkOptions {
  readonly workload: Workload;
  readonly calls: number;
  readonly isTogether: boolean;
  /** Takes the speed of each long prompt, tokens per second. */
  readonly prefill: number[];
}

let lastCallId = 0;

async function talk(client: LlamaClient, options: TalkOptions): Promise<Talk> {
  const { workload, isTogether, prefill } = options;
  const calls = Array.from({ length: options.calls }, () => new BenchCall(client, ++lastCallId));
  const firstTextMs: number[] = [];
  let tokens = 0;
  let generatingMs = 0;
  const reply = async (call: BenchCall): Promise<void> => {
    const finished = await call.nextTurn();
    tokens += finished.generatedTokens;
    firstTextMs.push(finished.firstTextMs);
  };
  for (let turn = 0; turn < Math.max(1, workload.turns - 1); turn++) {
    for (const call of calls) prefill.push(...promptSpeed(await call.prepareTurn()));
    const startMs = performance.now();
    if (isTogether) await Promise.all(calls.map(reply));
    else for (const call of calls) await reply(call);
    generatingMs += performance.now() - startMs;
  }
  await Promise.all(calls.map((call) => call.close()));
  return { tokensPerSecond: (1000 * tokens) / generatingMs, firstTextMs };
}

/** Nothing where so few tokens were new that starting took longer than computing. */
function promptSpeed({ promptTokens, reusedTokens, computeMs }: LlamaPrepared): number[] {
  const newTokens = promptTokens - reusedTokens;
  return newTokens < FEWEST_PROMPT_TOKENS ? [] : [(1000 * newTokens) / computeMs];
}
