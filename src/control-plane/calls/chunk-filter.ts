/**
 * Tells chunks that are news from chunks that were sent again after a reconnect. An id that is not above the last one
 * is a repetition when its audio is the one of that id; else the sender has lost its count (one of the earlier
 * system's speakers begins at 1 again), and what it says is news. Thread: main. Pure.
 */
import { crc32 } from 'node:zlib';

/** Chunks whose audio is remembered, by id: 20 s of 40 ms chunks. */
const REMEMBERED = 512;

export class ChunkFilter {
  readonly #sums = new Map<number, number>();
  #lastId = 0;

  /** Whether a chunk is to be played. */
  accepts(chunkId: number, bytes: Uint8Array): boolean {
    const sum = crc32(bytes);
    if (chunkId <= this.#lastId && this.#isRepetition(chunkId, sum)) return false;
    if (chunkId <= this.#lastId) this.#sums.clear();
    this.#lastId = chunkId;
    this.#sums.delete(chunkId);
    this.#sums.set(chunkId, sum);
    if (this.#sums.size > REMEMBERED) this.#sums.delete(this.#sums.keys().next().value as number);
    return true;
  }

  /** An id too old to be remembered can only have been sent again. */
  #isRepetition(chunkId: number, sum: number): boolean {
    const known = this.#sums.get(chunkId);
    return known === undefined ? this.#sums.size >= REMEMBERED : known === sum;
  }
}
