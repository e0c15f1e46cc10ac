/**
 * When the VAD looks at the tapes: right after the media thread has written to them. Both go by 20 ms; without a common
 * phase every decision is up to 20 ms later than it could be, which a caller hears in each reply.
 * Thread: vad. Pure: times are passed in. A tick that found the tapes grown lets the next come a little earlier; one that
 * came too early is repeated a moment later.
 */

const ADVANCE_MS = 0.25;
const RETRY_MS = 1;
/** Tapes that have not grown by then belong to no call, or the media thread is late: the schedule goes on. */
const MAX_RETRIES = 4;

export class TickPhase {
  readonly #tickMs: number;
  #dueMs: number;
  #retries = 0;

  constructor(tickMs: number, startMs: number) {
    this.#tickMs = tickMs;
    this.#dueMs = startMs + tickMs;
  }

  /** When the next tick is due. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** A tick was run. Ticks that were missed are not made up for: one reads all that is there. */
  ticked(hasGrown: boolean, nowMs: number): void {
    this.#dueMs += hasGrown ? this.#tickMs - ADVANCE_MS : this.#afterNothing();
    if (hasGrown) this.#retries = 0;
    if (this.#dueMs <= nowMs) this.#dueMs += Math.ceil((nowMs - this.#dueMs) / this.#tickMs) * this.#tickMs;
  }

  #afterNothing(): number {
    if (this.#retries < MAX_RETRIES) {
      this.#retries += 1;
      return RETRY_MS;
    }
    this.#retries = 0;
    return this.#tickMs - MAX_RETRIES * RETRY_MS;
  }
}
