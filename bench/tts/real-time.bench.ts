/**
 * tts.realTimeFactor: time to speak / time spoken, of whole replies of several sentences that nobody said before, against
 * kokoro-js's own generate() on the same weights, on one thread, as ours, and as it ships, on all cores. Ours runs as in
 * production, cut into sentences, through the pool, to the leg's rate, into the ring, but remembers nothing. Both are
 * timed by whoever asks, and take turns.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { KokoroTTS } from 'kokoro-js';
import { loadPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import { createRing } from '../../src/ring-buffers/layout.ts';
import { splitSentences } from '../../src/turn/sentence-splitter.ts';
import { TtsClient } from '../../src/workers/tts/tts-client.ts';
import { against, type BenchOptions, type BenchResult, quantiles } from '../bench-row.ts';
import { packMachine } from '../models/engines.ts';
import { type KokoroVoice, kokoroJs } from './kokoro-js.ts';
import { madeUpReply } from './replies.ts';

const LEG_RATE_HZ = 8000;
const WARM_UP_ROUNDS = 3;
const DEFAULT_ROUNDS = 30;
const FEWEST_ROUNDS = 3;
/** What a voice that is slower than speech may take. */
const MOST_MS = 60_000;
/** Between two measurements: threads of onnxruntime go on spinning for a while after a run. */
const REST_MS = 100;

/** For bench/main.ts. */
export async function benchRows({ pack, limit }: BenchOptions): Promise<BenchResult> {
  const loaded = await loadPack(packFolderOf(pack));
  const client = await TtsClient.start({ ...loaded.tts, threads: 1, niceIncrement: 0, cacheBytes: 0 });
  const oneThread = await kokoroJs(loaded.tts, 1);
  const asShipped = await kokoroJs(loaded.tts, null);
  const voice = loaded.tts.voice as KokoroVoice;
  const [ours, alone, onAllCores]: [number[], number[], number[]] = [[], [], []];
  const endsAtMs = performance.now() + MOST_MS;
  for (let round = 0; round < (limit ?? DEFAULT_ROUNDS) + WARM_UP_ROUNDS; round++) {
    if (ours.length >= FEWEST_ROUNDS && performance.now() > endsAtMs) break;
    const reply = madeUpReply(round);
    const own = await factorOf(() => speakInto(client, reply));
    const theirs = await factorOf(() => generate(oneThread, reply, voice));
    const theirsOnAllCores = await factorOf(() => generate(asShipped, reply, voice));
    if (round < WARM_UP_ROUNDS) continue;
    ours.push(own);
    alone.push(theirs);
    onAllCores.push(theirsOnAllCores);
  }
  await client.close();
  await Promise.all([oneThread.model.dispose(), asShipped.model.dispose()]);
  const row = quantiles('tts.realTimeFactor', 'ratio', ours);
  const beside = (name: string, factors: readonly number[]) =>
    against(row, { name, p50: quantiles(name, 'ratio', factors).p50 });
  return {
    rows: [beside('kokoro-js', alone), beside('kokoro-js on all cores', onAllCores)],
    machine: { ...packMachine(loaded), ttsProvider: 'cpu', ttsThreads: '1' },
  };
}

/** @param speak resolves to the ms spoken */
async function factorOf(speak: () => Promise<number>): Promise<number> {
  await sleep(REST_MS);
  const startedAtMs = performance.now();
  const audioMs = await speak();
  return (performance.now() - startedAtMs) / audioMs;
}

async function speakInto(client: TtsClient, reply: string): Promise<number> {
  const downlink = createRing({ rateHz: LEG_RATE_HZ, capacitySamples: 2 ** 18 });
  const call = { callId: 1, turnId: 1, voice: '', speed: 1, downlink, epoch: 0 };
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  const spoken = await Promise.all(
    splitSentences(reply).map((sentence) => client.speak({ ...call, sentence, cancel })),
  );
  return spoken.reduce((total, { audioMs }) => total + audioMs, 0);
}

async function generate(kokoro: KokoroTTS, reply: string, voice: KokoroVoice): Promise<number> {
  const { audio, sampling_rate: rateHz } = await kokoro.generate(reply, { voice });
  return (1000 * audio.length) / rateHz;
}
