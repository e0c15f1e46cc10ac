/**
 * Lets the replies of one model ask for their next tokens at the same moment, so that one decode makes all of them. Left
 * to themselves they ask when their own token has been drawn: the library begins the next decode as soon as it can, with
 * those that were quick, and the others go in a decode of their own, again and again (seven and one instead of eight).
 * Thread: llama. Pure. Settled by bench/llama/concurrent.
 */
export class TokenStep {
  #replies = 0;
  #waiting: (() => void)[] = [];

  /** A reply has its first token. */
  join(): void {
    this.#replies += 1;
  }

  /** It wants no more of them, whether or not it has got its last. */
  leave(): void {
    this.#replies -= 1;
    this.#openIfAllWait();
  }

  /**
   * Resolves when every reply that has joined has taken its token: nobody waits longer than the decode under way.
   * Whoever has joined calls this after each token but the last.
   */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#openIfAllWait();
    });
  }

  #openIfAllWait(): void {
    if (this.#waiting.length < this.#replies) return;
    for (const go of this.#waiting.splice(0)) go();
  }
}
