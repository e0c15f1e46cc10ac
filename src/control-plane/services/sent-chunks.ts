/**
 * Chunks that may not have reached their listener: numbered once and for ever, kept until they must have been heard,
 * and sent again after a reconnect. The receiver drops ids that it has seen, so nothing is lost and nothing repeated.
 * Thread: main. Pure but for the clock that is passed in.
 */

export interface Chunk {
  readonly chunkId: number;
  readonly bytes: Uint8Array;
}

interface KeptChunk extends Chunk {
  /** When its last sample has been played at the earliest, if playing began when it was sent. */
  readonly playedAtMs: number;
}

export interface SentChunksOptions {
  readonly rateHz: number;
  readonly nowMs: () => number;
}

/** A chunk is kept at least this long after it was sent, ms. */
const SLACK_MS = 2_000;
/** Bounds of what is kept: sent and perhaps lost, or waiting for a listener that has not come. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;
const BYTES_PER_SAMPLE = 4;

export class SentChunks {
  readonly #options: SentChunksOptions;
  readonly #kept: KeptChunk[] = [];
  #keptBytes = 0;
  #lastId = 0;
  #playedOutAtMs = 0;

  constructor(options: SentChunksOptions) {
    this.#options = options;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Numbers a chunk and keeps it. @returns it, and how many old ones made room although they may be missed */
  add(bytes: Uint8Array): { readonly chunk: Chunk; readonly forgotten: number } {
    const nowMs = this.#options.nowMs();
    const durationMs = (1000 * bytes.length) / BYTES_PER_SAMPLE / this.#options.rateHz;
    this.#forgetPlayed(nowMs);
    this.#playedOutAtMs = Math.max(this.#playedOutAtMs, nowMs) + durationMs;
    this.#lastId += 1;
    const chunk = { chunkId: this.#lastId, bytes, playedAtMs: this.#playedOutAtMs };
    this.#kept.push(chunk);
    this.#keptBytes += bytes.length;
    let forgotten = 0;
    for (; this.#keptBytes > MAX_KEPT_BYTES; forgotten++) this.#forgetOldest();
    return { chunk, forgotten };
  }

  /** What a listener that has just come may miss, oldest first. */
  unheard(): readonly Chunk[] {
    this.#forgetPlayed(this.#options.nowMs());
    return this.#kept;
  }

  /** While nobody listens nothing is played: what is kept starts to play now. */
  restart(): void {
    const nowMs = this.#options.nowMs();
    const first = this.#kept[0];
    if (first === undefined) return;
    const durationMs = (1000 * first.bytes.length) / BYTES_PER_SAMPLE / this.#options.rateHz;
    const shiftMs = Math.max(0, nowMs + durationMs - first.playedAtMs);
    this.#kept.forEach((chunk, i) => {
      this.#kept[i] = { ...chunk, playedAtMs: chunk.playedAtMs + shiftMs };
    });
    this.#playedOutAtMs += shiftMs;
  }

  #forgetPlayed(nowMs: number): void {
    while (this.#kept[0] !== undefined && this.#kept[0].playedAtMs + SLACK_MS < nowMs) this.#forgetOldest();
  }

  #forgetOldest(): void {
    this.#keptBytes -= this.#kept.shift()?.bytes.length ?? 0;
  }
}
