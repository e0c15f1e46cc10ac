/**
 * Voicing: how periodic the last 40 ms are at the pitch of a human voice, and how much that changes.
 * Thread: vad. Hot: one `analyse` per active frame of each call, about 5 us; no allocation.
 *
 * The signal is low-passed at 900 Hz and brought to 4 kHz, where the pitch harmonics lie and broadband noise is
 * weakest; then the normalised cross-correlation r(lag) = sum x[n] x[n-lag] / sqrt(E0 Elag) is taken for the lags of
 * 60 to 400 Hz. A voice gives r near 1 at its period; noise of any level does not; a tone does too, but its r(lag)
 * keeps the same shape from frame to frame.
 */
import { Biquad } from './biquad.ts';

/** Rate of the analysis. */
const PITCH_RATE_HZ = 4000;
const MIN_LAG = 10;
const MAX_LAG = 66;
const LAGS = MAX_LAG - MIN_LAG + 1;
const WINDOW = 160;
/** The newest 24 ms of the window: a pitch that glides fast is periodic only over a short stretch. */
const SHORT_WINDOW = 96;
const HISTORY = WINDOW + MAX_LAG;
const SHORT_START = HISTORY - SHORT_WINDOW;
const LOW_PASS_HZ = 900;
/** Curves kept: this frame's and those of the two before. */
const CURVES = 3;
const TINY = 1e-18;

export interface Voicing {
  /** Highest r(lag) over 40 ms, 0..1. */
  periodicity: number;
  /** The same over the newest 24 ms. */
  shortPeriodicity: number;
  /** Distance of r(lag) from that of the frame before: root of the mean square, 0 for a steady sound. */
  change: number;
  /** The same from the frame before that; their windows do not overlap. */
  longChange: number;
  /** Frames analysed without a gap, this one included; a change is only known after the second and third. */
  frames: number;
}

/** Of one call. */
export class VoicingAnalyser {
  readonly result: Voicing = { periodicity: 0, shortPeriodicity: 0, change: 0, longChange: 0, frames: 0 };
  readonly #step: number;
  readonly #first: Biquad;
  readonly #second: Biquad;
  readonly #history = new Float32Array(HISTORY);
  readonly #curves = Array.from({ length: CURVES }, () => new Float32Array(LAGS));
  #newest = 0;
  #levelDbfs = 0;

  /** @param rateHz a multiple of 4000 */
  constructor(rateHz: number) {
    this.#step = rateHz / PITCH_RATE_HZ;
    this.#first = Biquad.lowPass(LOW_PASS_HZ, rateHz, 0.541);
    this.#second = Biquad.lowPass(LOW_PASS_HZ, rateHz, 1.307);
  }

  /** Level of the last frame below 900 Hz. */
  get levelDbfs(): number {
    return this.#levelDbfs;
  }

  reset(): void {
    this.#first.reset();
    this.#second.reset();
    this.#history.fill(0);
    this.skip();
  }

  /** Takes the next frame, full scale 1; must be called for every frame. */
  push(frame: Float32Array): void {
    const added = frame.length / this.#step;
    this.#history.copyWithin(0, added);
    let at = HISTORY - added;
    let power = 0;
    for (let n = 0; n < frame.length; n += 1) {
      const y = this.#second.next(this.#first.next(frame[n]!));
      if (n % this.#step === this.#step - 1) this.#history[at++] = y;
      power += y * y;
    }
    this.#levelDbfs = 10 * Math.log10(power / frame.length + 1e-12);
  }

  /** The frame is not worth analysing: the next one has nothing to be compared with. */
  skip(): void {
    this.result.frames = 0;
  }

  /** Judges the last 40 ms. */
  analyse(): Voicing {
    const result = this.result;
    this.#newest = (this.#newest + 1) % CURVES;
    result.frames += 1;
    this.#correlate();
    result.change = this.#distanceFrom(1);
    result.longChange = this.#distanceFrom(2);
    return result;
  }

  #correlate(): void {
    const curve = this.#curves[this.#newest]!;
    const energy = this.#energy(WINDOW, 0);
    const shortEnergy = this.#energy(SHORT_WINDOW, 0);
    let lagged = this.#energy(WINDOW, MIN_LAG);
    let shortLagged = this.#energy(SHORT_WINDOW, MIN_LAG);
    let best = 0;
    let shortBest = 0;
    for (let lag = MIN_LAG; lag <= MAX_LAG; lag += 1) {
      const newer = this.#product(SHORT_START, HISTORY, lag);
      const r = (newer + this.#product(MAX_LAG, SHORT_START, lag)) / Math.sqrt(energy * lagged + TINY);
      const shortR = newer / Math.sqrt(shortEnergy * shortLagged + TINY);
      curve[lag - MIN_LAG] = r;
      if (r > best) best = r;
      if (shortR > shortBest) shortBest = shortR;
      lagged += this.#slide(WINDOW, lag);
      shortLagged += this.#slide(SHORT_WINDOW, lag);
    }
    this.result.periodicity = best;
    this.result.shortPeriodicity = shortBest;
  }

  #distanceFrom(framesAgo: number): number {
    if (this.result.frames <= framesAgo) return 0;
    const curve = this.#curves[this.#newest]!;
    const other = this.#curves[(this.#newest + CURVES - framesAgo) % CURVES]!;
    let sum = 0;
    for (let n = 0; n < LAGS; n += 1) {
      const difference = curve[n]! - other[n]!;
      sum += difference * difference;
    }
    return Math.sqrt(sum / LAGS);
  }

  #product(from: number, to: number, lag: number): number {
    const x = this.#history;
    let sum = 0;
    for (let n = from; n < to; n += 1) sum += x[n]! * x[n - lag]!;
    return sum;
  }

  /** Energy of the newest `window` samples, `lag` samples earlier. */
  #energy(window: number, lag: number): number {
    return this.#product(HISTORY - window - lag, HISTORY - lag, 0);
  }

  /** What that energy gains when the lag grows by one. */
  #slide(window: number, lag: number): number {
    const entering = this.#history[HISTORY - window - lag - 1] ?? 0;
    const leaving = this.#history[HISTORY - lag - 1]!;
    return entering * entering - leaving * leaving;
  }
}
