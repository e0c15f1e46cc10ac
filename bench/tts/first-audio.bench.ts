/**
 * How long a caller waits for the first samples of a reply, against kokoro-js's own stream() on the same weights.
 * Ours runs as in production: through the pool, to the leg's rate, into the ring. kokoro-js runs as it ships
 * (all cores; ours one thread) and its samples are taken as they are. Both are warm, take turns, and never get
 * the same reply twice, except for the rows that say so.
 * Run: node bench/tts/first-audio.bench.ts [rounds] [pack folder]
 */
import { basename, dirname } from 'node:path';
import { env } from '@huggingface/transformers';
import { KokoroTTS, TextSplitterStream } from 'kokoro-js';
import { loadPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import { createRing } from '../../src/ring-buffers/layout.ts';
import { TtsClient } from '../../src/workers/tts/tts-client.ts';
import { against, type BenchOptions, type BenchResult, type BenchRow, quantiles } from '../bench-row.ts';

const LEG_RATE_HZ = 8000;
const WARM_UP_ROUNDS = 5;
const DEFAULT_ROUNDS = 20;
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const NAMES = ['Baker', 'Harper', 'Miller', 'Cooper', 'Turner', 'Walker', 'Fisher', 'Mason'];
const NUMBERS = ['two', 'three', 'four', 'five', 'six', 'eight', 'nine'];

/** For bench/main.ts. */
export async function benchRows({ pack, limit }: BenchOptions): Promise<BenchResult> {
  return { rows: await benchTts(limit ?? DEFAULT_ROUNDS, packFolderOf(pack)) };
}

/** Rows `tts.firstAudio` (new replies, and a repeated one) and `tts.realTimeFactor`. */
export async function benchTts(rounds: number, packFolder: string): Promise<BenchRow[]> {
  const { tts: stage } = await loadPack(packFolder);
  const client = await TtsClient.start({ ...stage, threads: 1, niceIncrement: 0 });
  const kokoro = await kokoroJs(stage.folder, stage.dtype);
  const [ours, theirs, factors]: [number[], number[], number[]] = [[], [], []];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const reply = replyOf(round + WARM_UP_ROUNDS);
    const spoken = await speakInto(client, reply);
    const theirMs = await firstAudioOf(kokoro, reply, stage.voice);
    if (round < 0) continue;
    ours.push(spoken.queueMs + spoken.firstAudioMs);
    theirs.push(theirMs);
    factors.push(spoken.computeMs / spoken.audioMs);
  }
  const repeated: number[] = [];
  await client.preload(replyOf(0), { rateHz: LEG_RATE_HZ });
  for (let round = 0; round < rounds; round++) {
    const spoken = await speakInto(client, replyOf(0));
    repeated.push(spoken.queueMs + spoken.firstAudioMs);
  }
  await client.close();
  return [
    row('tts.firstAudio', 'ms', ours, { name: 'kokoro-js', values: theirs }),
    row('tts.firstAudio.repeated', 'ms', repeated, { name: 'kokoro-js', values: theirs }),
    row('tts.realTimeFactor', 'ratio', factors),
  ];
}

/** A reply of two or three sentences, another one for every index. */
function replyOf(index: number): string {
  const pick = (words: readonly string[], step: number) => words[Math.floor(index / step) % words.length];
  const [day, name, number] = [pick(DAYS, 1), pick(NAMES, 7), pick(NUMBERS, 56)];
  return index % 2 === 0
    ? `Certainly, your table for ${number} on ${day} is booked under the name ${name}. May I have a phone number, please?`
    : `I am afraid we are fully booked on ${day}, Mister ${name}. We could do ${number} o'clock the day after. Would that suit you?`;
}

function speakInto(client: TtsClient, reply: string) {
  const downlink = createRing({ rateHz: LEG_RATE_HZ, capacitySamples: 2 ** 18 });
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  return client.speak({
    callId: 1,
    turnId: 1,
    sentence: reply,
    voice: '',
    speed: 1,
    downlink,
    epoch: 0,
    cancel,
  });
}

async function kokoroJs(folder: string, dtype: string): Promise<KokoroTTS> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  return KokoroTTS.from_pretrained(basename(folder), { dtype: dtype as 'fp32', device: 'cpu' });
}

async function firstAudioOf(kokoro: KokoroTTS, reply: string, voice: string): Promise<number> {
  const startedAtMs = performance.now();
  const splitter = new TextSplitterStream();
  splitter.push(reply);
  splitter.close();
  for await (const { audio } of kokoro.stream(splitter, { voice: voice as 'af_heart' })) {
    if (audio.audio.length > 0) return performance.now() - startedAtMs;
  }
  return Number.NaN;
}

function row(
  name: string,
  unit: 'ms' | 'ratio',
  values: number[],
  peer?: { readonly name: string; readonly values: number[] },
): BenchRow {
  const own = quantiles(name, unit, values);
  if (peer === undefined) return own;
  return against(own, { name: peer.name, p50: quantiles(name, unit, peer.values).p50 });
}

if (import.meta.main) {
  const rounds = Number(process.argv[2] ?? DEFAULT_ROUNDS);
  const packFolder = process.argv[3] ?? packFolderOf('embedded');
  console.log(JSON.stringify(await benchTts(rounds, packFolder), null, 2));
}
