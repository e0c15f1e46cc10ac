/** Positions run on for ever in 32 bits. */
import { describe, expect, it } from 'vitest';
import { advance, distance, isBefore, signedDistance } from '../../src/ring-buffers/position.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

describe('positions', () => {
  it('advance across 2^32 and back', () => {
    expect(advance(2 ** 32 - 1, 1)).toBe(0);
    expect(advance(0, -1)).toBe(2 ** 32 - 1);
    expect(advance(2 ** 32 - 160, 320)).toBe(160);
  });

  it('are so many samples apart across 2^32', () => {
    expect(distance(2 ** 32 - 10, 10)).toBe(20);
    expect(signedDistance(2 ** 32 - 10, 10)).toBe(20);
    expect(signedDistance(10, 2 ** 32 - 10)).toBe(-20);
  });

  it('are before one another within half the circle', () => {
    expect(isBefore(2 ** 32 - 1, 0)).toBe(true);
    expect(isBefore(0, 2 ** 32 - 1)).toBe(false);
    expect(isBefore(5, 5)).toBe(false);
  });

  it('distance undoes advance', () => {
    const random = new SeededRandom(printedSeed('positions'));
    for (let i = 0; i < 10_000; i++) {
      const from = random.integer(0, 2 ** 32 - 1);
      const samples = random.integer(-(2 ** 31), 2 ** 31 - 1);
      expect(signedDistance(from, advance(from, samples))).toBe(samples);
      expect(distance(from, advance(from, samples))).toBe(samples >>> 0);
    }
  });
});
