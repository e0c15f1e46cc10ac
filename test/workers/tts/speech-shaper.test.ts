/** Levels, edges and rates of what goes into a ring. */
import { describe, expect, it } from 'vitest';
import {
  CEILING_DBFS,
  FADE_MS,
  SPEECH_LEVEL_DBFS,
  SpeechShaper,
  speechBounds,
  voiceGain,
} from '../../../src/workers/tts/speech-shaper.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';
import { rmsDb, sine } from './tone-engine.ts';

const MODEL_RATE_HZ = 24_000;
const CEILING = Math.ceil(32_767 * 10 ** (CEILING_DBFS / 20));

describe('shaped speech', () => {
  it.each([8000, 16_000, 24_000])('lasts as long at %i Hz as the model said', (toHz) => {
    const shaper = new SpeechShaper({ fromHz: MODEL_RATE_HZ, toHz });
    const pcm = shaper.shape(sine({ rateHz: MODEL_RATE_HZ, ms: 500, hz: 300, amplitude: 0.3 }), 1);
    expect(pcm.length).toBe(toHz / 2);
  });

  it('equal pieces give equal samples: nothing of the last piece is left in the resampler', () => {
    const shaper = new SpeechShaper({ fromHz: MODEL_RATE_HZ, toHz: 8000 });
    const piece = () => sine({ rateHz: MODEL_RATE_HZ, ms: 100, hz: 440, amplitude: 0.3 });
    const first = shaper.shape(piece(), 1);
    shaper.shape(sine({ rateHz: MODEL_RATE_HZ, ms: 33, hz: 3000, amplitude: 0.9 }), 1);
    expect(shaper.shape(piece(), 1)).toEqual(first);
  });

  it.each([30, 399, 400, 401, 2500])('comes in parts that joined are the whole, %i ms of it', (ms) => {
    const shaper = new SpeechShaper({ fromHz: MODEL_RATE_HZ, toHz: 8000 });
    const piece = () => sine({ rateHz: MODEL_RATE_HZ, ms, hz: 440, amplitude: 0.3 });
    const whole = shaper.shape(piece(), 1);
    for (let again = 0; again < 2; again++) {
      const parts = [...shaper.shapeInParts(piece(), 1)];
      expect(parts.map(({ isLast }) => isLast)).toEqual(ms < 400 ? [true] : [false, true]);
      expect(parts.flatMap(({ pcm }) => [...pcm])).toEqual([...whole]);
    }
  });

  it('of silence is no part', () => {
    const shaper = new SpeechShaper({ fromHz: MODEL_RATE_HZ, toHz: 8000 });
    expect([...shaper.shapeInParts(new Float32Array(24_000), 1)]).toEqual([]);
  });

  it('silence at the edges goes, and comes back only as far as soft consonants need', () => {
    const speech = sine({ rateHz: MODEL_RATE_HZ, ms: 200, hz: 300, amplitude: 0.3 });
    const padded = new Float32Array(MODEL_RATE_HZ);
    padded.set(speech, 6000);
    const { fromSample, toSample } = speechBounds(padded, MODEL_RATE_HZ);
    expect(fromSample).toBe(6000 - 240);
    expect(toSample).toBe(6000 + speech.length + 720);
  });

  it('a quiet end of a word is not taken for silence', () => {
    const loud = sine({ rateHz: MODEL_RATE_HZ, ms: 200, hz: 300, amplitude: 0.5 });
    const quiet = sine({ rateHz: MODEL_RATE_HZ, ms: 100, hz: 300, amplitude: 0.005 });
    const word = Float32Array.from([...loud, ...quiet, ...new Float32Array(4800)]);
    expect(speechBounds(word, MODEL_RATE_HZ).toSample).toBeGreaterThanOrEqual(loud.length + quiet.length);
  });

  it.each([
    ['nothing', new Float32Array(0)],
    ['silence', new Float32Array(2400)],
    ['inaudible noise', new Float32Array(2400).fill(1e-5)],
    ['not a number', new Float32Array(2400).fill(Number.NaN)],
    ['infinity', new Float32Array(2400).fill(Number.POSITIVE_INFINITY)],
  ])('%s gives no samples', (_name, samples) => {
    expect(new SpeechShaper({ fromHz: MODEL_RATE_HZ, toHz: 8000 }).shape(samples, 1)).toHaveLength(0);
  });

  it.each([0.001, 0.1, 1, 2, 50])('peak stays below the ceiling at amplitude %f', (amplitude) => {
    const samples = sine({ rateHz: MODEL_RATE_HZ, ms: 300, hz: 300, amplitude });
    const gain = voiceGain(samples, MODEL_RATE_HZ);
    const pcm = new SpeechShaper({ fromHz: MODEL_RATE_HZ, toHz: 8000 }).shape(samples, gain);
    expect(peakOf(pcm)).toBeLessThanOrEqual(CEILING);
  });

  it('any samples at any gain stay finite and below the ceiling', () => {
    const random = new SeededRandom(printedSeed('shaper'));
    const shaper = new SpeechShaper({ fromHz: MODEL_RATE_HZ, toHz: 8000 });
    for (let turn = 0; turn < 100; turn++) {
      const scale = 10 ** random.integer(-4, 6);
      const samples = Float32Array.from({ length: random.integer(0, 3000) }, () =>
        random.isTrue(0.01) ? Number.NaN : (random.next() - 0.5) * scale,
      );
      expect(peakOf(shaper.shape(samples, 10 ** random.integer(-2, 2)))).toBeLessThanOrEqual(CEILING);
    }
  });

  it('a voice is brought to the speech level, its pauses not counted', () => {
    const tone = sine({ rateHz: MODEL_RATE_HZ, ms: 500, hz: 300, amplitude: 0.6 });
    const samples = new Float32Array(MODEL_RATE_HZ * 2);
    samples.set(tone, 0);
    samples.set(tone, MODEL_RATE_HZ * 1.5);
    const pcm = new SpeechShaper({ fromHz: MODEL_RATE_HZ, toHz: 8000 }).shape(
      tone.slice(),
      voiceGain(samples, MODEL_RATE_HZ),
    );
    expect(rmsDb(pcm)).toBeGreaterThan(SPEECH_LEVEL_DBFS - 1);
    expect(rmsDb(pcm)).toBeLessThan(SPEECH_LEVEL_DBFS + 1);
  });

  it('the gain of silence is 1, of a whisper bounded', () => {
    expect(voiceGain(new Float32Array(1000), MODEL_RATE_HZ)).toBe(1);
    expect(voiceGain(new Float32Array(1000).fill(1e-3), MODEL_RATE_HZ)).toBeCloseTo(10 ** (12 / 20));
  });

  it('starts and ends with a fade', () => {
    const samples = sine({ rateHz: MODEL_RATE_HZ, ms: 300, hz: 1000, amplitude: 0.3 });
    const pcm = new SpeechShaper({ fromHz: MODEL_RATE_HZ, toHz: 8000 }).shape(samples, 1);
    const fadeSamples = (FADE_MS * 8000) / 1000;
    const [head, middle] = [pcm.subarray(0, fadeSamples / 4), pcm.subarray(1000, 1040)];
    expect(peakOf(head)).toBeLessThan(peakOf(middle) / 3);
    expect(Math.abs(pcm.at(-1) as number)).toBeLessThan(peakOf(middle) / 20);
  });
});

function peakOf(pcm: Int16Array): number {
  return pcm.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
}
