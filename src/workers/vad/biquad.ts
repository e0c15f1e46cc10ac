/**
 * A second-order filter section. Thread: vad. Hot: `next` per sample.
 * Source: R. Bristow-Johnson, Audio EQ Cookbook (low-pass and high-pass).
 */

interface Coefficients {
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly a1: number;
  readonly a2: number;
}

export class Biquad {
  readonly #c: Coefficients;
  #z1 = 0;
  #z2 = 0;

  private constructor(coefficients: Coefficients) {
    this.#c = coefficients;
  }

  static lowPass(cutoffHz: number, rateHz: number, q: number): Biquad {
    const w = (2 * Math.PI * cutoffHz) / rateHz;
    const gain = (1 - Math.cos(w)) / 2;
    return Biquad.#make(w, q, [gain, 2 * gain, gain]);
  }

  static highPass(cutoffHz: number, rateHz: number, q: number): Biquad {
    const w = (2 * Math.PI * cutoffHz) / rateHz;
    const gain = (1 + Math.cos(w)) / 2;
    return Biquad.#make(w, q, [gain, -2 * gain, gain]);
  }

  static #make(w: number, q: number, [b0, b1, b2]: readonly [number, number, number]): Biquad {
    const alpha = Math.sin(w) / (2 * q);
    const a0 = 1 + alpha;
    return new Biquad({
      b0: b0 / a0,
      b1: b1 / a0,
      b2: b2 / a0,
      a1: (-2 * Math.cos(w)) / a0,
      a2: (1 - alpha) / a0,
    });
  }

  reset(): void {
    this.#z1 = 0;
    this.#z2 = 0;
  }

  /** The next sample (transposed direct form II). */
  next(x: number): number {
    const c = this.#c;
    const y = c.b0 * x + this.#z1;
    this.#z1 = c.b1 * x - c.a1 * y + this.#z2;
    this.#z2 = c.b2 * x - c.a2 * y;
    return y;
  }
}
