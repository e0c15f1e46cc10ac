/**
 * The TypeScript twin of the native resampler: polyphase filtering, exact ratio, any block length.
 * Thread: model workers. Hot: `process` does not allocate. Filters: filter-bank.ts.
 */
import { WildfireError } from '../errors.ts';
import { type FilterBank, filterBankFor } from './filter-bank.ts';
import type { Resampler, ResamplerOptions } from './resampler.ts';

/** Input is worked off in pieces of this length, so that the scratch space stays in the first-level cache. */
const PIECE_SAMPLES = 1024;

/** @throws WildfireError AUDIO_INVALID for rates that are no whole Hz or whose ratio is unreasonable. */
export function createPolyphaseResampler({ fromHz, toHz }: ResamplerOptions): Resampler {
  const bank = filterBankFor(fromHz, toHz);
  return fromHz === toHz ? new PassThrough() : new PolyphaseResampler(bank);
}

class PolyphaseResampler implements Resampler {
  readonly implementation = 'typescript';
  readonly delaySamples: number;
  readonly #bank: FilterBank;
  /** The last taps-1 samples of the past, then the piece being worked off. */
  readonly #window: Float64Array;
  readonly #historySamples: number;
  readonly #silence = new Float32Array(PIECE_SAMPLES);
  /** Newest input sample of the next output, counted from the start of the next piece. */
  #nextInput = 0;
  /** Which filter the next output takes, 0..interpolation-1. */
  #phase = 0;

  constructor(bank: FilterBank) {
    this.#bank = bank;
    this.#historySamples = bank.tapsPerPhase - 1;
    this.#window = new Float64Array(this.#historySamples + PIECE_SAMPLES);
    this.delaySamples = bank.delaySamples;
  }

  maxOutputSamples(inputSamples: number): number {
    return Math.ceil((inputSamples * this.#bank.interpolation) / this.#bank.decimation);
  }

  process(input: Float32Array, output: Float32Array): number {
    const dueSamples = this.#outputsWithin(input.length);
    if (output.length < dueSamples) {
      const message = `resampler output holds ${output.length} samples, ${dueSamples} are due`;
      throw new WildfireError('INVALID_STATE', message);
    }
    return this.#run(input, output, 0, dueSamples);
  }

  flush(output: Float32Array): number {
    if (output.length < this.delaySamples) {
      const message = `resampler output holds ${output.length} samples, ${this.delaySamples} are due`;
      throw new WildfireError('INVALID_STATE', message);
    }
    let written = 0;
    while (written < this.delaySamples)
      written = this.#run(this.#silence, output, written, this.delaySamples);
    this.reset();
    return written;
  }

  reset(): void {
    this.#window.fill(0);
    this.#nextInput = 0;
    this.#phase = 0;
  }

  /** Outputs whose newest input sample lies among the next `inputSamples`. */
  #outputsWithin(inputSamples: number): number {
    const { interpolation, decimation } = this.#bank;
    const nextAt = this.#nextInput * interpolation + this.#phase;
    return Math.max(0, Math.ceil((inputSamples * interpolation - nextAt) / decimation));
  }

  /** Works off `input` in pieces and writes outputs up to `end`; returns where the next one belongs. */
  #run(input: Float32Array, output: Float32Array, outputOffset: number, end: number): number {
    let written = outputOffset;
    for (let from = 0; from < input.length; from += PIECE_SAMPLES) {
      const pieceSamples = Math.min(PIECE_SAMPLES, input.length - from);
      // A loop, not set(subarray): that view would be garbage, and the samples change type on the way.
      for (let i = 0; i < pieceSamples; i++) this.#window[this.#historySamples + i] = input[from + i]!;
      written = this.#filterPiece(pieceSamples, output, written, end);
      this.#window.copyWithin(0, pieceSamples, pieceSamples + this.#historySamples);
    }
    return written;
  }

  /** Hot: computes every output whose newest sample lies in the piece, up to `end`. */
  #filterPiece(pieceSamples: number, output: Float32Array, outputOffset: number, end: number): number {
    const { interpolation, decimation, tapsPerPhase, taps } = this.#bank;
    const window = this.#window;
    let phase = this.#phase;
    let at = this.#nextInput;
    let written = outputOffset;
    while (at < pieceSamples && written < end) {
      output[written++] = dotProduct(taps, phase * tapsPerPhase, window, at, tapsPerPhase);
      phase += decimation;
      const steps = Math.floor(phase / interpolation);
      phase -= steps * interpolation;
      at += steps;
    }
    this.#phase = phase;
    this.#nextInput = at - pieceSamples;
    return written;
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

/** Equal rates: a copy. */
class PassThrough implements Resampler {
  readonly implementation = 'typescript';
  readonly delaySamples = 0;

  process(input: Float32Array, output: Float32Array): number {
    if (output.length < input.length) {
      const message = `resampler output holds ${output.length} samples, ${input.length} are due`;
      throw new WildfireError('INVALID_STATE', message);
    }
    output.set(input);
    return input.length;
  }

  maxOutputSamples(inputSamples: number): number {
    return inputSamples;
  }

  flush(): number {
    return 0;
  }

  reset(): void {}
}
