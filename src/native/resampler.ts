/**
 * Resampler: the one interface behind which the native crate and its TypeScript twin stand.
 * Thread: model workers (once per utterance or sentence), never media. Hot: `process` does not allocate.
 * Walk: turn steps 4 (8 to 16 kHz for Whisper) and 8 (24 kHz of the TTS to the leg's rate).
 */
import { createPolyphaseResampler } from './polyphase-resampler.ts';

/** A stream of float samples on its way from one rate to another. Belongs to one thread. */
export interface Resampler {
  /**
   * Takes all of `input` and writes what it completes; blocks of any length give the same stream.
   * @returns samples written to the start of `output`.
   * @throws WildfireError INVALID_STATE when `output` is shorter than the result; nothing is taken then.
   */
  process(input: Float32Array, output: Float32Array): number;
  /** The most that one `process` of so many samples can write. */
  maxOutputSamples(inputSamples: number): number;
  /**
   * Ends the stream: writes its last `delaySamples` samples and starts anew. In all,
   * ceil(input * toHz / fromHz) + delaySamples come out.
   * @returns samples written to the start of `output`.
   */
  flush(output: Float32Array): number;
  /** Forgets the stream. */
  reset(): void;
  /** How far the output lags behind the input, in output samples; skip as many at the start to align. */
  readonly delaySamples: number;
  readonly implementation: 'typescript' | 'native';
}

export interface ResamplerOptions {
  readonly fromHz: number;
  readonly toHz: number;
}

/**
 * Makes a resampler; equal rates give a plain copy without delay.
 * @throws WildfireError AUDIO_INVALID for rates that are no whole Hz or whose ratio is unreasonable.
 */
export function createResampler(options: ResamplerOptions): Resampler {
  return createPolyphaseResampler(options);
}
