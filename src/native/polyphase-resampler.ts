/**
 * The TypeScript twin of the native resampler: polyphase filtering, exact ratio, any block length.
 * Thread: model workers. Hot: `process` does not allocate. Filters: filter-bank.ts.
 */
import { type FilterBank, filterBankFor, maxOutputSamples } from './filter-bank.ts';
import { PolyphaseChannel } from './polyphase-channel.ts';
import {
  checkedChannels,
  checkedStreams,
  JOB,
  JOB_NUMBERS,
  noSuchStream,
  type Resampler,
  type ResamplerBatch,
  type ResamplerBatchOptions,
  type ResamplerOptions,
  requireRoom,
  requireWhole,
  type SampleBlock,
  wrongJob,
} from './stream.ts';

/** @throws WildfireError AUDIO_INVALID for impossible rates or channels. */
export function createPolyphaseResampler(options: ResamplerOptions): Resampler {
  return new PolyphaseResampler(filterBankFor(options.fromHz, options.toHz), checkedChannels(options));
}

/** @throws WildfireError AUDIO_INVALID for impossible rates or streams. */
export function createPolyphaseBatch(options: ResamplerBatchOptions): ResamplerBatch {
  return new PolyphaseBatch(filterBankFor(options.fromHz, options.toHz), checkedStreams(options));
}

class PolyphaseResampler implements Resampler {
  readonly implementation = 'typescript';
  readonly delaySamples: number;
  readonly #bank: FilterBank;
  readonly #channels: readonly PolyphaseChannel[];

  constructor(bank: FilterBank, channels: number) {
    this.#bank = bank;
    this.#channels = Array.from(
      { length: channels },
      (_, at) => new PolyphaseChannel(bank, { at, of: channels }),
    );
    this.delaySamples = bank.delaySamples;
  }

  get channels(): number {
    return this.#channels.length;
  }

  maxOutputSamples(inputSamples: number): number {
    return this.channels * maxOutputSamples(this.#bank, inputSamples / this.channels);
  }

  process(input: SampleBlock, output: SampleBlock): number {
    requireWhole(input, this.channels);
    const due = this.#channels[0]!.outputsWithin(input.length / this.channels);
    requireRoom(output, due * this.channels);
    for (let i = 0; i < this.#channels.length; i++) this.#channels[i]!.process(input, output);
    return due * this.channels;
  }

  /** Whether `output` holds what `process` would write for so many samples. */
  fits(inputSamples: number, output: SampleBlock): boolean {
    return this.#channels[0]!.outputsWithin(inputSamples / this.channels) * this.channels <= output.length;
  }

  flush(output: SampleBlock): number {
    requireRoom(output, this.delaySamples * this.channels);
    for (const channel of this.#channels) channel.flush(output);
    return this.delaySamples * this.channels;
  }

  reset(): void {
    for (const channel of this.#channels) channel.reset();
  }
}

class PolyphaseBatch implements ResamplerBatch {
  readonly implementation = 'typescript';
  readonly delaySamples: number;
  readonly #bank: FilterBank;
  readonly #streams: readonly PolyphaseResampler[];

  constructor(bank: FilterBank, streams: number) {
    this.#bank = bank;
    this.#streams = Array.from({ length: streams }, () => new PolyphaseResampler(bank, 1));
    this.delaySamples = bank.delaySamples;
  }

  get streams(): number {
    return this.#streams.length;
  }

  maxOutputSamples(inputSamples: number): number {
    return maxOutputSamples(this.#bank, inputSamples);
  }

  process(input: SampleBlock, output: SampleBlock, jobs: Int32Array): void {
    for (let index = 0; (index + 1) * JOB_NUMBERS <= jobs.length; index++) {
      const at = index * JOB_NUMBERS;
      const stream = this.#streams[jobs[at + JOB.stream]!];
      const inputFrom = jobs[at + JOB.inputFrom]!;
      const inputEnd = inputFrom + jobs[at + JOB.inputSamples]!;
      const outputFrom = jobs[at + JOB.outputFrom]!;
      const isInside = inputFrom >= 0 && inputEnd >= inputFrom && inputEnd <= input.length;
      if (stream === undefined || !isInside || outputFrom < 0) throw wrongJob(index);
      const target = output.subarray(outputFrom);
      if (outputFrom > output.length || !stream.fits(inputEnd - inputFrom, target)) throw wrongJob(index);
      jobs[at + JOB.outputSamples] = stream.process(input.subarray(inputFrom, inputEnd), target);
    }
  }

  flush(stream: number, output: SampleBlock): number {
    return this.#streamOf(stream).flush(output);
  }

  reset(stream: number): void {
    this.#streamOf(stream).reset();
  }

  #streamOf(stream: number): PolyphaseResampler {
    const found = this.#streams[stream];
    if (found === undefined) throw noSuchStream(stream);
    return found;
  }
}
