/** Chunks: no further ahead than a listener can hold, numbered for ever, sent again exactly where they may be missed. */
import { describe, expect, it } from 'vitest';
import { ChunkFilter } from '../../../src/control-plane/calls/chunk-filter.ts';
import { type Chunk, SentChunks } from '../../../src/control-plane/services/sent-chunks.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

const RATE_HZ = 24_000;
/** 40 ms of float32. */
const CHUNK_BYTES = 3840;

function chunk(fill: number): Uint8Array {
  return new Uint8Array(CHUNK_BYTES).fill(fill);
}

describe('chunks on their way', () => {
  it('run five seconds ahead of real time at the most', () => {
    let nowMs = 0;
    const chunks = new SentChunks({ rateHz: RATE_HZ, nowMs: () => nowMs });
    for (let i = 0; i < 500; i++) chunks.add(chunk(i));
    let sent = 0;
    const drain = (): number => {
      for (; chunks.next() !== null; sent++);
      return sent;
    };
    expect(drain()).toBe(126);
    expect(chunks.waitMs).toBeGreaterThan(0);
    nowMs += chunks.waitMs;
    expect(drain()).toBe(127);
    nowMs = 4000;
    expect(drain() * 40).toBeLessThanOrEqual(nowMs + 5040);
    expect(drain() * 40).toBeGreaterThanOrEqual(nowMs + 4960);
  });

  it('are kept until they must have been read, and unplayed ones only count for a new listener', () => {
    let nowMs = 0;
    const chunks = new SentChunks({ rateHz: RATE_HZ, nowMs: () => nowMs });
    for (let i = 0; i < 50; i++) chunks.add(chunk(i));
    while (chunks.next() !== null);
    nowMs = 1000;
    expect(chunks.unread().map(({ chunkId }) => chunkId)).toEqual(
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    expect(chunks.unplayed().map(({ chunkId }) => chunkId)).toEqual(
      Array.from({ length: 25 }, (_, i) => i + 26),
    );
    nowMs = 22_500;
    expect(chunks.unread()).toEqual([]);
  });

  it('are bounded: when nobody ever comes, the oldest are lost, and told of', () => {
    const chunks = new SentChunks({ rateHz: RATE_HZ, nowMs: () => 0 });
    const megabyte = new Uint8Array(1024 * 1024);
    const lost = Array.from({ length: 20 }, () => chunks.add(megabyte)).filter((isLost) => isLost);
    expect(lost).toHaveLength(8);
    expect(chunks.lastId).toBe(20);
    expect(chunks.next()?.chunkId).toBe(9);
  });
});

describe('chunks as they arrive', () => {
  it('are news when their number grows, and not when they are sent again', () => {
    const filter = new ChunkFilter();
    expect([1, 2, 3].map((id) => filter.accepts(id, chunk(id)))).toEqual([true, true, true]);
    expect([1, 2, 3].map((id) => filter.accepts(id, chunk(id)))).toEqual([false, false, false]);
    expect(filter.accepts(7, chunk(7))).toBe(true);
  });

  it('are news when a speaker has lost its count', () => {
    const filter = new ChunkFilter();
    for (let id = 1; id <= 5; id++) filter.accepts(id, chunk(id));
    expect(filter.accepts(1, chunk(99))).toBe(true);
    expect(filter.accepts(1, chunk(99))).toBe(false);
    expect(filter.accepts(2, chunk(98))).toBe(true);
  });

  it('are each played once, in order, through any number of lost connections', () => {
    const random = new SeededRandom(printedSeed('chunks'));
    for (let round = 0; round < 200; round++) {
      const line = new Line();
      for (let made = 0; made < 120; ) {
        if (random.next() < 0.5) line.chunks.add(chunk(++made));
        line.send();
        if (random.next() < 0.6) line.read(Math.floor(random.next() * 6));
        if (random.next() < 0.1) line.loseConnection();
        line.nowMs += random.next() * 40;
      }
      line.loseConnection();
      line.nowMs += 10_000;
      line.send();
      line.read(Number.POSITIVE_INFINITY);
      expect(line.played).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
    }
  });
});

/** A sender, bytes on their way, and a receiver that outlives its connections. */
class Line {
  nowMs = 0;
  readonly chunks = new SentChunks({ rateHz: RATE_HZ, nowMs: () => this.nowMs });
  readonly played: number[] = [];
  readonly #filter = new ChunkFilter();
  #onTheirWay: Chunk[] = [];

  send(): void {
    for (let next = this.chunks.next(); next !== null; next = this.chunks.next()) this.#onTheirWay.push(next);
  }

  read(count: number): void {
    for (const { chunkId, bytes } of this.#onTheirWay.splice(0, count)) {
      if (this.#filter.accepts(chunkId, bytes)) this.played.push(chunkId);
    }
  }

  /** What was not read is gone; the next connection begins with what may be missing. */
  loseConnection(): void {
    this.#onTheirWay = [...this.chunks.unread()];
  }
}
