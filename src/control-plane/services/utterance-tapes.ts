/**
 * Tapes on which frames of speech from outside are put for Whisper: a few, used again and again, so that a thousand
 * connected calls cost nothing while they are silent. Thread: main.
 */
import { createTape, type TapeHandle } from '../../ring-buffers/layout.ts';

/** Rate of frames of speech on the wire. */
export const WIRE_RATE_HZ = 16_000;
/** 32.8 s: more than the longest frame. */
const CAPACITY_SAMPLES = 2 ** 19;
/** Utterances under way at once, queued ones included. */
const MAX_TAPES = 16;

export class UtteranceTapes {
  readonly #spare: TapeHandle[] = [];
  readonly #waiters: ((tape: TapeHandle) => void)[] = [];
  #made = 0;

  /** Tapes that hold an utterance now. */
  get inUse(): number {
    return this.#made - this.#spare.length;
  }

  /** Resolves when a tape is free, first come first served. */
  async take(): Promise<TapeHandle> {
    const spare = this.#spare.pop();
    if (spare !== undefined) return spare;
    if (this.#made < MAX_TAPES) {
      this.#made += 1;
      return createTape({ rateHz: WIRE_RATE_HZ, capacitySamples: CAPACITY_SAMPLES });
    }
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  giveBack(tape: TapeHandle): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#spare.push(tape);
    else waiter(tape);
  }
}
