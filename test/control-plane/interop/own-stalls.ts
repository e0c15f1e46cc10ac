/**
 * Whether this process kept time: a caller whose own loop stands still sends its packets late or not at all, and what
 * becomes of its speech then says nothing about who receives it.
 */
const BEAT_MS = 10;

export class OwnStalls {
  readonly #timer: NodeJS.Timeout;
  /** When each stall was noticed, ms of `performance.now()`. */
  readonly #noticedAtMs: number[] = [];

  /** @param limitMs a standstill of this length is a stall */
  constructor(limitMs: number) {
    let lastMs = performance.now();
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      if (nowMs - lastMs - BEAT_MS > limitMs) this.#noticedAtMs.push(nowMs);
      lastMs = nowMs;
    }, BEAT_MS);
  }

  hasStalledSince(sinceMs: number): boolean {
    return (this.#noticedAtMs.at(-1) ?? Number.NEGATIVE_INFINITY) >= sinceMs;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
