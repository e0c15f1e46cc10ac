/**
 * Lets the replies of one model ask for their next tokens at the same moment and in the order of their sequences, so that
 * the weights are read once for all of them. Left to themselves they ask when their own token has been drawn: the library
 * begins the next decode as soon as it can, with those that were quick, and the others go in a decode of their own (seven
 * and one instead of eight). And of one decode, llama.cpp computes together only what stands in a row: with a KV cache per
 * sequence it splits the batch wherever the next token's sequence is not the next one (llama-batch.cpp, split_equal).
 * Thread: llama. Pure. Settled by bench/llama/concurrent.
 */
export class TokenStep {
  #replies = 0;
  #waiting: { readonly sequence: number; readonly go: () => void }[] = [];

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
   * @param sequence number of the reply's KV sequence
   */
  next(sequence: number): Promise<void> {
    return new Promise((go) => {
      this.#waiting.push({ sequence, go });
      this.#openIfAllWait();
    });
  }

  #openIfAllWait(): void {
    if (this.#waiting.length < this.#replies) return;
    const all = this.#waiting.splice(0).sort((a, b) => a.sequence - b.sequence);
    // Not now: whoever came last would not yet listen, and go last.
    queueMicrotask(() => {
      for (const { go } of all) go();
    });
  }
}
