/** Live progress: drawn over on a terminal, a line now and then elsewhere; lines of calls stay. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { progressRows, RunTally, StressProgress } from '../../../src/cli/stress/stress-progress.ts';
import type { LoadSample } from '../../../src/stress/load-sample.ts';

const SAMPLE: LoadSample = {
  atS: 1,
  calls: 12,
  callsEnded: 3,
  cpuCores: 0.5,
  callerCores: 0.2,
  rssMiB: 700.4,
  mainLoopMs: 3,
  sendLatenessMs: 1,
  callerLoopMs: 2,
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function started(isTTY: boolean): { text: () => string; progress: StressProgress } {
  let written = '';
  const stream = { isTTY, write: (text: string) => (written += text) };
  return { text: () => written, progress: new StressProgress(stream, new RunTally(), () => SAMPLE) };
}

describe('progress', () => {
  it('has a row for what is known, and none for what is not', () => {
    const tally = new RunTally();
    expect(progressRows(tally, null).map(([name]) => name)).toEqual(['calls', 'goals met']);
    tally.waitsMs.push(500, 700);
    tally.ended = 3;
    expect(progressRows(tally, SAMPLE)).toContainEqual(['voice to voice', '500 ms p50, 700 ms p95, 2 turns']);
    expect(progressRows(tally, SAMPLE)[0]).toEqual(['calls', '12 up, 3 ended, 0 failed']);
  });

  it('tells how late the callers are where the runtime is not asked', () => {
    const callers = { atS: 1, callsEnded: 3, callerCores: 0.2, callerLoopMs: 2 };
    expect(progressRows(new RunTally(), callers).map(([name]) => name)).toEqual([
      'calls',
      'goals met',
      'callers',
    ]);
  });

  it('erases on a terminal exactly the lines that it drew, before each line that stays', () => {
    const { text, progress } = started(true);
    vi.advanceTimersByTime(1000);
    const drawn = text().split('\n').length - 1;
    expect(drawn).toBeGreaterThan(3);
    progress.line('call 1 ok');
    const erased = text().split('\u001b[1A').length - 1;
    expect(erased).toBe(drawn);
    expect(text().endsWith('call 1 ok\n')).toBe(true);
    progress.close();
    expect(text().split('\u001b[1A').length - 1).toBe(drawn);
  });

  it('writes one line in ten seconds elsewhere, without escapes', () => {
    const { text, progress } = started(false);
    vi.advanceTimersByTime(25_000);
    progress.close();
    expect(text().trim().split('\n')).toHaveLength(2);
    expect(text()).not.toContain('\u001b');
    vi.advanceTimersByTime(25_000);
    expect(text().trim().split('\n')).toHaveLength(2);
  });
});
