/** Jitter buffer: order, loss, lateness, pauses, restarts, and how much it holds. */
import { describe, expect, test } from 'vitest';
import { type InsertVerdict, JitterBuffer, type TakeVerdict } from '../../src/rtp/jitter-buffer.ts';
import { RtpPacketView } from '../../src/rtp/packet.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

const OPTIONS = { clockRateHz: 8000, targetMinMs: 20, targetMaxMs: 60, capMs: 200 };

/** A buffer with a sender: packet `n` has sequence first + n, timestamp n * duration, and payload byte n. */
class Bench {
  readonly buffer = new JitterBuffer(OPTIONS);
  readonly #firstSequence: number;
  readonly #firstTimestamp: number;
  readonly #samples: number;
  readonly #view = new RtpPacketView();

  constructor({ firstSequence = 65_530, firstTimestamp = 0xfffffd00, ptimeMs = 20 } = {}) {
    this.#firstSequence = firstSequence;
    this.#firstTimestamp = firstTimestamp;
    this.#samples = ptimeMs * 8;
  }

  insert(n: number, { arrivalMs = n * 20, skippedSamples = 0, isAudio = true } = {}): InsertVerdict {
    const view = this.#view;
    view.bytes = new Uint8Array(this.#samples).fill(n & 0xff);
    view.payloadStart = 0;
    view.payloadEnd = this.#samples;
    view.sequence = (this.#firstSequence + n) & 0xffff;
    view.timestamp = (this.#firstTimestamp + n * this.#samples + skippedSamples) >>> 0;
    return this.buffer.insert(view, isAudio ? this.#samples : 0, arrivalMs);
  }

  /** One 20 ms tick, as words: p<byte> packet, l<samples> lost, g<samples> gap, e empty. */
  take(): string {
    this.buffer.beginTick(0, Number.POSITIVE_INFINITY, 0);
    const verdict: TakeVerdict = this.buffer.take(160);
    if (verdict === 'packet') return `p${this.buffer.takenPayload[0]}`;
    if (verdict === 'empty') return 'e';
    return `${verdict[0]}${this.buffer.takenSamples}`;
  }

  takes(count: number): string {
    return Array.from({ length: count }, () => this.take()).join(' ');
  }

  /** One packet in, one tick, for `count` packets from `first` on. */
  run(first: number, count: number): string {
    return Array.from({ length: count }, (_, index) => {
      this.insert(first + index);
      return this.take();
    }).join(' ');
  }
}

describe('jitter buffer', () => {
  test('in order, across the wrap of sequence and timestamp', () => {
    const bench = new Bench();
    expect(bench.run(0, 12)).toBe('p0 p1 p2 p3 p4 p5 p6 p7 p8 p9 p10 p11');
    expect(bench.buffer.lostPackets).toBe(0);
  });

  test('reordered packets are put back in order', () => {
    const bench = new Bench();
    for (const n of [0, 2, 1, 4, 3]) expect(bench.insert(n)).toBe('ok');
    expect(bench.takes(5)).toBe('p0 p1 p2 p3 p4');
  });

  test('a first packet that was overtaken is still played first', () => {
    const bench = new Bench();
    for (const n of [2, 0, 1]) expect(bench.insert(n)).toBe('ok');
    expect(bench.takes(3)).toBe('p0 p1 p2');
  });

  test('a missing packet is lost when later ones are here, and late when it comes after all', () => {
    const bench = new Bench();
    for (const n of [0, 1, 3]) bench.insert(n);
    expect(bench.takes(4)).toBe('p0 p1 l160 p3');
    expect(bench.insert(2)).toBe('late');
    expect(bench.buffer.lostPackets).toBe(1);
  });

  test('three lost packets stand for three packets of time', () => {
    const bench = new Bench();
    for (const n of [0, 4]) bench.insert(n);
    expect(bench.takes(5)).toBe('p0 l160 l160 l160 p4');
  });

  test('a second copy is a duplicate, before and after it was played', () => {
    const bench = new Bench();
    bench.insert(0);
    expect(bench.insert(0)).toBe('duplicate');
    bench.take();
    expect(bench.insert(0)).toBe('duplicate');
  });

  test('an empty buffer waits for a packet that is only slow', () => {
    const bench = new Bench();
    bench.insert(0);
    expect(bench.takes(3)).toBe('p0 e e');
    expect(bench.insert(1)).toBe('ok');
    expect(bench.take()).toBe('p1');
  });

  test('time that was already played as silence is not concealed a second time', () => {
    const bench = new Bench();
    bench.insert(0);
    expect(bench.takes(4)).toBe('p0 e e e');
    bench.insert(4);
    expect(bench.takes(2)).toBe('p4 e');
    expect(bench.buffer.lostPackets).toBe(3);
  });

  test('a pause of the sender that was not played as silence is a gap', () => {
    const bench = new Bench();
    bench.insert(0);
    bench.insert(1, { skippedSamples: 480 });
    expect(bench.takes(3)).toBe('p0 g480 p1');
  });

  test('a pause that was played as silence is no gap', () => {
    const bench = new Bench();
    bench.insert(0);
    expect(bench.takes(4)).toBe('p0 e e e');
    bench.insert(1, { skippedSamples: 480 });
    expect(bench.take()).toBe('p1');
  });

  test('a restarted timestamp is neither gap nor loss', () => {
    const bench = new Bench();
    bench.insert(0);
    bench.insert(1, { skippedSamples: 1_000_000 });
    bench.insert(2, { skippedSamples: -1_000_000 });
    expect(bench.takes(3)).toBe('p0 p1 p2');
  });

  test('packets without audio hold their place and take no time', () => {
    const bench = new Bench();
    bench.insert(0);
    bench.insert(1, { isAudio: false });
    bench.insert(2, { isAudio: false });
    bench.insert(3, { skippedSamples: -320 });
    expect(bench.takes(2)).toBe('p0 p3');
    expect(bench.buffer.lostPackets).toBe(0);
    expect(bench.buffer.levelSamples).toBe(0);
  });

  test.each([10, 20, 30, 40, 60])('packets of %i ms are accepted', (ptimeMs) => {
    const bench = new Bench({ ptimeMs });
    for (const n of [0, 2]) expect(bench.insert(n)).toBe('ok');
    expect(bench.takes(3)).toBe(`p0 l${ptimeMs * 8} p2`);
    expect(bench.buffer.takenPayloadBytes).toBe(ptimeMs * 8);
  });

  test('RFC 3550 A.1: a jump is believed after two packets in sequence', () => {
    const bench = new Bench();
    bench.run(0, 3);
    expect(bench.insert(500)).toBe('jump');
    expect(bench.insert(501)).toBe('ok');
    expect(bench.take()).toBe('p245');
    expect(bench.buffer.resyncs).toBe(1);
  });

  test('one stray packet from far away changes nothing', () => {
    const bench = new Bench();
    bench.run(0, 3);
    expect(bench.insert(20_000)).toBe('jump');
    expect(bench.run(3, 3)).toBe('p3 p4 p5');
    expect(bench.buffer.resyncs).toBe(0);
  });

  test('beyond the window while something is waiting; believed when nothing is', () => {
    const bench = new Bench();
    bench.insert(0);
    expect(bench.insert(70)).toBe('beyondWindow');
    expect(bench.takes(2)).toBe('p0 e');
    expect(bench.insert(71)).toBe('ok');
    expect(bench.take()).toBe('p71');
    expect(bench.buffer.lostPackets).toBe(70);
  });

  test('never holds more than the cap: the oldest goes', () => {
    const bench = new Bench();
    for (let n = 0; n < 15; n += 1) bench.insert(n);
    expect(bench.take()).toBe('p5');
    expect(bench.buffer.overflowPackets).toBe(5);
  });

  test('holds more than the cap while ticks are made up for', () => {
    const bench = new Bench();
    for (let n = 0; n < 15; n += 1) bench.insert(n);
    const played = Array.from({ length: 15 }, (_, tick) => {
      bench.buffer.beginTick(0, 300, (14 - tick) * 160);
      bench.buffer.take(160);
      return bench.buffer.takenPayload[0];
    });
    expect(played).toEqual(Array.from({ length: 15 }, (_, n) => n));
    expect(bench.buffer.overflowPackets).toBe(0);
  });

  test('a stream that begins just before a tick is played from the next one on, and is never short after that', () => {
    const bench = new Bench();
    const takeAt = (nowMs: number): TakeVerdict => {
      bench.buffer.beginTick(0, nowMs, 0);
      return bench.buffer.take(160);
    };
    bench.insert(0, { arrivalMs: 99 });
    expect(takeAt(100)).toBe('empty');
    bench.insert(1, { arrivalMs: 119 });
    expect(takeAt(120)).toBe('packet');
    // Late by more than the millisecond that the first packet had.
    expect(takeAt(140)).toBe('packet');
    bench.insert(2, { arrivalMs: 142 });
    expect(takeAt(160)).toBe('packet');
  });

  test('too large a packet is refused', () => {
    const bench = new Bench({ ptimeMs: 100 });
    expect(bench.insert(0)).toBe('tooLarge');
  });

  test('a reset starts a new stream anywhere', () => {
    const bench = new Bench();
    bench.run(0, 5);
    bench.buffer.reset();
    expect(bench.take()).toBe('e');
    expect(bench.insert(30_000)).toBe('ok');
    expect(bench.take()).toBe('p48');
  });

  test('the target grows with jitter, up to its maximum, and comes back', () => {
    const bench = new Bench();
    const random = new SeededRandom(7);
    for (let n = 0; n < 500; n += 1) bench.insert(n, { arrivalMs: n * 20 + random.integer(0, 50) });
    expect(bench.buffer.targetSamples).toBe(480);
    for (let n = 500; n < 4000; n += 1) {
      bench.insert(n);
      bench.take();
    }
    expect(bench.buffer.targetSamples).toBe(160);
  });

  test('a buffer that stays fuller than its target says so after a second', () => {
    const bench = new Bench();
    for (let n = 0; n < 4; n += 1) bench.insert(n);
    bench.run(4, 60);
    expect(bench.buffer.isTooFull).toBe(true);
    bench.buffer.leftOut();
    expect(bench.buffer.isTooFull).toBe(false);
  });

  test('seeded: under loss, duplicates and reordering the packets come out in order and time adds up', () => {
    const random = new SeededRandom(printedSeed('jitter buffer'));
    const bench = new Bench({ firstSequence: random.integer(0, 65_535) });
    const arrivals = Array.from({ length: 3000 }, (_, n) => ({ n, atMs: n * 20 + random.next() * 45 }))
      .filter(() => !random.isTrue(0.05))
      .flatMap((packet) => (random.isTrue(0.05) ? [packet, { ...packet, atMs: packet.atMs + 10 }] : [packet]))
      .sort((a, b) => a.atMs - b.atMs);
    const played: number[] = [];
    let producedSamples = 0;
    let next = 0;
    for (let tick = 1; tick <= 3010; tick += 1) {
      while (next < arrivals.length && arrivals[next]!.atMs <= tick * 20) {
        const { n, atMs } = arrivals[next]!;
        bench.insert(n, { arrivalMs: atMs });
        next += 1;
      }
      bench.buffer.beginTick(0, tick * 20, 0);
      while (producedSamples < tick * 160) {
        const verdict = bench.buffer.take(tick * 160 - producedSamples);
        if (verdict === 'packet') played.push(bench.buffer.takenPayload[0]!);
        producedSamples += verdict === 'empty' ? tick * 160 - producedSamples : bench.buffer.takenSamples;
      }
    }
    const unwrapped: number[] = [];
    for (const byte of played) {
      const before = unwrapped.at(-1) ?? -1;
      unwrapped.push(before + ((byte - before - 1) & 0xff) + 1);
    }
    expect(unwrapped.length).toBeGreaterThan(2700);
    expect(unwrapped.at(-1)).toBeGreaterThan(2980);
    expect(unwrapped.at(-1)).toBeLessThan(3000);
  });
});
