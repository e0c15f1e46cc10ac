/**
 * Power spectrum of 400 real samples, the frame length of every Whisper. A real transform of 400 points is a
 * complex one of 200 = 5 x 5 x 4 x 2, done as a self-sorting (Stockham) transform over tables made once.
 * Thread: any. Hot: `power` runs 100 times per second of audio and does not allocate.
 */

/** Samples in one frame. */
export const FRAME_SAMPLES = 400;
/** Bins 0..8000 Hz at 16 kHz, 40 Hz apart. */
export const POWER_BINS = FRAME_SAMPLES / 2 + 1;

const POINTS = FRAME_SAMPLES / 2;
const COS_72 = Math.cos((2 * Math.PI) / 5);
const COS_144 = Math.cos((4 * Math.PI) / 5);
const SIN_72 = Math.sin((2 * Math.PI) / 5);
const SIN_144 = Math.sin((4 * Math.PI) / 5);

/** One pass: the transform length it sees and how many transforms of that length lie interleaved. */
interface Pass {
  readonly length: number;
  readonly radix: number;
  readonly stride: number;
}

// length * stride is 200 in each; the last factor, 2, is folded into `powerOfReal`.
const PASSES = {
  first: { length: 200, radix: 5, stride: 1 },
  second: { length: 40, radix: 5, stride: 5 },
  third: { length: 8, radix: 4, stride: 25 },
} as const;

/** One instance per thread: it owns its scratch memory. */
export class PowerSpectrum {
  // 200 complex numbers each, (real, imaginary) in turn; every pass reads one and writes the other.
  readonly #a = new Float64Array(FRAME_SAMPLES);
  readonly #b = new Float64Array(FRAME_SAMPLES);
  readonly #turnsFirst = turnsAfter(PASSES.first);
  readonly #turnsSecond = turnsAfter(PASSES.second);
  readonly #turnsThird = turnsAfter(PASSES.third);
  readonly #turnsReal = realTurns();

  /**
   * @param samples the frame is samples[offset .. offset + 400).
   * @param window 400 weights.
   * @param target receives 201 values |X(k)|^2.
   */
  power(samples: Float32Array, offset: number, window: Float64Array, target: Float64Array): void {
    const a = this.#a;
    const b = this.#b;
    for (let i = 0; i < FRAME_SAMPLES; i++) a[i] = samples[offset + i]! * window[i]!;
    radix5(a, b, PASSES.first);
    turn(b, this.#turnsFirst);
    radix5(b, a, PASSES.second);
    turn(a, this.#turnsSecond);
    radix4(a, b, PASSES.third);
    turn(b, this.#turnsThird);
    powerOfReal(b, this.#turnsReal, target);
  }
}

/** y[q + s(5p + k)] = sum over j of x[q + s(p + jm)] e^(-2 pi i jk / 5), m = length / 5, s = stride. */
function radix5(x: Float64Array, y: Float64Array, pass: Pass): void {
  const stride = pass.stride;
  const hop = (2 * POINTS) / 5;
  for (let p = 0; p < pass.length / 5; p++) {
    for (let q = 0; q < stride; q++) {
      const at = 2 * (q + stride * p);
      const r0 = x[at]!;
      const i0 = x[at + 1]!;
      const r14 = x[at + hop]! + x[at + 4 * hop]!;
      const i14 = x[at + hop + 1]! + x[at + 4 * hop + 1]!;
      const r23 = x[at + 2 * hop]! + x[at + 3 * hop]!;
      const i23 = x[at + 2 * hop + 1]! + x[at + 3 * hop + 1]!;
      const dr14 = x[at + hop]! - x[at + 4 * hop]!;
      const di14 = x[at + hop + 1]! - x[at + 4 * hop + 1]!;
      const dr23 = x[at + 2 * hop]! - x[at + 3 * hop]!;
      const di23 = x[at + 2 * hop + 1]! - x[at + 3 * hop + 1]!;
      const cr1 = r0 + COS_72 * r14 + COS_144 * r23;
      const ci1 = i0 + COS_72 * i14 + COS_144 * i23;
      const cr2 = r0 + COS_144 * r14 + COS_72 * r23;
      const ci2 = i0 + COS_144 * i14 + COS_72 * i23;
      const sr1 = SIN_72 * dr14 + SIN_144 * dr23;
      const si1 = SIN_72 * di14 + SIN_144 * di23;
      const sr2 = SIN_144 * dr14 - SIN_72 * dr23;
      const si2 = SIN_144 * di14 - SIN_72 * di23;
      const to = 2 * (q + 5 * stride * p);
      y[to] = r0 + r14 + r23;
      y[to + 1] = i0 + i14 + i23;
      y[to + 2 * stride] = cr1 + si1;
      y[to + 2 * stride + 1] = ci1 - sr1;
      y[to + 4 * stride] = cr2 + si2;
      y[to + 4 * stride + 1] = ci2 - sr2;
      y[to + 6 * stride] = cr2 - si2;
      y[to + 6 * stride + 1] = ci2 + sr2;
      y[to + 8 * stride] = cr1 - si1;
      y[to + 8 * stride + 1] = ci1 + sr1;
    }
  }
}

/** As `radix5`, with 4 for 5. */
function radix4(x: Float64Array, y: Float64Array, pass: Pass): void {
  const stride = pass.stride;
  const hop = (2 * POINTS) / 4;
  for (let p = 0; p < pass.length / 4; p++) {
    for (let q = 0; q < stride; q++) {
      const at = 2 * (q + stride * p);
      const r02 = x[at]! + x[at + 2 * hop]!;
      const i02 = x[at + 1]! + x[at + 2 * hop + 1]!;
      const r13 = x[at + hop]! + x[at + 3 * hop]!;
      const i13 = x[at + hop + 1]! + x[at + 3 * hop + 1]!;
      const dr02 = x[at]! - x[at + 2 * hop]!;
      const di02 = x[at + 1]! - x[at + 2 * hop + 1]!;
      const dr13 = x[at + hop]! - x[at + 3 * hop]!;
      const di13 = x[at + hop + 1]! - x[at + 3 * hop + 1]!;
      const to = 2 * (q + 4 * stride * p);
      y[to] = r02 + r13;
      y[to + 1] = i02 + i13;
      y[to + 2 * stride] = dr02 + di13;
      y[to + 2 * stride + 1] = di02 - dr13;
      y[to + 4 * stride] = r02 - r13;
      y[to + 4 * stride + 1] = i02 - i13;
      y[to + 6 * stride] = dr02 - di13;
      y[to + 6 * stride + 1] = di02 + dr13;
    }
  }
}

/** Multiplies each complex number of `x` by its own unit number. */
function turn(x: Float64Array, turns: Float64Array): void {
  for (let i = 0; i < FRAME_SAMPLES; i += 2) {
    const re = x[i]!;
    const im = x[i + 1]!;
    const cos = turns[i]!;
    const sin = turns[i + 1]!;
    x[i] = re * cos - im * sin;
    x[i + 1] = re * sin + im * cos;
  }
}

/**
 * The last factor, 2, and the step from a complex transform Z of 200 to the real one X of 400, in one:
 * E = (Z(k) + Z*(200 - k)) / 2, O = (Z(k) - Z*(200 - k)) / 2i, X(k) = E + w^k O, X(200 - k) = (E - w^k O)*.
 */
function powerOfReal(x: Float64Array, turns: Float64Array, target: Float64Array): void {
  const half = POINTS / 2;
  const r0 = x[0]! + x[POINTS]!;
  const i0 = x[1]! + x[POINTS + 1]!;
  const r100 = x[0]! - x[POINTS]!;
  const i100 = x[1]! - x[POINTS + 1]!;
  target[0] = (r0 + i0) ** 2;
  target[POINTS] = (r0 - i0) ** 2;
  target[half] = r100 ** 2 + i100 ** 2;
  for (let k = 1; k < half; k++) {
    const low = 2 * k;
    const high = 2 * (half - k);
    const zr = x[low]! + x[low + POINTS]!;
    const zi = x[low + 1]! + x[low + POINTS + 1]!;
    const yr = x[high]! - x[high + POINTS]!;
    const yi = x[high + 1]! - x[high + POINTS + 1]!;
    const er = zr + yr;
    const ei = zi - yi;
    const or = zi + yi;
    const oi = yr - zr;
    const cos = turns[low]!;
    const sin = turns[low + 1]!;
    const sum = (er * er + ei * ei + or * or + oi * oi) / 4;
    const cross = (er * (or * cos - oi * sin) + ei * (or * sin + oi * cos)) / 2;
    target[k] = sum + cross;
    target[POINTS - k] = sum - cross;
  }
}

/** The factors w^(pk), w = e^(-2 pi i / length), that a pass leaves to be applied to its output. */
function turnsAfter(pass: Pass): Float64Array {
  const { length, radix, stride } = pass;
  const turns = new Float64Array(FRAME_SAMPLES);
  for (let i = 0; i < POINTS; i++) {
    const k = Math.floor(i / stride) % radix;
    const p = Math.floor(i / (stride * radix));
    const angle = (-2 * Math.PI * p * k) / length;
    turns[2 * i] = Math.cos(angle);
    turns[2 * i + 1] = Math.sin(angle);
  }
  return turns;
}

/** e^(-2 pi i k / 400). */
function realTurns(): Float64Array {
  const turns = new Float64Array(FRAME_SAMPLES);
  for (let k = 0; k < POINTS; k++) {
    turns[2 * k] = Math.cos((-2 * Math.PI * k) / FRAME_SAMPLES);
    turns[2 * k + 1] = Math.sin((-2 * Math.PI * k) / FRAME_SAMPLES);
  }
  return turns;
}
