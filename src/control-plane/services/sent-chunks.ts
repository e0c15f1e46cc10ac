/**
 * The chunks of one call on their way to a listener that plays them: numbered once and for ever, let go no further ahead
 * of real time than the listener can hold, and kept until they must have been read, to be sent again after a reconnect.
 * The receiver drops ids that it has seen, so nothing is lost and nothing repeated. Thread: main. The clock is passed in.
 */

export interface Chunk {
  readonly chunkId: number;
  readonly bytes: Uint8Array;
}

interface SentChunk extends Chunk {
  /** When its last sample has been played at the earliest, if playing began when it was sent. */
  readonly playedAtMs: number;
}

export interface SentChunksOptions {
  readonly rateHz: number;
  readonly nowMs: () => number;
}

/** An earlier outbound side holds 12 s and throws the oldest away. */
const MAX_AHEAD_MS = 5_000;
/** A chunk may lie in kernel buffers, unread, for so long after it should have been played. */
const UNREAD_MS = 20_000;
/** 2 minutes at 24 kHz. What goes beyond was never sent, or must have been read. */
const MAX_KEPT_BYTES = 12 * 1024 * 1024;
const BYTES_PER_SAMPLE = 4;

export class SentChunks {
  readonly #options: SentChunksOptions;
  readonly #waiting: Chunk[] = [];
  readonly #sent: SentChunk[] = [];
  #keptBytes = 0;
  #lastId = 0;
  #playedOutAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SentChunksOptions) {
    this.#options = options;
  }

  /** The number of the newest chunk. */
  get lastId(): number {
    return this.#lastId;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Numbers a chunk and keeps it. @returns whether a waiting one had to make room: that one is lost */
  add(bytes: Uint8Array): boolean {
    this.#lastId += 1;
    this.#waiting.push({ chunkId: this.#lastId, bytes });
    this.#keptBytes += bytes.length;
    while (this.#keptBytes > MAX_KEPT_BYTES && this.#sent.length > 0) this.#forgetOldest();
    if (this.#keptBytes <= MAX_KEPT_BYTES) return false;
    this.#keptBytes -= this.#waiting.shift()?.bytes.length ?? 0;
    return true;
  }

  /** The next chunk that may be sent now; null when none waits, or all sent ones still have to be played. */
  next(): Chunk | null {
    const nowMs = this.#options.nowMs();
    if (this.#playedOutAtMs - nowMs > MAX_AHEAD_MS) return null;
    const chunk = this.#waiting.shift();
    if (chunk === undefined) return null;
    this.#forgetRead(nowMs);
    this.#playedOutAtMs = Math.max(this.#playedOutAtMs, nowMs) + this.#durationMs(chunk);
    this.#sent.push({ ...chunk, playedAtMs: this.#playedOutAtMs });
    return chunk;
  }

  /** How long until `next` may give one again, ms. */
  get waitMs(): number {
    return Math.max(0, this.#playedOutAtMs - this.#options.nowMs() - MAX_AHEAD_MS);
  }

  /** What a listener may not have read that has only lost its connection; it knows which ones it has. */
  unread(): readonly Chunk[] {
    this.#forgetRead(this.#options.nowMs());
    return this.#sent;
  }

  /** What a listener that was started anew must hear: what has not been played yet. */
  unplayed(): readonly Chunk[] {
    const nowMs = this.#options.nowMs();
    return this.#sent.filter(({ playedAtMs }) => playedAtMs > nowMs);
  }

  #durationMs({ bytes }: Chunk): number {
    return (1000 * bytes.length) / BYTES_PER_SAMPLE / this.#options.rateHz;
  }

  #forgetRead(nowMs: number): void {
    while (this.#sent[0] !== undefined && this.#sent[0].playedAtMs + UNREAD_MS < nowMs) this.#forgetOldest();
  }

  #forgetOldest(): void {
    this.#keptBytes -= this.#sent.shift()?.bytes.length ?? 0;
  }
}
