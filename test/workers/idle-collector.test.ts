/** Garbage collected while a thread has nothing to do: when, and that it is. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectingBetween, IdleCollector } from '../../src/workers/idle-collector.ts';

const MIB = 2 ** 20;

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
    heapBytes += MIB - 1;
    expect(quietAt(120_000)).toBe(1);
    heapBytes += 1;
    expect([quietAt(120_020), quietAt(180_000), quietAt(240_000)]).toEqual([1, 2, 2]);
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

describe('a thread of a pool', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('is quiet when no task has come for a while, never within one', async () => {
    const quiet = vi.fn();
    let finish = (): void => {};
    const task = (name: string): Promise<string> =>
      new Promise((resolve) => {
        finish = () => resolve(`did ${name}`);
      });
    const runTask = collectingBetween(task, { quiet });
    const first = runTask('one');
    vi.advanceTimersByTime(10_000);
    finish();
    expect(await first).toBe('did one');
    vi.advanceTimersByTime(199);
    const second = runTask('two');
    vi.advanceTimersByTime(10_000);
    expect(quiet).not.toHaveBeenCalled();
    finish();
    await second;
    vi.advanceTimersByTime(200);
    expect(quiet).toHaveBeenCalledOnce();
  });

  it('passes on what a task throws', async () => {
    const runTask = collectingBetween(() => Promise.reject(new Error('boom')), { quiet: vi.fn() });
    await expect(runTask('one')).rejects.toThrow('boom');
  });
});
