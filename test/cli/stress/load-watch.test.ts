/** The calling process is watched whoever is called: a target's figures mean little without its callers' own lateness. */
import { describe, expect, it, vi } from 'vitest';
import { LoadWatch } from '../../../src/cli/stress/load-watch.ts';
import { monotonicMs } from '../../../src/observability/clock.ts';

const BLOCKED_MS = 300;

describe('the watch of a run against somebody else', () => {
  it('tells how late and how busy the callers were, and nothing of the target', {
    timeout: 20_000,
  }, async () => {
    const watch = await LoadWatch.start(null, () => 3);
    await vi.waitFor(() => expect(watch.lastSample).not.toBeNull(), 10_000);
    const untilMs = monotonicMs() + BLOCKED_MS;
    while (monotonicMs() < untilMs); // the main loop is late by so much
    const isSeen = (): boolean => (watch.lastSample?.callerLoopMs ?? 0) > BLOCKED_MS / 2;
    await vi.waitFor(() => expect(isSeen()).toBe(true), { timeout: 10_000, interval: 100 });
    const { samples, runtime } = await watch.finish();
    expect(runtime).toBeNull();
    expect(samples.length).toBeGreaterThan(1);
    expect(Object.keys(samples[0] ?? {}).sort()).toEqual([
      'atS',
      'callerCores',
      'callerLoopMs',
      'callsEnded',
    ]);
    expect(samples[0]).toMatchObject({ callsEnded: 3 });
    expect(samples.some(({ callerCores }) => callerCores > 0)).toBe(true);
  });
});
