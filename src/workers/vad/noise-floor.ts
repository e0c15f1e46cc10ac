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
export const QUIETEST_DBFS = -72;

/** Of one call. */
export class NoiseFloor {
  #smoothDbfs = Number.NaN;
  #minimumDbfs = Number.POSITIVE_INFINITY;
  #previousMinimumDbfs = Number.POSITIVE_INFINITY;
  #frames = 0;

  reset(): void {
    this.#smoothDbfs = Number.NaN;
    this.#minimumDbfs = Number.POSITIVE_INFINITY;
    this.#previousMinimumDbfs = Number.POSITIVE_INFINITY;
    this.#frames = 0;
  }

  /** The level of the next frame. @returns the floor, dBFS */
  update(levelDbfs: number): number {
    const level = Math.max(levelDbfs, QUIETEST_DBFS);
    if (Number.isNaN(this.#smoothDbfs)) this.#smoothDbfs = level;
    else this.#smoothDbfs += SMOOTHING * (level - this.#smoothDbfs);
    if (this.#smoothDbfs < this.#minimumDbfs) this.#minimumDbfs = this.#smoothDbfs;
    this.#frames += 1;
    if (this.#frames >= HALF_WINDOW_FRAMES) this.#turnWindow();
    return this.floorDbfs;
  }

  get floorDbfs(): number {
    return Math.min(this.#minimumDbfs, this.#previousMinimumDbfs) + MINIMUM_BIAS_DB;
  }

  #turnWindow(): void {
    this.#previousMinimumDbfs = this.#minimumDbfs;
    this.#minimumDbfs = this.#smoothDbfs;
    this.#frames = 0;
  }
}
