/**
 * The resampler of the Rust crate (crate/dsp/src/resampler.rs), with the filters of filter-bank.ts.
 * Thread: model workers. Hot: `process` is one native call and allocates nothing.
 */
import type { Addon, AddonBatch, AddonFilterBank, AddonResampler } from './addon.ts';
import { type FilterBank, filterBankFor, maxOutputSamples } from './filter-bank.ts';
import {
  checkedChannels,
  checkedStreams,
  JOB_NUMBERS,
  noSuchStream,
  outputTooShort,
  type Resampler,
  type ResamplerBatch,
  type ResamplerBatchOptions,
  type ResamplerOptions,
  requireWhole,
  type SampleBlock,
  wrongJob,
} from './stream.ts';

/** @throws WildfireError AUDIO_INVALID for impossible rates or channels. */
export function createNativeResampler(addon: Addon, options: ResamplerOptions): Resampler {
  const bank = filterBankFor(options.fromHz, options.toHz);
  const channels = checkedChannels(options);
  return new NativeResampler(bank, channels, new addon.Resampler(nativeBank(addon, bank), channels));
}

/** @throws WildfireError AUDIO_INVALID for impossible rates or streams. */
export function createNativeBatch(addon: Addon, options: ResamplerBatchOptions): ResamplerBatch {
  const bank = filterBankFor(options.fromHz, options.toHz);
  const streams = checkedStreams(options);
  return new NativeBatch(bank, streams, new addon.ResamplerBatch(nativeBank(addon, bank), streams));
}

/** The addon's copy of each bank; a thread has one addon (tests have more). */
const nativeBanks = new WeakMap<Addon, Map<FilterBank, AddonFilterBank>>();

function nativeBank(addon: Addon, bank: FilterBank): AddonFilterBank {
  const banks = nativeBanks.get(addon) ?? new Map<FilterBank, AddonFilterBank>();
  nativeBanks.set(addon, banks);
  const known = banks.get(bank);
  if (known !== undefined) return known;
  const { taps, interpolation, decimation, delaySamples } = bank;
  const made = new addon.FilterBank(Float32Array.from(taps), interpolation, decimation, delaySamples);
  banks.set(bank, made);
  return made;
}

class NativeResampler implements Resampler {
  readonly implementation = 'native';
  readonly delaySamples: number;
  readonly channels: number;
  readonly #bank: FilterBank;
  readonly #native: AddonResampler;

  constructor(bank: FilterBank, channels: number, native: AddonResampler) {
    this.#bank = bank;
    this.channels = channels;
    this.#native = native;
    this.delaySamples = bank.delaySamples;
  }

  maxOutputSamples(inputSamples: number): number {
    return this.channels * maxOutputSamples(this.#bank, inputSamples / this.channels);
  }

  process(input: SampleBlock, output: SampleBlock): number {
    if (this.channels > 1) requireWhole(input, this.channels);
    const written = this.#native.process(input, output);
    if (written < 0) throw outputTooShort(output, -1 - written);
    return written;
  }

  flush(output: SampleBlock): number {
    const written = this.#native.flush(output);
    if (written < 0) throw outputTooShort(output, -1 - written);
    return written;
  }

  reset(): void {
    this.#native.reset();
  }
}

class NativeBatch implements ResamplerBatch {
  readonly implementation = 'native';
  readonly delaySamples: number;
  readonly streams: number;
  readonly #bank: FilterBank;
  readonly #native: AddonBatch;

  constructor(bank: FilterBank, streams: number, native: AddonBatch) {
    this.#bank = bank;
    this.streams = streams;
    this.#native = native;
    this.delaySamples = bank.delaySamples;
  }

  maxOutputSamples(inputSamples: number): number {
    return maxOutputSamples(this.#bank, inputSamples);
  }

  process(input: SampleBlock, output: SampleBlock, jobs: Int32Array): void {
    const done = this.#native.process(input, output, jobs);
    if (done < Math.floor(jobs.length / JOB_NUMBERS)) throw wrongJob(done);
  }

  flush(stream: number, output: SampleBlock): number {
    this.#requireStream(stream);
    const written = this.#native.flush(stream, output);
    if (written < 0) throw outputTooShort(output, -1 - written);
    return written;
  }

  reset(stream: number): void {
    this.#requireStream(stream);
    this.#native.reset(stream);
  }

  #requireStream(stream: number): void {
    if (!(Number.isInteger(stream) && stream >= 0 && stream < this.streams)) throw noSuchStream(stream);
  }
}
