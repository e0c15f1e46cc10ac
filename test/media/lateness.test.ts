/** Histograms of lateness: percentiles, counts, and the last whole second apart from all before. */
import { describe, expect, test } from 'vitest';
import { LatenessHistogram } from '../../src/media/lateness-histogram.ts';
import { RecentLateness } from '../../src/media/recent-lateness.ts';

describe('a lateness histogram', () => {
  test('tells any percentile as the upper edge of its bucket, and what each bucket holds', () => {
    const histogram = new LatenessHistogram();
    for (const ms of [-1, 0.05, 0.05, 5.55, 50.5]) histogram.add(ms);
    expect(histogram.summary()).toEqual({ p50: 0.1, p99: 50.5, max: 50.5, count: 5 });
    expect(histogram.quantile(0.75)).toBeCloseTo(5.6, 9);
    const counts = histogram.counts();
    expect(counts.map(([, count]) => count)).toEqual([3, 1, 1]);
    expect(counts.at(-1)?.[0]).toBe(50.5);
  });

  test('forgets everything when it is cleared', () => {
    const histogram = new LatenessHistogram();
    histogram.add(2000);
    histogram.clear();
    expect(histogram.summary()).toEqual({ p50: 0, p99: 0, max: 0, count: 0 });
    expect(histogram.counts()).toEqual([]);
  });
});

describe('recent lateness', () => {
  test('is that of the last whole second, whatever was before or has come since', () => {
    const recent = new RecentLateness();
    recent.add(900);
    expect(recent.summary().count).toBe(0);
    recent.rotate();
    recent.add(1);
    expect(recent.summary()).toMatchObject({ max: 900, count: 1 });
    recent.rotate();
    expect(recent.summary()).toMatchObject({ max: 1, count: 1 });
    recent.rotate();
    expect(recent.summary()).toMatchObject({ max: 0, count: 0 });
  });
});
