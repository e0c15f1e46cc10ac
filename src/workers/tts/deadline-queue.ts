/**
 * Work for a fixed number of threads, most urgent first. Thread: main. Pure: no timers, no I/O.
 * Why not the pool's own queue: that is first come first served, so a call whose ring runs dry in 50 ms would
 * wait behind sentences that others need in five seconds. Urgency is asked anew each time a thread gets free.
 */

interface Waiting {
  /** ms until the caller hears a gap; smaller is more urgent. */
  readonly slackMs: () => number;
  readonly start: () => void;
}

export class DeadlineQueue {
  readonly #threads: number;
  readonly #waiting: Waiting[] = [];
  #running = 0;

  constructor(threads: number) {
    this.#threads = threads;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `work` as soon as a thread is free and nothing more urgent waits; equal urgency in order of arrival. */
  async run<Result>(slackMs: () => number, work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#threads) {
      await new Promise<void>((start) => this.#waiting.push({ slackMs, start }));
    } else {
      this.#running++;
    }
    try {
      return await work();
    } finally {
      this.#startNext();
    }
  }

  // The place of the one that ended passes to the next without being given back in between.
  #startNext(): void {
    let best = 0;
    for (let at = 1; at < this.#waiting.length; at++) {
      if ((this.#waiting[at] as Waiting).slackMs() < (this.#waiting[best] as Waiting).slackMs()) best = at;
    }
    const [next] = this.#waiting.splice(best, 1);
    if (next === undefined) this.#running--;
    else next.start();
  }
}
