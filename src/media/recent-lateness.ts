/**
 * How late packets left in the last whole second: what a figure since the start hides when it is watched over time.
 * Thread: media. Hot: `add` does not allocate. Pure.
 */
import { LatenessHistogram, type LatenessSummary } from './lateness-histogram.ts';

export class RecentLateness {
  #current = new LatenessHistogram();
  #last = new LatenessHistogram();

  /** Notes one packet. @throws never */
  add(latenessMs: number): void {
    this.#current.add(latenessMs);
  }

  /** A second is over. */
  rotate(): void {
    const spare = this.#last;
    this.#last = this.#current;
    spare.clear();
    this.#current = spare;
  }

  /** Of the last whole second. */
  summary(): LatenessSummary {
    return this.#last.summary();
  }
}
