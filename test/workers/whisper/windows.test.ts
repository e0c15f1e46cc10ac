/** Cutting what is longer than Whisper's window. */
import { expect, it } from 'vitest';
import { cutIntoWindows, trimQuietEnds } from '../../../src/workers/whisper/windows.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

const WINDOW_SAMPLES = 160_000;

it('leaves what fits whole', () => {
  expect(cutIntoWindows(new Float32Array(0), WINDOW_SAMPLES)).toEqual([]);
  expect(cutIntoWindows(new Float32Array(WINDOW_SAMPLES), WINDOW_SAMPLES)).toHaveLength(1);
});

it('cuts in the pause', () => {
  const samples = new Float32Array(200_000).fill(0.5);
  samples.fill(0.001, 130_000, 134_000);
  const [first] = cutIntoWindows(samples, WINDOW_SAMPLES);
  expect(first!.length).toBeGreaterThan(130_000);
  expect(first!.length).toBeLessThan(134_000);
});

it('loses, repeats and oversteps nothing', () => {
  const random = new SeededRandom(printedSeed('windows'));
  for (let round = 0; round < 20; round++) {
    const samples = Float32Array.from({ length: random.integer(1, 600_000) }, () => random.next() - 0.5);
    const windows = cutIntoWindows(samples, WINDOW_SAMPLES);
    expect(Math.max(...windows.map((window) => window.length))).toBeLessThanOrEqual(WINDOW_SAMPLES);
    expect(windows.reduce((sum, window) => sum + window.length, 0)).toBe(samples.length);
    let offset = 0;
    for (const window of windows) {
      expect(window.byteOffset).toBe(offset * 4);
      offset += window.length;
    }
  }
});

it('leaves out long quiet around the words, and keeps 200 ms of it', () => {
  const samples = new Float32Array(64_000).fill(0.0005);
  samples.fill(0.2, 32_000, 40_000);
  const trimmed = trimQuietEnds(samples);
  expect(trimmed.byteOffset / 4).toBe(32_000 - 3200);
  expect(trimmed.length).toBe(8000 + 2 * 3200);
});

it('leaves whole what has no quiet ends', () => {
  const noise = new Float32Array(20_000).fill(0.01);
  expect(trimQuietEnds(noise)).toHaveLength(20_000);
  expect(trimQuietEnds(new Float32Array(5000))).toHaveLength(5000);
  expect(trimQuietEnds(new Float32Array(0))).toHaveLength(0);
});
