/** Playout schedule and lateness histogram, without waiting; the clock's drift on the real timer. */
import { describe, expect, test } from 'vitest';
import { LatenessHistogram } from '../../src/media/lateness-histogram.ts';
import { CATCH_UP_TICKS, PlayoutClock, PlayoutSchedule } from '../../src/media/playout-clock.ts';

describe('playout schedule', () => {
  test('in time: one tick each, on the absolute schedule', () => {
    const schedule = new PlayoutSchedule(1000);
    for (let tick = 1; tick <= 1000; tick += 1) {
      const beat = schedule.takeBeat(schedule.nextDueMs + (tick % 19));
      expect(beat).toEqual({ dueMs: 1000 + tick * 20, ticks: 1, sends: 1 });
    }
    expect(schedule.nextDueMs).toBe(1000 + 1001 * 20);
  });

  test('a short stall is made up for at once', () => {
    const schedule = new PlayoutSchedule(0);
    expect(schedule.takeBeat(20 + 45)).toEqual({ dueMs: 60, ticks: 3, sends: 3 });
    expect(schedule.nextDueMs).toBe(80);
    expect(schedule.ticksCaughtUp).toBe(2);
  });

  test('a long stall is skipped: all its frames are played, only the newest is sent', () => {
    const schedule = new PlayoutSchedule(0);
    expect(schedule.takeBeat(20 + CATCH_UP_TICKS * 20)).toEqual({ dueMs: 80, ticks: 4, sends: 1 });
    expect(schedule.takeBeat(10_100)).toMatchObject({ dueMs: 10_100, ticks: 501, sends: 1 });
    expect(schedule.nextDueMs).toBe(10_120);
    expect(schedule.ticksSkipped).toBe(3 + 500);
    expect(schedule.ticksRun).toBe(505);
  });

  test('a tick that is early counts as one', () => {
    expect(new PlayoutSchedule(0).takeBeat(19)).toEqual({ dueMs: 20, ticks: 1, sends: 1 });
  });
});

/** Of sums of fractions. */
const ROUNDING_MS = 0.001;

test('playout clock: no drift on a real timer', async () => {
  const beforeMs = performance.now();
  let startedMs = Number.NaN;
  let ticks = 0;
  const lastDueMs = await new Promise<number>((resolve) => {
    const clock = new PlayoutClock({
      nowMs: () => performance.now(),
      onBeat: (beat) => {
        ticks += beat.ticks;
        if (ticks < 50) return;
        clock.stop();
        resolve(beat.dueMs);
      },
    });
    startedMs = performance.now();
  });
  expect(lastDueMs).toBeGreaterThanOrEqual(beforeMs + ticks * 20 - ROUNDING_MS);
  expect(lastDueMs).toBeLessThanOrEqual(startedMs + ticks * 20 + ROUNDING_MS);
});

describe('lateness histogram', () => {
  test('percentiles are right to their bucket, the maximum exactly', () => {
    const histogram = new LatenessHistogram();
    for (let n = 1; n <= 1000; n += 1) histogram.add(n / 100);
    expect(histogram.summary()).toMatchObject({ max: 10, count: 1000 });
    expect(histogram.summary().p50).toBeCloseTo(5, 0);
    expect(histogram.summary().p99).toBeCloseTo(9.9, 0);
  });

  test.each([-1, 0, 0.05, 9.99, 10, 99.9, 100, 999, 1000, 1e6])('%f ms has a bucket', (latenessMs) => {
    const histogram = new LatenessHistogram();
    histogram.add(latenessMs);
    expect(histogram.summary()).toMatchObject({ count: 1, max: Math.max(0, latenessMs) });
    expect(histogram.summary().p99).toBeLessThanOrEqual(Math.max(0.1, latenessMs));
  });

  test('empty, and merged', () => {
    const all = new LatenessHistogram();
    expect(all.summary()).toEqual({ p50: 0, p99: 0, max: 0, count: 0 });
    const one = new LatenessHistogram();
    one.add(3);
    all.merge(one);
    all.merge(one);
    expect(all.summary()).toMatchObject({ count: 2, max: 3 });
  });
});
