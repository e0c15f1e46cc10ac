/** The shipped Piper voice for real: the same network as the Kokoro one, through Piper's engine, phonemes and ids. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peak, rmsDbfs } from '../../../src/audio/level.ts';
import { openKokoro } from '../../../src/workers/tts/kokoro-model.ts';
import { openPiper } from '../../../src/workers/tts/piper-model.ts';
import { TtsClient } from '../../../src/workers/tts/tts-client.ts';
import type { TtsEngine } from '../../../src/workers/tts/tts-engine.ts';
import { hasTestPack, TEST_PACK_FOLDER } from '../../models/test-pack.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';
import { utterancesOf } from './engine-speech.ts';

const FOLDER = join(TEST_PACK_FOLDER, 'piper');
const MODEL = join(FOLDER, 'harbour.onnx');
const RATE_HZ = 24_000;
const SENTENCE = 'Your table for two is booked for Friday at seven thirty.';
const CEILING = Math.ceil(32_767 * 10 ** (-1 / 20));

const describeWithVoice = describe.skipIf(!hasTestPack('piper/harbour.onnx'));

describeWithVoice('the shipped Piper voice', () => {
  let piper: TtsEngine;
  let kokoro: TtsEngine;
  beforeAll(async () => {
    piper = await openPiper({ folder: FOLDER, dtype: 'fp32', intraOpThreads: 1 });
    kokoro = await openKokoro({ folder: join(TEST_PACK_FOLDER, 'kokoro'), dtype: 'fp32', intraOpThreads: 1 });
  });
  afterAll(async () => {
    await piper?.close();
    await kokoro?.close();
  });

  it('has two speakers', () => {
    expect([piper.rateHz, piper.voices]).toEqual([RATE_HZ, ['harbour', 'heart', 'michael']]);
  });

  it.each([
    ['heart', 'af_heart'],
    ['michael', 'am_michael'],
  ])('%s says a sentence as %s of the Kokoro format does', async (speaker, voice) => {
    const [made] = await utterancesOf(piper, SENTENCE, { voice: speaker, speed: 1 });
    const [wanted] = await utterancesOf(kokoro, SENTENCE, { voice: voice, speed: 1 });
    const [a, b] = [envelope(made as Float32Array), envelope(wanted as Float32Array)];
    expect(Math.abs(a.length - b.length)).toBeLessThanOrEqual(3);
    expect(correlation(a, b)).toBeGreaterThan(0.97);
  });

  it('speakers differ in pitch as a woman and a man do', async () => {
    const [heart] = await utterancesOf(piper, SENTENCE, { voice: 'heart', speed: 1 });
    const [michael] = await utterancesOf(piper, SENTENCE, { voice: 'michael', speed: 1 });
    expect(pitchHz(heart as Float32Array)).toBeGreaterThan(170);
    expect(pitchHz(michael as Float32Array)).toBeLessThan(130);
  });

  it('speed is speed', async () => {
    const [slow] = await utterancesOf(piper, SENTENCE, { voice: 'heart', speed: 0.8 });
    const [fast] = await utterancesOf(piper, SENTENCE, { voice: 'heart', speed: 1.6 });
    const ratio = (slow as Float32Array).length / (fast as Float32Array).length;
    expect(ratio).toBeGreaterThan(1.8);
    expect(ratio).toBeLessThan(2.2);
  });
});

describeWithVoice('its tensors', () => {
  let session: InferenceSession;
  beforeAll(async () => {
    session = await InferenceSession.create(MODEL, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  });
  afterAll(() => session?.release());

  const run = async (ids: readonly number[], lengthIds = ids.length, sid = 0): Promise<Float32Array> => {
    const { output } = await session.run({
      input: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
      input_lengths: new Tensor('int64', BigInt64Array.of(BigInt(lengthIds)), [1]),
      scales: new Tensor('float32', Float32Array.of(0.667, 1, 0.8), [3]),
      sid: new Tensor('int64', BigInt64Array.of(BigInt(sid)), [1]),
    });
    expect(output?.dims.slice(0, 3)).toEqual([1, 1, 1]);
    return output?.data as Float32Array;
  };

  it('pads, begin and end make no sound and take no time', async () => {
    const map = JSON.parse(readFileSync(`${MODEL}.json`, 'utf8')).phoneme_id_map;
    const word = Array.from('həlˈoʊ.', (phoneme) => map[phoneme][0] as number);
    const bare = await run(word);
    const padded = await run([1, 0, ...word.flatMap((id) => [id, 0]), 2]);
    expect(padded).toEqual(bare);
    expect(bare.length).toBeGreaterThan(0.3 * RATE_HZ);
  });

  it('what lies behind the length is not spoken', async () => {
    expect(await run([20, 30, 40, 50, 51, 52], 3)).toEqual(await run([20, 30, 40]));
  });

  it('any ids give finite samples below -1 dBFS', async () => {
    const random = new SeededRandom(printedSeed('piper ids'));
    for (let turn = 0; turn < 60; turn++) {
      const ids = Array.from({ length: random.integer(1, 90) }, () => random.integer(-3, 400));
      const samples = await run(ids, ids.length, random.integer(-2, 5));
      expect(samples.length).toBeGreaterThan(0);
      expect(samples.every((sample) => Math.abs(sample) <= 10 ** (-1 / 20))).toBe(true);
    }
  });
});

describeWithVoice('through the pool', () => {
  it('a reply is level speech at the rate of the line', async () => {
    const options = { engine: 'piper', folder: FOLDER, dtype: 'fp32', voice: 'michael' } as const;
    const tts = await TtsClient.start({ ...options, threads: 1, niceIncrement: 0 });
    const { samples } = await tts.render(`${SENTENCE} Is that correct?`, { rateHz: 8000 });
    await tts.close();
    expect(samples.length / 8000).toBeGreaterThan(3.5);
    expect(samples.length / 8000).toBeLessThan(8);
    expect(peak(samples)).toBeLessThanOrEqual(CEILING);
    expect(rmsDbfs(samples)).toBeGreaterThan(-28);
    expect(rmsDbfs(samples)).toBeLessThan(-17);
  }, 60_000);
});

/** RMS of each 20 ms. */
function envelope(samples: Float32Array): number[] {
  const size = RATE_HZ / 50;
  return Array.from({ length: Math.floor(samples.length / size) }, (_, i) =>
    Math.sqrt(samples.subarray(i * size, (i + 1) * size).reduce((sum, x) => sum + x * x, 0) / size),
  );
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const length = Math.min(a.length, b.length);
  const mean = (values: readonly number[]) => values.slice(0, length).reduce((sum, x) => sum + x, 0) / length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < length; i++) {
    const [x, y] = [(a[i] as number) - meanA, (b[i] as number) - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Median over loud windows of 40 ms: the lag of 60 to 340 Hz with the highest autocorrelation. */
function pitchHz(samples: Float32Array): number {
  const size = RATE_HZ / 25;
  const loudest = Math.max(...envelope(samples));
  const found: number[] = [];
  for (let at = 0; at + 2 * size < samples.length; at += size) {
    const window = samples.subarray(at, at + size);
    const level = Math.sqrt(window.reduce((sum, x) => sum + x * x, 0) / size);
    if (level > loudest / 3) found.push(RATE_HZ / bestLag(samples, at, size));
  }
  return found.toSorted((a, b) => a - b)[found.length >> 1] as number;
}

function bestLag(samples: Float32Array, at: number, size: number): number {
  const similarity = (lag: number): number => {
    let sum = 0;
    for (let i = at; i < at + size; i += 2) sum += (samples[i] as number) * (samples[i + lag] as number);
    return sum;
  };
  const lags = Array.from({ length: 330 }, (_, i) => 70 + i);
  const scores = lags.map(similarity);
  const best = Math.max(...scores);
  // The shortest lag that is nearly as good: the period, not a multiple of it.
  return lags[scores.findIndex((score) => score > 0.85 * best)] as number;
}
