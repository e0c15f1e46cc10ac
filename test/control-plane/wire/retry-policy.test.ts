/** Delays between attempts: the earlier system's first, then ever longer, with jitter. */
import { describe, expect, it } from 'vitest';
import { beatAfterMs, delayAfterMs, type RetryPolicy } from '../../../src/control-plane/wire/retry-policy.ts';

const POLICY: RetryPolicy = {
  fastAttempts: 5,
  fastMs: 200,
  slowAttempts: 4,
  slowMs: 1000,
  backoffFactor: 2,
  maxMs: 5000,
  jitter: 0.2,
  maxAttempts: 0,
};
const MIDDLE = 0.5;

function delays(policy: RetryPolicy, attempts: number, random = MIDDLE): (number | null)[] {
  return Array.from({ length: attempts }, (_, i) => delayAfterMs(policy, i + 1, random));
}

describe('delays between attempts', () => {
  it('are those of the earlier system for its ten attempts, at most 5 s in all', () => {
    const earlier = delays({ ...POLICY, maxAttempts: 10 }, 10);
    expect(earlier).toEqual([200, 200, 200, 200, 200, 1000, 1000, 1000, 1000, null]);
    expect(earlier.reduce<number>((sum, ms) => sum + (ms ?? 0), 0)).toBeLessThanOrEqual(5000);
  });

  it('back off beyond them, up to a limit, and never end', () => {
    expect(delays(POLICY, 13).slice(9)).toEqual([2000, 4000, 5000, 5000]);
    expect(delayAfterMs(POLICY, 1_000_000, MIDDLE)).toBe(5000);
  });

  it('are spread by jitter once they back off, and only then', () => {
    expect(delayAfterMs(POLICY, 3, 0)).toBe(200);
    expect(delayAfterMs(POLICY, 7, 1)).toBe(1000);
    expect(delayAfterMs(POLICY, 10, 0)).toBe(1600);
    expect(delayAfterMs(POLICY, 10, 1)).toBe(2400);
  });
});

describe('the beat of REGISTER', () => {
  const BEAT = { fastMs: 200, fastForMs: 1000, slowMs: 1000, backoffFactor: 2, maxMs: 1000, jitter: 0.2 };

  it('is five in the first second, then one each second', () => {
    expect([0, 200, 400, 600, 800, 999].map((ms) => beatAfterMs(BEAT, ms, 0, 0))).toEqual(Array(6).fill(200));
    expect([1000, 2000, 60_000].map((ms, beats) => beatAfterMs(BEAT, ms, beats, 0))).toEqual(
      Array(3).fill(1000),
    );
  });

  it('slows down where it is told to', () => {
    const slowing = { ...BEAT, maxMs: 6000 };
    expect([0, 1, 2, 3, 9].map((beats) => beatAfterMs(slowing, 5000, beats, MIDDLE))).toEqual([
      1000, 2000, 4000, 6000, 6000,
    ]);
  });

  it('is spread by jitter once it slows down, and only then', () => {
    const slowing = { ...BEAT, maxMs: 6000 };
    expect([0, 1].map((beats) => beatAfterMs(slowing, 5000, beats, 1))).toEqual([1000, 2400]);
  });
});
