/** Garbage collected while a thread has nothing to do: when, and that it is. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectInQuietMoments, IdleCollector, IdleWatch } from '../../src/workers/idle-collector.ts';

const [KIB, MIB] = [2 ** 10, 2 ** 20];

describe('an idle collector', () => {
  it('collects when there is enough, once a minute at most', () => {
    let [nowMs, heapBytes, collections] = [0, 20 * MIB, 0];
    const collect = (): void => {
      collections += 1;
      heapBytes = 12 * MIB;
    };
    const collector = new IdleCollector({ nowMs: () => nowMs, heapBytes: () => heapBytes, collect });
    const quietAt = (atMs: number): number => {
      nowMs = atMs;
      collector.quiet();
      return collections;
    };
    expect([quietAt(0), quietAt(59_999)]).toEqual([0, 0]);
    expect([quietAt(60_000), quietAt(60_020)]).toEqual([1, 1]);
    heapBytes += 256 * KIB - 1;
    expect(quietAt(120_000)).toBe(1);
    heapBytes += 1;
    expect([quietAt(120_020), quietAt(180_000), quietAt(240_000)]).toEqual([1, 2, 2]);
  });

  it('gives memory back at each look, after what it collects', () => {
    let [nowMs, heapBytes] = [0, 20 * MIB];
    const done: string[] = [];
    const collector = new IdleCollector({
      nowMs: () => nowMs,
      heapBytes: () => heapBytes,
      collect: () => {
        heapBytes = 12 * MIB;
        done.push('collect');
      },
      release: () => done.push('release'),
    });
    for (nowMs of [0, 60_000, 60_020, 120_000]) collector.quiet();
    expect(done).toEqual(['collect', 'release', 'release']);
  });

  it('frees what only garbage holds', () => {
    let nowMs = 0;
    const collector = new IdleCollector({ nowMs: () => nowMs });
    const garbage = new WeakRef({ list: Array.from({ length: 100_000 }, (_, i) => ({ i })) });
    nowMs = 60_000;
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      collector.quiet();
      expect(garbage.deref()).toBeUndefined();
    });
  });
});

describe('an idle watch', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('is quiet when no work has come for a while, never within any', async () => {
    const quiet = vi.fn();
    const watch = new IdleWatch({ quiet });
    const finish: (() => void)[] = [];
    const begin = (name: string): Promise<string> =>
      watch.during(() => new Promise((resolve) => finish.push(() => resolve(`did ${name}`))));
    const [first, second] = [begin('one'), begin('two')];
    expect(watch.running).toBe(2);
    finish[0]!();
    expect(await first).toBe('did one');
    vi.advanceTimersByTime(10_000);
    finish[1]!();
    await second;
    expect(watch.running).toBe(0);
    vi.advanceTimersByTime(199);
    const third = begin('three');
    vi.advanceTimersByTime(10_000);
    expect(quiet).not.toHaveBeenCalled();
    finish[2]!();
    await third;
    vi.advanceTimersByTime(200);
    expect(quiet).toHaveBeenCalledOnce();
  });

  it('passes on what the work throws, and is idle again', async () => {
    const watch = new IdleWatch({ quiet: vi.fn() });
    await expect(watch.during(() => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    expect(watch.running).toBe(0);
  });
});

describe('quiet moments of a thread', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('are those in which hardly anything was done, until it is ended', () => {
    const quiet = vi.fn();
    let share = 0.5;
    const utilization = () => ({ idle: 0, active: 0, utilization: share });
    const end = collectInQuietMoments({ quiet }, utilization);
    vi.advanceTimersByTime(1000);
    expect(quiet).not.toHaveBeenCalled();
    share = 0.01;
    vi.advanceTimersByTime(200);
    expect(quiet).toHaveBeenCalledOnce();
    share = 0.02;
    vi.advanceTimersByTime(1000);
    share = 0.01;
    end();
    vi.advanceTimersByTime(1000);
    expect(quiet).toHaveBeenCalledOnce();
  });
});
