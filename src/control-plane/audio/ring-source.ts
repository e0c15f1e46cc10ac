/** Audio out of one call's ring in chunks of a fixed length. Thread: wire audio. Never waits. */
import type { RingHandle } from '../../ring-buffers/layout.ts';
import { RingController, RingReader } from '../../ring-buffers/ring.ts';

export class RingSource {
  readonly #controller: RingController;
  readonly #reader: RingReader;
  readonly #chunkSamples: number;
  /** Whether someone writes: then an incomplete chunk is waited for, once. */
  isActive = false;
  /** What was there at the last look, and was too little. */
  #leftSamples = 0;

  constructor(ring: RingHandle, chunkSamples: number) {
    this.#controller = new RingController(ring);
    this.#reader = new RingReader(ring);
    this.#chunkSamples = chunkSamples;
  }

  /**
   * The next chunk; null when there is none, or not a whole one while someone writes. A piece that does not grow from one
   * look to the next is given as it is: samples left in a ring make its writer seem less urgent than one whose ring is
   * empty, and it would wait for ever behind many of those.
   */
  take(): Int16Array | null {
    const playable = this.#controller.playableSamples;
    const length = Math.min(playable, this.#chunkSamples);
    const isWhole = length === this.#chunkSamples || !this.isActive || length === this.#leftSamples;
    this.#leftSamples = isWhole ? 0 : length;
    if (length === 0 || !isWhole) return null;
    const chunk = new Int16Array(length);
    this.#reader.read(chunk);
    return chunk;
  }
}
