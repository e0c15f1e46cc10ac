/**
 * The noise floor of a line: the quietest it has been lately. Minimum statistics over two half windows, so that it
 * follows a rise within one window and a fall at once, whatever is being said.
 * Thread: vad. Hot: no allocation.
 */

/** Two of these make the memory: longer than a breath group, so that speech does not lift the floor to itself. */
const HALF_WINDOW_FRAMES = 60;
/** Short-time levels scatter; the minimum of many lies below their mean by about this. */
const MINIMUM_BIAS_DB = 1.5;
/** Weight of the newest frame in the smoothed level. */
const SMOOTHING = 0.35;
/** A line is never taken to be quieter: digital silence, comfort noise between packets. */
const QUIETEST_DBFS = -72;
/** Until this much was heard of a call, a line is not taken to be noisier: it may begin with speech. */
const FIRST_GUESS_DBFS = -50;
const FIRST_GUESS_FRAMES = 25;

/** Of one call, or of one band of it. */
export class NoiseFloor {
  #smoothDbfs = FIRST_GUESS_DBFS;
  /** Of the present and the previous half window. */
  #minimumDbfs = Number.POSITIVE_INFINITY;
  #previousMinimumDbfs = FIRST_GUESS_DBFS;
  #framesLeft = FIRST_GUESS_FRAMES;

  reset(): void {
    this.#smoothDbfs = FIRST_GUESS_DBFS;
    this.#minimumDbfs = Number.POSITIVE_INFINITY;
    this.#previousMinimumDbfs = FIRST_GUESS_DBFS;
    this.#framesLeft = FIRST_GUESS_FRAMES;
  }

  /** The level of the next frame. @returns the floor, dBFS */
  update(levelDbfs: number): number {
    const isFirst = this.#minimumDbfs === Number.POSITIVE_INFINITY;
    const level = Math.max(levelDbfs, QUIETEST_DBFS);
    this.#smoothDbfs = isFirst ? level : this.#smoothDbfs + SMOOTHING * (level - this.#smoothDbfs);
    if (this.#smoothDbfs < this.#minimumDbfs) this.#minimumDbfs = this.#smoothDbfs;
    this.#framesLeft -= 1;
    if (this.#framesLeft <= 0) this.#turnWindow();
    return Math.min(this.#minimumDbfs, this.#previousMinimumDbfs) + MINIMUM_BIAS_DB;
  }

  #turnWindow(): void {
    this.#previousMinimumDbfs = this.#minimumDbfs;
    this.#minimumDbfs = this.#smoothDbfs;
    this.#framesLeft = HALF_WINDOW_FRAMES;
  }
}
