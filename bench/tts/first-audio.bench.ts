/**
 * How long a caller waits for the first samples of a reply of several sentences, against kokoro-js's own stream() on the
 * same weights. Ours runs as in production: cut into sentences as a streamed reply is, through the pool, to the leg's
 * rate, into the ring. Both are warm and take turns. Two kinds of replies: made-up ones, none of which was said before,
 * and what the agent says in the evaluation dialogues, by an agent that has held some such calls already
 * (`knownOpenings` of them begin with a sentence that it knows).
 * Each row has two baselines: kokoro-js on one thread, and as it ships, on all cores. Ours has the threads of the
 * default configuration. Limit: 1.5 times sooner.
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
/** Copying a known sentence into the ring takes less, making one takes more. */
const LEAST_COMPUTE_MS = 2;
/** Between two measurements: threads of onnxruntime go on spinning for a while after a run. */
const REST_MS = 100;
const LEAST_RATIO = 1.5;

interface Spoken {
  readonly firstAudioMs: number;
  /** The first sentence was in the cache. */
  readonly isKnown: boolean;
}

interface Measured {
  readonly ours: number[];
  readonly oneThread: number[];
  readonly asShipped: number[];
  knownOpenings: number;
  repliesBefore: number;
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
  return {
    rows: [...rowsOf('tts.firstAudio', fresh), ...rowsOf('tts.firstAudio.agent', ofAgent)],
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
  const measured: Measured = {
    ours: [],
    oneThread: [],
    asShipped: [],
    knownOpenings: 0,
    repliesBefore: 0,
  };
  const endsAtMs = performance.now() + MOST_MS;
  for (const reply of before) {
    if (performance.now() > endsAtMs - MOST_MS / 2) break;
    await speakInto(client, reply);
    measured.repliesBefore += 1;
  }
  for (const [index, reply] of replies.entries()) {
    if (index >= FEWEST_REPLIES && performance.now() > endsAtMs) break;
    await sleep(REST_MS);
    const spoken = await speakInto(client, reply);
    await sleep(REST_MS);
    const theirs = await firstAudioOf(oneThread, reply, stage.voice);
    await sleep(REST_MS);
    const theirsOnAllCores = await firstAudioOf(asShipped, reply, stage.voice);
    if (index < WARM_UP_ROUNDS) continue;
    measured.ours.push(spoken.firstAudioMs);
    measured.oneThread.push(theirs);
    measured.asShipped.push(theirsOnAllCores);
    if (spoken.isKnown) measured.knownOpenings += 1;
  }
  await client.close();
  await Promise.all([oneThread.model.dispose(), asShipped.model.dispose()]);
  return measured;
}

function rowsOf(name: string, measured: Measured): BenchRow[] {
  const { ours, oneThread, asShipped, knownOpenings, repliesBefore } = measured;
  const own = quantiles(name, 'ms', ours, { knownOpenings, repliesBefore });
  const peer = (label: string, values: number[]): BenchRow =>
    aimedAt(
      against(own, { name: label, p50: quantiles(label, 'ms', values).p50 }),
      { atLeast: LEAST_RATIO },
      'ratio',
    );
  return [peer('kokoro-js', oneThread), peer('kokoro-js on all cores', asShipped)];
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
    isKnown: first!.computeMs < LEAST_COMPUTE_MS,
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
