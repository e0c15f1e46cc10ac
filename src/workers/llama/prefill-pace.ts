/**
 * How long a piece of prompt one decode may take: by time, not by tokens, because models and machines differ by a
 * factor of a thousand. Short pieces let other calls' tokens through and a cancel be heeded; long ones cost less.
 * Thread: llama. Pure.
 */

/** A piece while no other call is working: only a cancel, or a call that begins, waits for it. */
const ALONE_PIECE_MS = 100;
/** Before anything was measured. */
const FIRST_PIECE_TOKENS = 64;
/** Below this a decode costs hardly less, and says little about the cost of a token. */
const LEAST_PIECE_TOKENS = 16;
/** Weight of the newest measurement: a few pieces settle it, one hiccup does not. */
const NEWEST_SHARE = 0.3;

export class PrefillPace {
  readonly #sharedPieceMs: number;
  readonly #batchTokens: number;
  #tokenMs: number | null = null;

  /**
   * @param sharedPieceMs a piece while other calls are talking, ms
   * @param batchTokens most tokens in one decode
   */
  constructor(sharedPieceMs: number, batchTokens: number) {
    this.#sharedPieceMs = sharedPieceMs;
    this.#batchTokens = batchTokens;
  }

  /** @param isAlone no other call is evaluating or generating */
  pieceTokens(isAlone: boolean): number {
    const pieceMs = isAlone ? ALONE_PIECE_MS : this.#sharedPieceMs;
    const tokens = this.#tokenMs === null ? FIRST_PIECE_TOKENS : Math.floor(pieceMs / this.#tokenMs);
    return Math.min(Math.max(tokens, LEAST_PIECE_TOKENS), this.#batchTokens);
  }

  /** A piece of `tokens` took `elapsedMs`. */
  observe(tokens: number, elapsedMs: number): void {
    if (tokens < LEAST_PIECE_TOKENS) return;
    const tokenMs = Math.max(elapsedMs, 0.001) / tokens;
    this.#tokenMs =
      this.#tokenMs === null ? tokenMs : this.#tokenMs + (tokenMs - this.#tokenMs) * NEWEST_SHARE;
  }
}
