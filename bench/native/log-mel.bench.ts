/**
 * native.logmel5s: features of 5 s of speech by the addon, beside the extractor of transformers.js, which gets as many
 * frames to make, and the TypeScript twin.
 * Run: ./wildfire bench native/log-mel
 */
import { readFileSync } from 'node:fs';
import { WhisperFeatureExtractor } from '@huggingface/transformers';
import { parseWav } from '../../src/audio/wav.ts';
import { createResampler } from '../../src/native/resampler.ts';
import { createFeatureExtractor } from '../../src/workers/whisper/features/feature-extractor.ts';
import { HOP_SAMPLES, LogMel, WHISPER_RATE_HZ } from '../../src/workers/whisper/features/log-mel.ts';
import { FRAME_SAMPLES } from '../../src/workers/whisper/features/power-spectrum.ts';
import { aimedAt, type BenchResult, figure, quantiles } from '../bench-row.ts';
import { timedAgainst } from './targets.ts';

const SPEECH_MS = 5000;
const FRAMES = (SPEECH_MS * WHISPER_RATE_HZ) / 1000 / HOP_SAMPLES;
const MEL_BINS = 80;
const ROUNDS = 60;
const WARM_UP_ROUNDS = 10;
const SAME_WITHIN = 1e-4;

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const speech = speechAt16kHz();
  const peer = transformersJs();
  const [native, twin] = [createFeatureExtractor({ melBins: MEL_BINS }), new LogMel({ melBins: MEL_BINS })];
  const [features, twinFeatures] = [new Float32Array(MEL_BINS * FRAMES), new Float32Array(MEL_BINS * FRAMES)];
  let theirs = await peer(speech);
  const timesMs: { own: number[]; twin: number[]; peer: number[] } = { own: [], twin: [], peer: [] };
  for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
    const own = await timedMs(() => native.extract(speech, FRAMES, features));
    const ofTwin = await timedMs(() => twin.extract(speech, FRAMES, twinFeatures));
    const ofPeer = await timedMs(async () => {
      theirs = await peer(speech);
    });
    if (round < WARM_UP_ROUNDS) continue;
    timesMs.own.push(own);
    timesMs.twin.push(ofTwin);
    timesMs.peer.push(ofPeer);
  }
  const row = quantiles('native.logmel5s', 'ms', timesMs.own);
  const difference = Math.max(largestDifference(features, theirs), largestDifference(twinFeatures, theirs));
  return {
    rows: [
      timedAgainst(row, { name: 'transformers.js', p50: quantiles('', 'ms', timesMs.peer).p50 }),
      timedAgainst(row, { name: 'typescript', p50: quantiles('', 'ms', timesMs.twin).p50 }),
      aimedAt(figure('native.logmel.difference', 'features', difference), { atMost: SAME_WITHIN }),
    ],
  };
}

/** The peer, made for windows of just this length: by default it would fill 30 s. */
function transformersJs(): (samples: Float32Array) => Promise<Float32Array> {
  const extract = new WhisperFeatureExtractor({
    feature_size: MEL_BINS,
    chunk_length: SPEECH_MS / 1000,
    hop_length: HOP_SAMPLES,
    n_fft: FRAME_SAMPLES,
    n_samples: FRAMES * HOP_SAMPLES,
    nb_max_frames: FRAMES,
    sampling_rate: WHISPER_RATE_HZ,
  });
  return async (samples) => {
    const { input_features } = await extract(samples);
    return input_features.data as Float32Array;
  };
}

function speechAt16kHz(): Float32Array {
  const path = new URL('../../test/fixtures/utterances/book-table.wav', import.meta.url);
  const { channels, rateHz } = parseWav(readFileSync(path));
  const resampler = createResampler({ fromHz: rateHz, toHz: WHISPER_RATE_HZ });
  const speech = new Float32Array(FRAMES * HOP_SAMPLES);
  const samples = channels[0]!.subarray(0, (SPEECH_MS * rateHz) / 1000);
  resampler.process(samples, speech);
  return speech;
}

function largestDifference(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length) return Number.NaN;
  return one.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0);
}

async function timedMs(run: () => unknown): Promise<number> {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}
