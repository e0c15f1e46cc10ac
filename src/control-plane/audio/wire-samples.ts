/**
 * Samples as the wire carries them: float32 little-endian, or mu-law when a length is not divisible by four.
 * Thread: wire audio. Pure.
 */
import { decodeUlaw } from '../../audio/g711.ts';
import { floatToInt16, int16ToFloat } from '../../audio/pcm.ts';
import { createResampler, type Resampler } from '../../native/resampler.ts';

/** Rate of mu-law chunks, whatever their header says. */
const ULAW_RATE_HZ = 8000;

/** Samples of a chunk, -1..1, at the rate that is returned with them. */
export function samplesOf(
  bytes: Uint8Array<ArrayBuffer>,
  rateHz: number,
): { readonly samples: Float32Array; readonly rateHz: number } {
  if (bytes.length % 4 === 0) return { samples: floats(bytes), rateHz };
  const pcm = new Int16Array(bytes.length);
  decodeUlaw(bytes, pcm, bytes.length);
  const samples = new Float32Array(bytes.length);
  int16ToFloat(pcm, samples, pcm.length);
  return { samples, rateHz: ULAW_RATE_HZ };
}

/** float32 of a frame, rounded and clipped; a last sample that is not whole is left out. */
export function int16Of(bytes: Uint8Array<ArrayBuffer>): Int16Array {
  const samples = floats(bytes);
  const pcm = new Int16Array(samples.length);
  floatToInt16(samples, pcm, samples.length);
  return pcm;
}

/** 16-bit samples as float32 bytes, at the same rate. */
export function bytesOf(pcm: Int16Array): Uint8Array<ArrayBuffer> {
  const samples = new Float32Array(pcm.length);
  int16ToFloat(pcm, samples, pcm.length);
  return new Uint8Array(samples.buffer);
}

/** A whole utterance at another rate, aligned with its beginning. */
export function resampled(pcm: Int16Array, fromHz: number, toHz: number): Float32Array<ArrayBuffer> {
  const input = new Float32Array(pcm.length);
  int16ToFloat(pcm, input, pcm.length);
  if (fromHz === toHz) return input;
  const resampler = createResampler({ fromHz, toHz });
  const output = new Float32Array(resampler.maxOutputSamples(input.length) + resampler.delaySamples);
  const made = resampler.process(input, output);
  const total = made + resampler.flush(output.subarray(made));
  return output.slice(resampler.delaySamples, total);
}

/** A stream of chunks of any rate on its way to one rate. */
export class ChunkResampler {
  readonly #toHz: number;
  #fromHz = 0;
  #resampler: Resampler | null = null;

  constructor(toHz: number) {
    this.#toHz = toHz;
  }

  /** The samples that a chunk completes; what a chunk of another rate leaves behind comes first. */
  push(bytes: Uint8Array<ArrayBuffer>, statedHz: number): Int16Array {
    const { samples, rateHz } = samplesOf(bytes, statedHz);
    const rest = rateHz === this.#fromHz ? EMPTY : this.finish();
    this.#fromHz = rateHz;
    this.#resampler ??= createResampler({ fromHz: rateHz, toHz: this.#toHz });
    const output = new Float32Array(this.#resampler.maxOutputSamples(samples.length));
    const made = this.#resampler.process(samples, output);
    return joined(rest, toPcm(output.subarray(0, made)));
  }

  /** The last samples of the stream; the next chunk begins another. */
  finish(): Int16Array {
    if (this.#resampler === null) return EMPTY;
    const output = new Float32Array(this.#resampler.maxOutputSamples(0) + this.#resampler.delaySamples + 1);
    const made = this.#resampler.flush(output);
    this.#resampler = null;
    this.#fromHz = 0;
    return toPcm(output.subarray(0, made));
  }
}

const EMPTY = new Int16Array(0);

function floats(bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const length = Math.floor(bytes.length / 4);
  if (bytes.byteOffset % 4 === 0) return new Float32Array(bytes.buffer, bytes.byteOffset, length);
  return new Float32Array(bytes.slice().buffer, 0, length);
}

function toPcm(samples: Float32Array): Int16Array {
  const pcm = new Int16Array(samples.length);
  floatToInt16(samples, pcm, samples.length);
  return pcm;
}

function joined(a: Int16Array, b: Int16Array): Int16Array {
  if (a.length === 0) return b;
  const both = new Int16Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
