/**
 * How long a caller waits for the first samples of a reply of several sentences, against kokoro-js's own stream() on the
 * same weights. Ours runs as in production: cut into sentences as a streamed reply is, through the pool, to the leg's
 * rate, into the ring. Both are warm and take turns. Replies that were never said before, beginning with a
 * clause of their own (`.newClause`) or with a word that others began with (`.usualWord`), and what the agent says in the
 * evaluation dialogues, by an agent that has held some such calls already (`knownOpenings` begin with what it remembers).
 * Each row has two baselines: kokoro-js on one thread, and as it ships, on all cores. Ours has the threads of the
 * default configuration. Each ratio is of one and the same reply, the row's their median: replies of different kinds
 * have different ratios, and a quotient of two medians falls between them by chance. Limit: 1.5 times sooner.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type KokoroTTS, TextSplitterStream } from 'kokoro-js';
import { DEFAULT_CONFIG } from '../../src/config/key-paths.ts';
import { loadPack, type ModelPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import { createRing } from '../../src/ring-buffers/layout.ts';
import { splitSentences } from '../../src/turn/sentence-splitter.ts';
import { TtsClient } from '../../src/workers/tts/tts-client.ts';
import {
  against,
  aimedAt,
  type BenchOptions,
  type BenchResult,
  type BenchRow,
  quantiles,
  rounded,
} from '../bench-row.ts';
import { packMachine } from '../models/engines.ts';
import { type KokoroVoice, kokoroJs } from './kokoro-js.ts';
import { agentReplies, madeUpReply } from './replies.ts';

const LEG_RATE_HZ = 8000;
/** Of one inference. */
const THREADS = DEFAULT_CONFIG.tts.intraOpThreads;
const WARM_UP_ROUNDS = 3;
const DEFAULT_ROUNDS = 40;
/** About twenty calls, which is what the agent's memory of sentences has seen before. */
const REPLIES_BEFORE = 120;
/** What a voice that is slower than speech may take, for each kind of reply. */
const MOST_MS = 40_000;
const FEWEST_REPLIES = 5;
/** Copying a known piece into the ring takes less, making one takes more. */
const LEAST_COMPUTE_MS = 2;
/** Between two measurements: threads of onnxruntime go on spinning for a while after a run. */
const REST_MS = 100;
const LEAST_RATIO = 1.5;

interface Spoken {
  readonly firstAudioMs: number;
  /** How the reply begins was in a cache. */
  readonly isKnown: boolean;
}

/** One reply, spoken by each. */
interface Comparison extends Spoken {
  readonly oneThreadMs: number;
  readonly asShippedMs: number;
}

interface Measured {
  readonly comparisons: readonly Comparison[];
  readonly repliesBefore: number;
}

/** For bench/main.ts. */
export async function benchRows({ pack, limit }: BenchOptions): Promise<BenchResult> {
  const loaded = await loadPack(packFolderOf(pack));
  const rounds = limit ?? DEFAULT_ROUNDS;
  const made = Array.from({ length: rounds + WARM_UP_ROUNDS }, (_, index) => madeUpReply(index));
  const fresh = await measure(loaded, made, []);
  const replies = agentReplies();
  const before = replies.slice(0, REPLIES_BEFORE);
  const later = replies.slice(REPLIES_BEFORE, REPLIES_BEFORE + made.length);
  const ofAgent = await measure(loaded, later, before);
  const every = (kind: number): Measured => ({
    ...fresh,
    comparisons: fresh.comparisons.filter((_, index) => (index + WARM_UP_ROUNDS) % 2 === kind),
  });
  return {
    rows: [
      ...rowsOf('tts.firstAudio.usualWord', every(0)),
      ...rowsOf('tts.firstAudio.newClause', every(1)),
      ...rowsOf('tts.firstAudio.agent', ofAgent),
    ],
    machine: { ...packMachine(loaded), ttsProvider: 'cpu', ttsThreads: String(THREADS) },
  };
}

/** @param before what the agent has said already. */
async function measure(
  { tts: stage }: ModelPack,
  replies: readonly string[],
  before: readonly string[],
): Promise<Measured> {
  const client = await TtsClient.start({ ...stage, threads: 1, intraOpThreads: THREADS, niceIncrement: 0 });
  const oneThread = await kokoroJs(stage, 1);
  const asShipped = await kokoroJs(stage, null);
  const endsAtMs = performance.now() + MOST_MS;
  let repliesBefore = 0;
  for (const reply of before) {
    if (performance.now() > endsAtMs - MOST_MS / 2) break;
    await speakInto(client, reply);
    repliesBefore += 1;
  }
  const comparisons: Comparison[] = [];
  for (const [index, reply] of replies.entries()) {
    if (index >= FEWEST_REPLIES && performance.now() > endsAtMs) break;
    await sleep(REST_MS);
    const spoken = await speakInto(client, reply);
    await sleep(REST_MS);
    const oneThreadMs = await firstAudioOf(oneThread, reply, stage.voice);
    await sleep(REST_MS);
    const asShippedMs = await firstAudioOf(asShipped, reply, stage.voice);
    if (index >= WARM_UP_ROUNDS) comparisons.push({ ...spoken, oneThreadMs, asShippedMs });
  }
  await client.close();
  await Promise.all([oneThread.model.dispose(), asShipped.model.dispose()]);
  return { comparisons, repliesBefore };
}

function rowsOf(name: string, { comparisons, repliesBefore }: Measured): BenchRow[] {
  const knownOpenings = comparisons.filter(({ isKnown }) => isKnown).length;
  const times = comparisons.map(({ firstAudioMs }) => firstAudioMs);
  const own = quantiles(name, 'ms', times, { knownOpenings, repliesBefore });
  const beside = (label: string, peerMs: (reply: Comparison) => number): BenchRow => {
    const ratios = comparisons.map((reply) => peerMs(reply) / reply.firstAudioMs).toSorted((a, b) => a - b);
    const at = (share: number): number =>
      rounded(ratios[Math.floor(share * (ratios.length - 1))] ?? Number.NaN);
    const row = against(own, { name: label, p50: quantiles(label, 'ms', comparisons.map(peerMs)).p50 });
    const perReply = { ratio: at(0.5), ratioP5: at(0.05), ratioP95: at(0.95) };
    return aimedAt({ ...row, ...perReply }, { atLeast: LEAST_RATIO }, 'ratio');
  };
  return [
    beside('kokoro-js', ({ oneThreadMs }) => oneThreadMs),
    beside('kokoro-js on all cores', ({ asShippedMs }) => asShippedMs),
  ];
}

async function speakInto(client: TtsClient, reply: string): Promise<Spoken> {
  const downlink = createRing({ rateHz: LEG_RATE_HZ, capacitySamples: 2 ** 18 });
  const call = { callId: 1, turnId: 1, voice: '', speed: 1, downlink, epoch: 0 };
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  const spoken = await Promise.all(
    splitSentences(reply).map((sentence) => client.speak({ ...call, sentence, cancel })),
  );
  const [first] = spoken;
  return {
    firstAudioMs: first!.queueMs + first!.firstAudioMs,
    isKnown: first!.firstAudioMs < LEAST_COMPUTE_MS,
  };
}

async function firstAudioOf(kokoro: KokoroTTS, reply: string, voice: string): Promise<number> {
  const startedAtMs = performance.now();
  const splitter = new TextSplitterStream();
  splitter.push(reply);
  splitter.close();
  for await (const { audio } of kokoro.stream(splitter, { voice: voice as KokoroVoice })) {
    if (audio.audio.length > 0) return performance.now() - startedAtMs;
  }
  return Number.NaN;
}
