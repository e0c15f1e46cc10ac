/** Lanes: never more calls than lanes, begun evenly, followed by others, and told how the load came, stayed and went. */
import { describe, expect, it } from 'vitest';
import { type LaneClock, type LaneOptions, type LaneTimes, runLanes } from '../../src/caller/call-lanes.ts';

/** Time that passes when everybody sleeps, to the next who wakes. */
class SleepersClock implements LaneClock {
  #nowMs = 0;
  readonly #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  readonly nowMs = (): number => this.#nowMs;

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => this.#sleepers.push({ atMs: this.#nowMs + ms, wake }));

  /** Lets time pass until nobody sleeps. */
  async runOut(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#sleepers.sort((a, b) => a.atMs - b.atMs);
      const next = this.#sleepers.shift();
      if (next === undefined) return;
      this.#nowMs = next.atMs;
      next.wake();
    }
  }
}

interface Ran {
  readonly times: LaneTimes;
  readonly beganAtMs: readonly number[];
  readonly most: number;
}

async function run(options: LaneOptions<number>, callMs: number): Promise<Ran> {
  const clock = new SleepersClock();
  const beganAtMs: number[] = [];
  let [up, most] = [0, 0];
  const running = runLanes({ ...options, clock }, async () => {
    beganAtMs.push(Math.round(clock.nowMs()));
    up += 1;
    most = Math.max(most, up);
    await clock.sleep(callMs);
    up -= 1;
  });
  await clock.runOut();
  return { times: await running, beganAtMs, most };
}

describe('lanes', () => {
  it('begin evenly, up to as many as there are, and go on when one ends', async () => {
    const items = [1, 2, 3, 4, 5];
    const { beganAtMs, most, times } = await run({ items, concurrent: 3, callsPerS: 10 }, 1000);
    expect(beganAtMs).toEqual([0, 100, 200, 1000, 1100]);
    expect(most).toBe(3);
    expect(times.peakConcurrent).toBe(3);
  });

  it('begin none after their time', async () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    const { beganAtMs } = await run({ items, concurrent: 2, callsPerS: 10, beginWithinMs: 2500 }, 1000);
    expect(Math.max(...beganAtMs)).toBeLessThanOrEqual(2500);
    expect(beganAtMs.length).toBe(6);
  });

  it('tell when the load was up, began to go and was gone', async () => {
    const { times } = await run({ items: [1, 2, 3, 4], concurrent: 4, callsPerS: 2 }, 3000);
    const since = (ms: number): number => Math.round(ms - times.startedAtMs);
    expect([times.fullAtMs, times.drainingAtMs, times.endedAtMs].map(since)).toEqual([1500, 3000, 4500]);
  });

  it('end the others before a fault is thrown', async () => {
    const clock = new SleepersClock();
    let ended = 0;
    const running = runLanes({ items: [1, 2], concurrent: 2, callsPerS: 1000, clock }, async (item) => {
      await clock.sleep(item * 100);
      if (item === 1) throw new Error('broken');
      ended += 1;
    });
    const outcome = expect(running).rejects.toThrow('broken');
    await clock.runOut();
    await outcome;
    expect(ended).toBe(1);
  });
});
