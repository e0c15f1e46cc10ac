/** Audio out of one call's ring in chunks of a fixed length. Thread: wire audio. Never waits. */
import type { RingHandle } from '../../ring-buffers/layout.ts';
import { RingController, RingReader } from '../../ring-buffers/ring.ts';

export class RingSource {
  readonly #controller: RingController;
  readonly #reader: RingReader;
  readonly #chunkSamples: number;
  /** Whether someone writes: then an incomplete chunk is waited for. */
  isActive = false;

  constructor(ring: RingHandle, chunkSamples: number) {
    this.#controller = new RingController(ring);
    this.#reader = new RingReader(ring);
    this.#chunkSamples = chunkSamples;
  }

  /** The next chunk; null when there is none, or not a whole one while someone writes. */
  take(): Int16Array | null {
    const playable = this.#controller.playableSamples;
    const length = Math.min(playable, this.#chunkSamples);
    if (length === 0 || (this.isActive && length < this.#chunkSamples)) return null;
    const chunk = new Int16Array(length);
    this.#reader.read(chunk);
    return chunk;
  }
}
