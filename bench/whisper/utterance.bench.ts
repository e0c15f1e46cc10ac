/**
 * How long an utterance takes from samples at the leg's rate to text, against transformers.js on the same weights, and
 * the parts of it: features, encoder, one token. Ours runs as in production: through the pool, resampling and guards
 * included. Both have the same number of threads and take turns, so that what else the machine does hits both alike.
 * Limit: an utterance 1.5 times sooner.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { env, pipeline } from '@huggingface/transformers';
import { parseWav } from '../../src/audio/wav.ts';
import { loadPack, type ModelPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import { createResampler } from '../../src/native/resampler.ts';
import { WHISPER_SEARCH_DEFAULTS } from '../../src/workers/whisper/beam-search.ts';
import { createFeatureExtractor } from '../../src/workers/whisper/features/feature-extractor.ts';
import { WHISPER_GUARD_DEFAULTS } from '../../src/workers/whisper/guards.ts';
import { Transcriber } from '../../src/workers/whisper/transcriber.ts';
import { WhisperClient } from '../../src/workers/whisper/whisper-client.ts';
import type { ExecutionProvider } from '../../src/workers/whisper/whisper-model.ts';
import {
  against,
  aimedAt,
  type BenchOptions,
  type BenchResult,
  type BenchRow,
  quantiles,
} from '../bench-row.ts';
import { packMachine } from '../models/engines.ts';

const LEG_RATE_HZ = 8_000;
const WHISPER_RATE_HZ = 16_000;
const DEFAULT_ROUNDS = 20;
const MOST_MS = 25_000;
const LEAST_RATIO = 1.5;
const CLIPS = [
  { name: 'whisper.utterance2s', file: 'opening-hours.wav', fromMs: 200, toMs: 2200 },
  { name: 'whisper.utterance5s', file: 'book-table.wav', fromMs: 150, toMs: 5150 },
];

/** For bench/main.ts: rows `whisper.utterance2s`, `whisper.utterance5s`, `whisper.logMel`, `.encoder`, `.token`. */
export async function benchRows({ pack: name, device, limit }: BenchOptions): Promise<BenchResult> {
  const pack = await loadPack(packFolderOf(name));
  const rounds = limit ?? DEFAULT_ROUNDS;
  const { rows, provider } = await benchUtterances(pack, device, rounds);
  const machine = { ...packMachine(pack), recogniserProvider: provider, recogniserThreads: '1' };
  return { rows: [...rows, ...(await benchParts(pack, provider, rounds))], machine };
}

async function benchUtterances(
  pack: ModelPack,
  device: ExecutionProvider,
  rounds: number,
): Promise<{ rows: BenchRow[]; provider: ExecutionProvider }> {
  const client = await WhisperClient.start({
    ...pack.whisper,
    threads: 1,
    intraOpThreads: 1,
    niceIncrement: 0,
    provider: device,
  });
  const { provider } = client.description;
  const baseline = await transformersJs(pack, provider);
  const rows: BenchRow[] = [];
  for (const clip of CLIPS) {
    const samples = samplesOf(clip);
    const at16kHz = resampled(samples);
    const ours: number[] = [];
    const theirs: number[] = [];
    const ourText = (await client.transcribeSamples(samples, LEG_RATE_HZ)).text;
    const theirText = await baseline(at16kHz);
    console.error(`${clip.name}: '${ourText}' | transformers.js '${theirText}'`);
    for (const _round of boundedRounds(rounds)) {
      ours.push(await timedMs(() => client.transcribeSamples(samples, LEG_RATE_HZ)));
      theirs.push(await timedMs(() => baseline(at16kHz)));
    }
    const beside = row(clip.name, ours, { name: 'transformers.js', timesMs: theirs });
    rows.push(aimedAt(beside, { atLeast: LEAST_RATIO }, 'ratio'));
  }
  await client.close();
  return { rows, provider };
}

/** The two kinds of model run that an utterance is made of. */
async function benchParts(pack: ModelPack, provider: ExecutionProvider, rounds: number): Promise<BenchRow[]> {
  const { folder, dtype, language = 'en' } = pack.whisper;
  const guards = WHISPER_GUARD_DEFAULTS;
  const search = WHISPER_SEARCH_DEFAULTS;
  const shared = { folder, dtype, language, guards, search, provider, intraOpThreads: 1 };
  const options = { ...shared, window: pack.whisper.window };
  const { model, config } = await Transcriber.load(options);
  const features = new Float32Array(config.melBins * config.windowFrames);
  const logMel = createFeatureExtractor({ melBins: config.melBins });
  const window = Float32Array.from({ length: config.windowSamples }, (_, i) => 0.1 * Math.sin(i * i * 1e-4));
  const logMelMs: number[] = [];
  const encoderMs: number[] = [];
  const tokenMs: number[] = [];
  for (const _round of boundedRounds(rounds)) {
    logMelMs.push(await timedMs(async () => logMel.extract(window, config.windowFrames, features)));
    encoderMs.push(await timedMs(() => model.encode(features, config.melBins)));
    const decoding = model.decoding(await model.encode(features, config.melBins));
    await decoding.start(config.promptTokens);
    for (let token = 0; token < 10; token++) tokenMs.push(await timedMs(() => decoding.advance(token)));
  }
  await model.release();
  const seconds = config.windowSamples / WHISPER_RATE_HZ;
  return [
    quantiles('whisper.logMel', 'ms', logMelMs, { audioSeconds: seconds }),
    quantiles('whisper.encoder', 'ms', encoderMs, { audioSeconds: seconds }),
    row('whisper.token', tokenMs),
  ];
}

/** The peer: the whole pipeline, on 16 kHz float samples, to text. */
async function transformersJs(
  pack: ModelPack,
  device: ExecutionProvider,
): Promise<(samples: Float32Array) => Promise<string>> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(pack.whisper.folder);
  const transcribe = await pipeline('automatic-speech-recognition', basename(pack.whisper.folder), {
    dtype: pack.whisper.dtype,
    device,
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
  });
  return async (samples) => {
    const result = await transcribe(samples, { language: 'en' });
    return (Array.isArray(result) ? result.map(({ text }) => text).join(' ') : result.text).trim();
  };
}

function samplesOf({ file, fromMs, toMs }: { file: string; fromMs: number; toMs: number }): Int16Array {
  const path = new URL(`../../test/fixtures/utterances/${file}`, import.meta.url);
  const [samples] = parseWav(readFileSync(path)).channels;
  return samples!.slice((fromMs * LEG_RATE_HZ) / 1000, (toMs * LEG_RATE_HZ) / 1000);
}

function resampled(samples: Int16Array): Float32Array {
  const resampler = createResampler({ fromHz: LEG_RATE_HZ, toHz: WHISPER_RATE_HZ });
  const output = new Float32Array(resampler.maxOutputSamples(samples.length));
  const length = resampler.process(
    Float32Array.from(samples, (sample) => sample / 32_768),
    output,
  );
  return output.subarray(0, length);
}

async function timedMs(run: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}

function row(name: string, timesMs: number[], baseline?: { name: string; timesMs: number[] }): BenchRow {
  const own = quantiles(name, 'ms', timesMs);
  if (baseline === undefined) return own;
  return against(own, { name: baseline.name, p50: quantiles(name, 'ms', baseline.timesMs).p50 });
}

/** As many rounds, or as fit into the time that a large model may take; three at least. */
function* boundedRounds(rounds: number): Generator<number> {
  const endMs = performance.now() + MOST_MS;
  for (let round = 0; round < rounds && (round < 3 || performance.now() < endMs); round++) yield round;
}
