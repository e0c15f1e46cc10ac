/**
 * One channel of one stream in TypeScript: its past, where its next output stands, and the inner loop.
 * Thread: model workers. Hot: `process` does not allocate.
 */
import { type FilterBank, maxOutputSamples } from './filter-bank.ts';
import type { SampleBlock } from './stream.ts';

/** Input is worked off in pieces of this length, so that the scratch space stays in the first-level cache. */
const PIECE_SAMPLES = 1024;
const FULL_SCALE = 32768;

export class PolyphaseChannel {
  readonly #bank: FilterBank;
  /** Which of how many interleaved channels this is. */
  readonly #first: number;
  readonly #stride: number;
  /** The last taps-1 samples of the past, then the piece being worked off. */
  readonly #window: Float64Array;
  readonly #historySamples: number;
  /** What a piece completes. */
  readonly #outputs: Float64Array;
  /** Newest input sample of the next output, counted from the start of the next piece. */
  #nextInput = 0;
  /** Which filter the next output takes, 0..interpolation-1. */
  #phase = 0;

  constructor(bank: FilterBank, place: { readonly at: number; readonly of: number }) {
    this.#bank = bank;
    this.#first = place.at;
    this.#stride = place.of;
    this.#historySamples = bank.tapsPerPhase - 1;
    this.#window = new Float64Array(this.#historySamples + PIECE_SAMPLES);
    this.#outputs = new Float64Array(maxOutputSamples(bank, PIECE_SAMPLES));
  }

  reset(): void {
    this.#window.fill(0);
    this.#nextInput = 0;
    this.#phase = 0;
  }

  /** Outputs whose newest input sample lies among the next `inputSamples`. */
  outputsWithin(inputSamples: number): number {
    const { interpolation, decimation } = this.#bank;
    const nextAt = this.#nextInput * interpolation + this.#phase;
    return Math.max(0, Math.ceil((inputSamples * interpolation - nextAt) / decimation));
  }

  /** Takes this channel's samples of `input` and writes what they complete; `output` has room. */
  process(input: SampleBlock, output: SampleBlock): void {
    const inputSamples = input.length / this.#stride;
    let written = 0;
    for (let from = 0; from < inputSamples; from += PIECE_SAMPLES) {
      const pieceSamples = Math.min(PIECE_SAMPLES, inputSamples - from);
      if (input instanceof Float32Array) this.#loadFloats(input, from, pieceSamples);
      else this.#loadInts(input, from, pieceSamples);
      written = this.#store(this.#filterPiece(pieceSamples), output, written);
    }
  }

  /** Writes the tail and starts anew; `output` has room. */
  flush(output: SampleBlock): void {
    const { delaySamples } = this.#bank;
    for (let written = 0; written < delaySamples; ) {
      this.#window.fill(0, this.#historySamples);
      const count = Math.min(delaySamples - written, this.#filterPiece(PIECE_SAMPLES));
      written = this.#store(count, output, written);
    }
    this.reset();
  }

  // Loops, not set(subarray): that view would be garbage, and the samples change type on the way.
  #loadFloats(input: Float32Array, from: number, pieceSamples: number): void {
    let at = from * this.#stride + this.#first;
    for (let i = 0; i < pieceSamples; i++, at += this.#stride) {
      this.#window[this.#historySamples + i] = input[at]!;
    }
  }

  #loadInts(input: Int16Array, from: number, pieceSamples: number): void {
    let at = from * this.#stride + this.#first;
    for (let i = 0; i < pieceSamples; i++, at += this.#stride) {
      this.#window[this.#historySamples + i] = input[at]! / FULL_SCALE;
    }
  }

  /** Computes every output whose newest sample lies in the piece; returns how many. */
  #filterPiece(pieceSamples: number): number {
    const { interpolation, decimation, tapsPerPhase, taps } = this.#bank;
    const window = this.#window;
    const outputs = this.#outputs;
    let phase = this.#phase;
    let at = this.#nextInput;
    let count = 0;
    while (at < pieceSamples) {
      outputs[count++] = dotProduct(taps, phase * tapsPerPhase, window, at, tapsPerPhase);
      phase += decimation;
      const steps = Math.floor(phase / interpolation);
      phase -= steps * interpolation;
      at += steps;
    }
    this.#phase = phase;
    this.#nextInput = at - pieceSamples;
    window.copyWithin(0, pieceSamples, pieceSamples + this.#historySamples);
    return count;
  }

  /** Writes what was computed, from the channel's sample `from` on; returns where the next one belongs. */
  #store(count: number, output: SampleBlock, from: number): number {
    if (output instanceof Float32Array) this.#storeFloats(count, output, from);
    else this.#storeInts(count, output, from);
    return from + count;
  }

  #storeFloats(count: number, output: Float32Array, from: number): void {
    let at = from * this.#stride + this.#first;
    for (let i = 0; i < count; i++, at += this.#stride) output[at] = this.#outputs[i]!;
  }

  #storeInts(count: number, output: Int16Array, from: number): void {
    let at = from * this.#stride + this.#first;
    for (let i = 0; i < count; i++, at += this.#stride) {
      const sample = Math.round(this.#outputs[i]! * FULL_SCALE);
      // What is not a number becomes 0 on its way into the array.
      output[at] = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, sample));
    }
  }
}

/** Four sums side by side: the processor need not wait for one addition to start the next. */
function dotProduct(a: Float64Array, aFrom: number, b: Float64Array, bFrom: number, length: number): number {
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  for (let i = 0; i < length; i += 4) {
    sum0 += a[aFrom + i]! * b[bFrom + i]!;
    sum1 += a[aFrom + i + 1]! * b[bFrom + i + 1]!;
    sum2 += a[aFrom + i + 2]! * b[bFrom + i + 2]!;
    sum3 += a[aFrom + i + 3]! * b[bFrom + i + 3]!;
  }
  return sum0 + sum1 + (sum2 + sum3);
}
