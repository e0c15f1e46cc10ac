/**
 * Voicing: how periodic the last 40 ms are at the pitch of a human voice, and how steady that is.
 * Thread: vad. Hot: one `analyse` per active frame of each call, about 10 us; no allocation.
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
const HISTORY = WINDOW + MAX_LAG;
const LOW_PASS_HZ = 900;

export interface Voicing {
  /** Highest r(lag), 0..1. */
  periodicity: number;
  /** Its lag, samples at 4 kHz. */
  lag: number;
  /** Mean distance of r(lag) from that of the frame before, 0 for a steady sound. */
  change: number;
}

/** Of one call. */
export class VoicingAnalyser {
  readonly result: Voicing = { periodicity: 0, lag: 0, change: 1 };
  readonly #step: number;
  readonly #first: Biquad;
  readonly #second: Biquad;
  readonly #history = new Float32Array(HISTORY);
  readonly #curve = new Float32Array(LAGS);
  #hasCurve = false;

  /** @param rateHz a multiple of 4000 */
  constructor(rateHz: number) {
    this.#step = rateHz / PITCH_RATE_HZ;
    this.#first = Biquad.lowPass(LOW_PASS_HZ, rateHz, 0.541);
    this.#second = Biquad.lowPass(LOW_PASS_HZ, rateHz, 1.307);
  }

  reset(): void {
    this.#first.reset();
    this.#second.reset();
    this.#history.fill(0);
    this.#hasCurve = false;
  }

  /** Takes the next frame, full scale 1; must be called for every frame. */
  push(frame: Float32Array): void {
    const added = frame.length / this.#step;
    this.#history.copyWithin(0, added);
    let at = HISTORY - added;
    for (let n = 0; n < frame.length; n += 1) {
      const y = this.#second.next(this.#first.next(frame[n]!));
      if (n % this.#step === this.#step - 1) this.#history[at++] = y;
    }
  }

  /** The frame is not worth analysing: the next one has nothing to be compared with. */
  skip(): void {
    this.#hasCurve = false;
  }

  /** Judges the last 40 ms. */
  analyse(): Voicing {
    const energy = this.#energyAt(0);
    let laggedEnergy = this.#energyAt(MIN_LAG);
    let best = 0;
    let bestLag = 0;
    let change = 0;
    for (let lag = MIN_LAG; lag <= MAX_LAG; lag += 1) {
      const r = this.#product(lag) / Math.sqrt(energy * laggedEnergy + 1e-18);
      const difference = r - this.#curve[lag - MIN_LAG]!;
      change += difference * difference;
      this.#curve[lag - MIN_LAG] = r;
      if (r > best) {
        best = r;
        bestLag = lag;
      }
      laggedEnergy += this.#slide(lag);
    }
    this.result.periodicity = Math.min(1, best);
    this.result.lag = bestLag;
    this.result.change = this.#hasCurve ? Math.sqrt(change / LAGS) : 1;
    this.#hasCurve = true;
    return this.result;
  }

  #product(lag: number): number {
    const x = this.#history;
    let sum = 0;
    for (let n = MAX_LAG; n < HISTORY; n += 1) sum += x[n]! * x[n - lag]!;
    return sum;
  }

  #energyAt(lag: number): number {
    const x = this.#history;
    let sum = 0;
    for (let n = MAX_LAG - lag; n < HISTORY - lag; n += 1) sum += x[n]! * x[n]!;
    return sum;
  }

  /** What the lagged energy gains when the lag grows by one. */
  #slide(lag: number): number {
    const x = this.#history;
    const entering = x[MAX_LAG - lag - 1] ?? 0;
    const leaving = x[HISTORY - lag - 1]!;
    return entering * entering - leaving * leaving;
  }
}
