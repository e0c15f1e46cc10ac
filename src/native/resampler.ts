/**
 * Resampler: which implementation there is, the Rust crate or its TypeScript twin. What one is: stream.ts.
 * Thread: model workers (once per utterance or sentence), never media.
 * Walk: turn steps 4 (8 to 16 kHz for Whisper) and 8 (24 kHz of the TTS to the leg's rate).
 */
import { nativeAddon } from './addon.ts';
import { createNativeBatch, createNativeResampler } from './native-resampler.ts';
import { createPassThrough } from './pass-through.ts';
import { createPolyphaseBatch, createPolyphaseResampler } from './polyphase-resampler.ts';
import type { Resampler, ResamplerBatch, ResamplerBatchOptions, ResamplerOptions } from './stream.ts';

export { JOB, JOB_NUMBERS, type Resampler, type ResamplerBatch, type SampleBlock } from './stream.ts';

/**
 * Makes a resampler; equal rates give a plain copy without delay.
 * @throws WildfireError AUDIO_INVALID for rates that are no whole Hz, whose ratio is unreasonable, or a wrong number of
 *   channels.
 */
export function createResampler(options: ResamplerOptions): Resampler {
  if (options.fromHz === options.toHz) return createPassThrough(options);
  const { addon } = nativeAddon();
  return addon === null ? createPolyphaseResampler(options) : createNativeResampler(addon, options);
}

/** @throws WildfireError AUDIO_INVALID as `createResampler`, and for equal rates or a wrong number of streams. */
export function createResamplerBatch(options: ResamplerBatchOptions): ResamplerBatch {
  const { addon } = nativeAddon();
  return addon === null ? createPolyphaseBatch(options) : createNativeBatch(addon, options);
}
