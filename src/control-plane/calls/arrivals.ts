/** Texts as they arrive, for whoever waits for the next one. Thread: main. Bounded; nobody waits without a limit. */

const MAX_WAITING = 32;

export class Arrivals {
  readonly #texts: string[] = [];
  readonly #waiters: ((text: string | null) => void)[] = [];

  /** @returns false when it was full, and the oldest made room */
  push(text: string): boolean {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter(text);
      return true;
    }
    this.#texts.push(text);
    if (this.#texts.length <= MAX_WAITING) return true;
    this.#texts.shift();
    return false;
  }

  clear(): void {
    this.#texts.length = 0;
  }

  /** The next text; null after `limitMs`, or when `release` was called. */
  next(limitMs: number): Promise<string | null> {
    const ready = this.#texts.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    return new Promise((resolve) => {
      const settle = (text: string | null): void => {
        clearTimeout(timer);
        const at = this.#waiters.indexOf(settle);
        if (at >= 0) this.#waiters.splice(at, 1);
        resolve(text);
      };
      const timer = setTimeout(() => settle(null), limitMs);
      this.#waiters.push(settle);
    });
  }

  /** Everybody who waits gets nothing. */
  release(): void {
    for (const waiter of [...this.#waiters]) waiter(null);
  }
}
