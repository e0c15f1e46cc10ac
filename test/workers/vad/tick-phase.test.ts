/** The VAD's ticks settle right behind the writer's, wherever both began, and stay there. */
import { describe, expect, test } from 'vitest';
import { TickPhase } from '../../../src/workers/vad/tick-phase.ts';

const TICK_MS = 20;

/** Ticks for `forMs` against a writer that writes at writerMs + n * 20. @returns how late each look came, in order */
function lagsOf(phase: TickPhase, writerMs: number, forMs: number, stalledTick = -1) {
  const lags: number[] = [];
  let [seen, ticks] = [Number.NEGATIVE_INFINITY, 0];
  while (phase.dueMs < forMs) {
    const now = phase.dueMs;
    const written = Math.floor((now - writerMs) / TICK_MS);
    const hasGrown = written > seen;
    if (hasGrown) lags.push(now - (writerMs + written * TICK_MS));
    seen = Math.max(seen, written);
    ticks += 1;
    phase.ticked(hasGrown, ticks === stalledTick ? now + 130 : now + 0.1);
  }
  return { lags, ticks };
}

describe('the phase of the ticks', () => {
  test.each([0, 3, 7.3, 11, 19.9])(
    'settles within 1.5 ms behind a writer that began at %d ms',
    (writerMs) => {
      const { lags, ticks } = lagsOf(new TickPhase(TICK_MS, 0), writerMs, 10_000);
      expect(Math.max(...lags.slice(-300))).toBeLessThanOrEqual(1.5);
      // The looks that came too early are few.
      expect(ticks).toBeLessThan(1.35 * (10_000 / TICK_MS));
    },
  );

  test('finds back after a stall', () => {
    const { lags } = lagsOf(new TickPhase(TICK_MS, 0), 5, 10_000, 200);
    expect(Math.max(...lags.slice(-300))).toBeLessThanOrEqual(1.5);
  });

  test('looks as seldom as before where nobody writes', () => {
    const phase = new TickPhase(TICK_MS, 0);
    let ticks = 0;
    for (; phase.dueMs < 10_000; ticks += 1) phase.ticked(false, phase.dueMs);
    expect(ticks).toBeLessThanOrEqual(5 * (10_000 / TICK_MS));
    expect(ticks).toBeGreaterThan(10_000 / TICK_MS);
  });
});
