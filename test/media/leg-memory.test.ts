/** Memory that legs use one after another: nothing of one call is heard, known or told in the next. */
import { describe, expect, it } from 'vitest';
import { LegMemoryStore } from '../../src/media/leg-memory.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { LegBench } from './leg-bench.ts';

/** A call whose packets come in bursts or are lost; it ends in a loss, with packets that nobody played. */
function talk(bench: LegBench, random: SeededRandom, byte: number): void {
  for (let n = 0; n < 100; n += 1) {
    const packets = Math.floor(random.next() * 3);
    for (let i = 0; i < packets; i += 1) {
      if (random.next() < 0.1) bench.peer.next(0, false, 160);
      bench.packet(byte);
    }
    bench.tick();
  }
  bench.tick(20);
  for (let n = 0; n < 5; n += 1) bench.packet(byte);
}

describe('leg memory', () => {
  it('goes from a leg that is over to the next, and makes no difference to it', () => {
    const seed = printedSeed('leg memory');
    const store = new LegMemoryStore();
    const first = new LegBench({ memory: store.take() }).start();
    talk(first, new SeededRandom(seed), 0x10);
    store.giveBack(first.leg.memory);
    const next = new LegBench({ memory: store.take() }).start();
    expect(next.leg.memory).toBe(first.leg.memory);
    const withNew = new LegBench().start();
    for (const bench of [next, withNew]) {
      bench.tick(10);
      talk(bench, new SeededRandom(seed + 1), 0x7a);
    }
    expect(next.heard()).toEqual(withNew.heard());
    expect(next.leg.uplink.clock.recent()).toEqual(withNew.leg.uplink.clock.recent());
    expect(next.leg.uplink.drops).toEqual(withNew.leg.uplink.drops);
    expect(next.leg.uplink.statistics).toEqual(withNew.leg.uplink.statistics);
    expect(next.leg.lateness.counts()).toEqual(withNew.leg.lateness.counts());
    expect(next.ports.sent).toEqual(withNew.ports.sent);
  });

  it('holds no sample of the leg before once the next has begun', () => {
    const store = new LegMemoryStore();
    const first = new LegBench({ memory: store.take() }).start();
    talk(first, new SeededRandom(1), 0x10);
    expect(first.leg.memory.slots.some(({ payload }) => payload.includes(0x10))).toBe(true);
    store.giveBack(first.leg.memory);
    const { slots } = new LegBench({ memory: store.take() }).leg.memory;
    expect(slots.every(({ payload, sequence }) => sequence === -1 && payload.every((b) => b === 0))).toBe(
      true,
    );
  });

  it('is of one leg at a time, and no more is kept than there were at once', () => {
    const store = new LegMemoryStore();
    const taken = [store.take(), store.take(), store.take()];
    expect(new Set(taken.map(({ piece }) => piece.buffer)).size).toBe(3);
    expect(new Set(taken.map(({ slots }) => slots[0]!.payload.buffer)).size).toBe(3);
    for (const memory of taken) store.giveBack(memory);
    expect(store.spare).toBe(3);
    store.take();
    expect(store.spare).toBe(2);
  });
});
