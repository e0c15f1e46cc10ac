/**
 * What a resampler is, single and in batches, and the rules that hold for every implementation.
 * Thread: any; a resampler belongs to the one that made it. Hot: nothing here allocates unless it throws.
 */
import { WildfireError } from '../errors.ts';

/**
 * Samples, -1..1 or 16 bits, on shared memory or not, from any element on. With several channels they lie interleaved.
 * Nobody else may write them during a call, and input and output must not overlap.
 */
export type SampleBlock = Float32Array | Int16Array;

export type Implementation = 'typescript' | 'native';

/** A stream on its way from one rate to another. */
export interface Resampler {
  /**
   * Takes all of `input` and writes what it completes; blocks of any length give the same stream.
   * Written as 16 bits, samples are rounded and clipped, and what is not a number becomes 0.
   * @returns samples written to the start of `output`, all channels together.
   * @throws WildfireError INVALID_STATE when `output` is shorter than the result, or `input` does not hold as many
   *   samples of each channel; nothing is taken then.
   */
  process(input: SampleBlock, output: SampleBlock): number;
  /** The most that one `process` of so many samples can write. */
  maxOutputSamples(inputSamples: number): number;
  /**
   * Ends the stream: writes the last `delaySamples` samples of each channel and starts anew. In all,
   * ceil(input * toHz / fromHz) + delaySamples come out of each channel.
   * @returns samples written to the start of `output`.
   */
  flush(output: SampleBlock): number;
  /** Forgets the stream. */
  reset(): void;
  /** How far the output lags behind the input, in output samples of one channel; skip as many at the start to align. */
  readonly delaySamples: number;
  readonly channels: number;
  readonly implementation: Implementation;
}

export interface ResamplerOptions {
  readonly fromHz: number;
  readonly toHz: number;
  /** Interleaved channels, 1 to 8; 1 if not given. */
  readonly channels?: number;
}

/** Where each number of a job stands; a job is JOB_NUMBERS of them. */
export const JOB = { stream: 0, inputFrom: 1, inputSamples: 2, outputFrom: 3, outputSamples: 4 } as const;
export const JOB_NUMBERS = 5;

/** Many streams of one pair of rates, one channel each, worked on in one call. */
export interface ResamplerBatch {
  /**
   * Does jobs in their order, each as `Resampler.process`: takes `inputSamples` samples of `input` from `inputFrom` on
   * for `stream`, writes to `output` from `outputFrom` on, and notes in `outputSamples` how many came out.
   * @throws WildfireError INVALID_STATE at the first job that names no stream or does not fit; those before it are done.
   */
  process(input: SampleBlock, output: SampleBlock, jobs: Int32Array): void;
  /** The most that one job of so many samples can write. */
  maxOutputSamples(inputSamples: number): number;
  /** As `Resampler.flush`. @throws WildfireError INVALID_STATE also when there is no such stream. */
  flush(stream: number, output: SampleBlock): number;
  /** Forgets one stream, so that another call may take its place. */
  reset(stream: number): void;
  readonly streams: number;
  readonly delaySamples: number;
  readonly implementation: Implementation;
}

export interface ResamplerBatchOptions {
  readonly fromHz: number;
  readonly toHz: number;
  readonly streams: number;
}

const MAX_CHANNELS = 8;
const MAX_STREAMS = 65_536;

/** @throws WildfireError AUDIO_INVALID */
export function checkedChannels({ channels = 1 }: ResamplerOptions): number {
  return checkedCount('channels', channels, MAX_CHANNELS);
}

/** @throws WildfireError AUDIO_INVALID also for equal rates: there is nothing to batch. */
export function checkedStreams({ fromHz, toHz, streams }: ResamplerBatchOptions): number {
  if (fromHz === toHz) throw new WildfireError('AUDIO_INVALID', `a batch from ${fromHz} Hz to the same`);
  return checkedCount('streams', streams, MAX_STREAMS);
}

/** @throws WildfireError INVALID_STATE */
export function requireRoom(output: SampleBlock, dueSamples: number): void {
  if (output.length < dueSamples) throw outputTooShort(output, dueSamples);
}

/** @throws WildfireError INVALID_STATE */
export function requireWhole(input: SampleBlock, channels: number): void {
  if (input.length % channels === 0) return;
  throw new WildfireError(
    'INVALID_STATE',
    `${input.length} samples are not as many of each of ${channels} channels`,
  );
}

export function outputTooShort(output: SampleBlock, dueSamples: number): WildfireError {
  const message = `resampler output holds ${output.length} samples, ${dueSamples} are due`;
  return new WildfireError('INVALID_STATE', message);
}

export function wrongJob(index: number): WildfireError {
  return new WildfireError(
    'INVALID_STATE',
    `job ${index} names no stream of the batch or does not fit its blocks`,
  );
}

export function noSuchStream(stream: number): WildfireError {
  return new WildfireError('INVALID_STATE', `the batch has no stream ${stream}`);
}

function checkedCount(name: string, count: number, most: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= most) return count;
  throw new WildfireError('AUDIO_INVALID', `${name}: expected 1 to ${most}, got ${count}`);
}
