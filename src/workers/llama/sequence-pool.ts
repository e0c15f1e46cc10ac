/**
 * The KV sequences of one model and who waits for one. A sequence that comes back keeps the tokens every call begins
 * with (system prompt, greeting), so the next call finds them evaluated; the caller's words are erased.
 * Thread: llama.
 */
import type { LanguageModel, LanguageSequence } from './language-model.ts';
import { commonPrefixTokens } from './prompt-window.ts';

interface Waiter {
  readonly wanted: readonly number[];
  readonly isGone: () => boolean;
  readonly resolve: (sequence: LanguageSequence | null) => void;
}

/** How often waiters are asked whether they still want a sequence. */
const GONE_CHECK_MS = 20;

export class SequencePool {
  readonly #model: LanguageModel;
  readonly #free: LanguageSequence[] = [];
  readonly #waiters: Waiter[] = [];
  #opened = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(model: LanguageModel) {
    this.#model = model;
  }

  /**
   * A free sequence: the one that holds most of `wanted` already, of equal ones the first, so that those in use are
   * neighbours (token-step.ts). When all are taken, in order of asking.
   * @param isGone asked while waiting; true gives up
   * @returns null when it gave up
   */
  acquire(wanted: readonly number[], isGone: () => boolean): Promise<LanguageSequence | null> {
    const sequence = this.#takeBest(wanted);
    if (sequence !== null) return Promise.resolve(sequence);
    return new Promise((resolve) => {
      this.#waiters.push({ wanted, isGone, resolve });
      this.#timer ??= setInterval(() => this.#dropGone(), GONE_CHECK_MS);
    });
  }

  /** Gives a sequence back, keeping its first `keepTokens` tokens for the next call. */
  async release(sequence: LanguageSequence, keepTokens: number): Promise<void> {
    await sequence.keepPrefix(keepTokens);
    this.#free.push(sequence);
    this.#dropGone();
    const next = this.#waiters.shift();
    if (next !== undefined) next.resolve(this.#takeBest(next.wanted));
    this.#stopTimerWhenIdle();
  }

  #takeBest(wanted: readonly number[]): LanguageSequence | null {
    if (this.#free.length === 0 && this.#opened < this.#model.sequenceCount) {
      this.#opened += 1;
      return this.#model.openSequence();
    }
    if (this.#free.length <= 1) return this.#free.pop() ?? null;
    const shared = this.#free.map((sequence) => commonPrefixTokens(sequence.tokens, wanted));
    const most = Math.max(...shared);
    const best = this.#free
      .filter((_, at) => shared[at] === most)
      .reduce((lowest, sequence) => (sequence.index < lowest.index ? sequence : lowest));
    this.#free.splice(this.#free.indexOf(best), 1);
    return best;
  }

  #dropGone(): void {
    for (let index = this.#waiters.length - 1; index >= 0; index -= 1) {
      const waiter = this.#waiters[index];
      if (waiter?.isGone() === true) {
        this.#waiters.splice(index, 1);
        waiter.resolve(null);
      }
    }
    this.#stopTimerWhenIdle();
  }

  #stopTimerWhenIdle(): void {
    if (this.#waiters.length > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
