/** Levels, edges and rates of what goes into a ring. */
import { describe, expect, it } from 'vitest';
import { peak } from '../../../src/audio/level.ts';
import {
  CEILING_DBFS,
  FADE_MS,
  type ShapedPart,
  SPEECH_LEVEL_DBFS,
  SpeechShaper,
  voiceGain,
} from '../../../src/workers/tts/speech-shaper.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';
import { rmsDb, sine } from './tone-engine.ts';

const MODEL_RATE_HZ = 24_000;
const RING_RATE_HZ = 8000;
const RATIO = MODEL_RATE_HZ / RING_RATE_HZ;
const WINDOW_SAMPLES = MODEL_RATE_HZ / 200;
const CEILING = Math.ceil(32_767 * 10 ** (CEILING_DBFS / 20));

const shaperTo = (toHz: number) => new SpeechShaper({ fromHz: MODEL_RATE_HZ, toHz });
const tone = (ms: number, { hz = 440, amplitude = 0.3 } = {}) =>
  sine({ rateHz: MODEL_RATE_HZ, ms, hz, amplitude });

/** The parts of a piece that comes in these chunks. */
function partsOf(shaper: SpeechShaper, chunks: readonly Float32Array[], gain = 1): ShapedPart[] {
  shaper.begin(gain);
  return chunks.flatMap((chunk, index) => [...shaper.add(chunk.slice(), index === chunks.length - 1)]);
}

function joinedPcm(parts: readonly ShapedPart[]): Int16Array {
  return Int16Array.from(parts.flatMap(({ pcm }) => [...pcm]));
}

function shaped(samples: Float32Array, gain = 1, shaper = shaperTo(RING_RATE_HZ)): Int16Array {
  return joinedPcm(partsOf(shaper, [samples], gain));
}

describe('shaped speech', () => {
  it.each([8000, 16_000, 24_000])('lasts as long at %i Hz as the model said', (toHz) => {
    expect(shaped(tone(500, { hz: 300 }), 1, shaperTo(toHz)).length).toBe(toHz / 2);
  });

  it('equal pieces give equal samples: nothing of the last piece is left in the shaper', () => {
    const shaper = shaperTo(RING_RATE_HZ);
    const first = shaped(tone(100), 1, shaper);
    partsOf(shaper, [tone(33, { hz: 3000, amplitude: 0.9 })]);
    partsOf(shaper, [tone(500), new Float32Array(4800), new Float32Array(0)]);
    shaper.begin(1);
    for (const _part of shaper.add(tone(300), false)) break; // given up in the middle
    expect(shaped(tone(100), 1, shaper)).toEqual(first);
  });

  it.each([30, 399, 400, 401, 2500])('comes in parts that joined are the whole, %i ms of it', (ms) => {
    const parts = partsOf(shaperTo(RING_RATE_HZ), [tone(ms)]);
    expect(parts.map(({ isLast }) => isLast)).toEqual(ms < 400 ? [true] : [false, true]);
    if (ms >= 400) expect(parts[0]?.pcm.length).toBeLessThanOrEqual((200 * RING_RATE_HZ) / 1000);
    expect(joinedPcm(parts)).toHaveLength((ms * RING_RATE_HZ) / 1000);
  });

  it('silence at the edges goes, and comes back only as far as soft consonants need', () => {
    const padded = new Float32Array(MODEL_RATE_HZ);
    padded.set(tone(200), 6000);
    const before = (10 * RING_RATE_HZ) / 1000;
    const after = (30 * RING_RATE_HZ) / 1000;
    const pcm = shaped(padded);
    expect(pcm).toHaveLength(before + (200 * RING_RATE_HZ) / 1000 + after);
    expect(peak(pcm.subarray(0, before - 20))).toBeLessThan(30);
    expect(peak(pcm.subarray(before, before + 40))).toBeGreaterThan(5000);
  });

  it('a quiet end of a word is not taken for silence', () => {
    const quiet = tone(100, { amplitude: 0.005 });
    const word = Float32Array.from([...tone(200, { amplitude: 0.5 }), ...quiet, ...new Float32Array(4800)]);
    expect(shaped(word).length).toBeGreaterThanOrEqual((300 * RING_RATE_HZ) / 1000);
  });

  it.each([
    ['nothing', new Float32Array(0)],
    ['silence', new Float32Array(2400)],
    ['inaudible noise', new Float32Array(2400).fill(1e-5)],
    ['not a number', new Float32Array(2400).fill(Number.NaN)],
    ['infinity', new Float32Array(2400).fill(Number.POSITIVE_INFINITY)],
  ])('%s gives no part', (_name, samples) => {
    expect(partsOf(shaperTo(RING_RATE_HZ), [samples])).toEqual([]);
    expect(partsOf(shaperTo(RING_RATE_HZ), [samples, samples, samples])).toEqual([]);
  });

  it.each([0.001, 0.1, 1, 2, 50])('peak stays below the ceiling at amplitude %f', (amplitude) => {
    const samples = tone(300, { amplitude });
    expect(peak(shaped(samples, voiceGain(samples, MODEL_RATE_HZ)))).toBeLessThanOrEqual(CEILING);
  });

  it('any samples in any chunks at any gain stay finite and below the ceiling', () => {
    const random = new SeededRandom(printedSeed('shaper'));
    const shaper = shaperTo(RING_RATE_HZ);
    for (let turn = 0; turn < 100; turn++) {
      const chunks = Array.from({ length: random.integer(1, 5) }, () => {
        const scale = 10 ** random.integer(-4, 6);
        return Float32Array.from({ length: random.integer(0, 3000) }, () =>
          random.isTrue(0.01) ? Number.NaN : (random.next() - 0.5) * scale,
        );
      });
      const parts = partsOf(shaper, chunks, 10 ** random.integer(-2, 2));
      expect(peak(joinedPcm(parts))).toBeLessThanOrEqual(CEILING);
      expect(parts.map(({ isLast }) => isLast)).toEqual(parts.map((_, i) => i === parts.length - 1));
    }
  });

  it('a voice is brought to the speech level, its pauses not counted', () => {
    const spoken = tone(500, { amplitude: 0.6 });
    const samples = new Float32Array(MODEL_RATE_HZ * 2);
    samples.set(spoken, 0);
    samples.set(spoken, MODEL_RATE_HZ * 1.5);
    const pcm = shaped(spoken, voiceGain(samples, MODEL_RATE_HZ));
    expect(rmsDb(pcm)).toBeGreaterThan(SPEECH_LEVEL_DBFS - 1);
    expect(rmsDb(pcm)).toBeLessThan(SPEECH_LEVEL_DBFS + 1);
  });

  it('the gain of silence is 1, of a whisper bounded', () => {
    expect(voiceGain(new Float32Array(1000), MODEL_RATE_HZ)).toBe(1);
    expect(voiceGain(new Float32Array(1000).fill(1e-3), MODEL_RATE_HZ)).toBeCloseTo(10 ** (12 / 20));
  });

  it('starts and ends with a fade', () => {
    const pcm = shaped(tone(300, { hz: 1000 }));
    const fadeSamples = (FADE_MS * RING_RATE_HZ) / 1000;
    const [head, middle] = [pcm.subarray(0, fadeSamples / 4), pcm.subarray(1000, 1040)];
    expect(peak(head)).toBeLessThan(peak(middle) / 3);
    expect(Math.abs(pcm.at(-1) as number)).toBeLessThan(peak(middle) / 20);
  });
});

describe('speech in chunks', () => {
  it('is what it would be at once, wherever it is cut and wherever it is silent', () => {
    const random = new SeededRandom(printedSeed('shaper chunks'));
    for (let turn = 0; turn < 200; turn++) {
      const stretches = Array.from({ length: random.integer(1, 9) }, () => {
        const ms = 5 * random.integer(1, 80);
        return random.isTrue(0.4)
          ? new Float32Array(ms * 24)
          : tone(ms, { hz: random.integer(100, 3000), amplitude: 0.3 });
      });
      const samples = Float32Array.from(stretches.flatMap((stretch) => [...stretch]));
      const edges = [0];
      while (edges.at(-1)! < samples.length) {
        const end = edges.at(-1)! + WINDOW_SAMPLES * random.integer(4, 100);
        edges.push(samples.length - end < 4 * WINDOW_SAMPLES ? samples.length : end);
      }
      const chunks = edges.slice(1).map((end, index) => samples.subarray(edges[index], end));
      const inChunks = joinedPcm(partsOf(shaperTo(RING_RATE_HZ), chunks));
      expect(inChunks, `cut at ${edges}`).toEqual(shaped(samples));
    }
  });

  it('holds silence back until something follows it', () => {
    const shaper = shaperTo(RING_RATE_HZ);
    shaper.begin(1);
    const speech = (part: ShapedPart | undefined) => (part?.pcm.length ?? 0) * RATIO;
    const [first] = shaper.add(Float32Array.from([...tone(100), ...new Float32Array(2400)]), false);
    expect(speech(first)).toBeLessThanOrEqual(2400);
    expect([...shaper.add(new Float32Array(2400), false)]).toEqual([]);
    const [second] = shaper.add(tone(100), false);
    expect(speech(second)).toBeGreaterThan(2 * 2400);
    const [last] = shaper.add(new Float32Array(24_000), true);
    expect(last?.isLast).toBe(true);
    expect(speech(last)).toBeLessThanOrEqual(40 * 24);
  });

  it('that grows too loud is turned down from there on, without a step', () => {
    const quiet = tone(100, { hz: 200, amplitude: 0.1 });
    const loud = tone(100, { hz: 200, amplitude: 4 });
    const shaper = shaperTo(RING_RATE_HZ);
    const pcm = joinedPcm(partsOf(shaper, [quiet, loud, quiet]));
    expect(peak(pcm)).toBeLessThanOrEqual(CEILING);
    const third = (index: number) => pcm.subarray(100 + index * 800, 700 + index * 800);
    expect(peak(third(0))).toBeGreaterThan(3 * peak(third(2)));
    const steepest = (samples: Int16Array) =>
      samples.reduce(
        (most, sample, i) => Math.max(most, i === 0 ? 0 : Math.abs(sample - samples[i - 1]!)),
        0,
      );
    expect(steepest(pcm)).toBeLessThanOrEqual(1.6 * steepest(third(1)));
  });
});
