/** Features: equal to Hugging Face's WhisperFeatureExtractor, and to the definition. */
import { WhisperFeatureExtractor } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import {
  type FeatureExtractor,
  NativeLogMel,
} from '../../../src/workers/whisper/features/feature-extractor.ts';
import { HOP_SAMPLES, LogMel } from '../../../src/workers/whisper/features/log-mel.ts';
import {
  FRAME_SAMPLES,
  POWER_BINS,
  PowerSpectrum,
} from '../../../src/workers/whisper/features/power-spectrum.ts';
import { NATIVE } from '../../native/implementations.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';
import { recording } from './utterances.ts';

const WINDOW_FRAMES = 1000;
const WINDOW_SAMPLES = WINDOW_FRAMES * HOP_SAMPLES;

describe('power spectrum', () => {
  it('equals the discrete Fourier transform', () => {
    const random = new SeededRandom(printedSeed('power spectrum'));
    const spectrum = new PowerSpectrum();
    const window = Float64Array.from({ length: FRAME_SAMPLES }, () => random.next());
    const power = new Float64Array(POWER_BINS);
    for (let round = 0; round < 5; round++) {
      const samples = Float32Array.from({ length: FRAME_SAMPLES + 7 }, () => 2 * random.next() - 1);
      spectrum.power(samples, 7, window, power);
      const expected = powerByDefinition(samples.subarray(7), window);
      for (let bin = 0; bin < POWER_BINS; bin++) expect(power[bin]).toBeCloseTo(expected[bin]!, 9);
    }
  });
});

/** The TypeScript twin, and each addon that this box can load. */
const EXTRACTORS: readonly { name: string; make: (melBins: number) => FeatureExtractor }[] = [
  { name: 'typescript', make: (melBins) => new LogMel({ melBins }) },
  ...NATIVE.map(({ name, addon }) => ({
    name,
    make: (melBins: number) => new NativeLogMel(addon!, { melBins }),
  })),
];

describe.each(EXTRACTORS)('log-mel features, $name', ({ name: extractor, make }) => {
  it.each([
    ['80 bins, a full window', 80, WINDOW_SAMPLES],
    ['80 bins, two seconds', 80, 32_000],
    ['80 bins, not a multiple of the hop', 80, 16_001],
    ['80 bins, shorter than a frame', 80, 100],
    ['80 bins, one sample short of the window', 80, WINDOW_SAMPLES - 1],
    ['80 bins, longer than the window', 80, WINDOW_SAMPLES + 999],
    ['80 bins, nothing', 80, 0],
    ['128 bins, a full window', 128, WINDOW_SAMPLES],
    ['128 bins, five seconds', 128, 80_000],
  ])('equal the Hugging Face extractor within 1e-4: %s', async (name, melBins, lengthSamples) => {
    const random = new SeededRandom(printedSeed(`log-mel ${extractor}, ${name}`));
    expect(await largestDifference(make, noisySweep(lengthSamples, random), melBins)).toBeLessThan(1e-4);
  });

  it('equal the Hugging Face extractor within 1e-4: speech', async () => {
    const { samples } = recording('book-table.wav');
    expect(
      await largestDifference(
        make,
        Float32Array.from(samples, (sample) => sample / 32_768),
        80,
      ),
    ).toBeLessThan(1e-4);
  });

  it('of a shorter window are the beginning of those of the full one', () => {
    const random = new SeededRandom(printedSeed(`log-mel ${extractor}, shorter window`));
    const samples = noisySweep(20_000, random);
    const logMel = make(80);
    const [short, full] = [new Float32Array(80 * 200), new Float32Array(80 * WINDOW_FRAMES)];
    logMel.extract(samples, 200, short);
    logMel.extract(samples, WINDOW_FRAMES, full);
    for (let mel = 0; mel < 80; mel++) {
      expect(short.subarray(mel * 200, mel * 200 + 200)).toEqual(
        full.subarray(mel * WINDOW_FRAMES, mel * WINDOW_FRAMES + 200),
      );
    }
  });

  it('overwrites whatever the target held', () => {
    const logMel = make(80);
    const target = new Float32Array(80 * 100).fill(Number.NaN);
    logMel.extract(new Float32Array(3000).fill(0.1), 100, target);
    expect(target.some(Number.isNaN)).toBe(false);
  });
});

describe.each(NATIVE)('the $name log-mel', ({ name, addon }) => {
  it('equals the twin on noise of any length and window', () => {
    const random = new SeededRandom(printedSeed(`log-mel twins, ${name}`));
    const [native, twin] = [new NativeLogMel(addon!, { melBins: 80 }), new LogMel({ melBins: 80 })];
    for (let round = 0; round < 60; round++) {
      const samples = noisySweep(random.integer(0, random.pick([3, 500, 20_000])), random);
      const frames = random.integer(1, random.pick([3, 50, 200]));
      const [one, other] = [new Float32Array(80 * frames), new Float32Array(80 * frames)];
      native.extract(samples, frames, one);
      twin.extract(samples, frames, other);
      const difference = one.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0);
      expect(difference, `${samples.length} samples, ${frames} frames`).toBeLessThan(1e-6);
      expect(one.some(Number.isNaN)).toBe(false);
    }
  });

  it('refuses a target of another length', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_STATE' });
    const native = new NativeLogMel(addon!, { melBins: 80 });
    expect(() => native.extract(new Float32Array(160), 2, new Float32Array(159))).toThrow(invalid);
  });
});

async function largestDifference(
  make: (melBins: number) => FeatureExtractor,
  samples: Float32Array,
  melBins: number,
): Promise<number> {
  const reference = new WhisperFeatureExtractor({
    feature_size: melBins,
    chunk_length: 10,
    hop_length: HOP_SAMPLES,
    n_fft: FRAME_SAMPLES,
    n_samples: WINDOW_SAMPLES,
    nb_max_frames: WINDOW_FRAMES,
    sampling_rate: 16_000,
  });
  const { input_features } = await reference(samples);
  const expected: Float32Array = input_features.data;
  const features = new Float32Array(melBins * WINDOW_FRAMES);
  make(melBins).extract(samples, WINDOW_FRAMES, features);
  expect(features.length).toBe(expected.length);
  return features.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)), 0);
}

/** A tone that climbs, over noise. */
function noisySweep(lengthSamples: number, random: SeededRandom): Float32Array {
  return Float32Array.from(
    { length: lengthSamples },
    (_, i) => 0.3 * Math.sin(i * 0.05 * (1 + i / lengthSamples)) + 0.02 * (random.next() - 0.5),
  );
}

function powerByDefinition(samples: Float32Array, window: Float64Array): number[] {
  return Array.from({ length: POWER_BINS }, (_, k) => {
    let re = 0;
    let im = 0;
    for (let n = 0; n < FRAME_SAMPLES; n++) {
      const value = samples[n]! * window[n]!;
      re += value * Math.cos((2 * Math.PI * k * n) / FRAME_SAMPLES);
      im -= value * Math.sin((2 * Math.PI * k * n) / FRAME_SAMPLES);
    }
    return re * re + im * im;
  });
}
