/**
 * Features for Whisper: by the native addon where there is one, else by its TypeScript twin, log-mel.ts.
 * Thread: whisper worker, once per window. Allocates only for a window longer than any before.
 */
import { WildfireError } from '../../../errors.ts';
import { type Addon, type AddonLogMel, nativeAddon } from '../../../native/addon.ts';
import { LogMel, WHISPER_RATE_HZ } from './log-mel.ts';
import { slaneyMelFilters } from './mel-filters.ts';
import { POWER_BINS } from './power-spectrum.ts';

/** Owns scratch memory: one for each thread. */
export interface FeatureExtractor {
  /**
   * Features of `samples` padded with zeros to `frames` x 10 ms.
   * @param samples mono, -1..1, 16 kHz; what is longer than frames * 160 is not read.
   * @param target receives [melBins, frames] row by row.
   */
  extract(samples: Float32Array, frames: number, target: Float32Array): void;
}

export interface FeatureShape {
  /** 80 (all Whispers up to large-v2) or 128 (large-v3). */
  readonly melBins: number;
}

export function createFeatureExtractor(shape: FeatureShape): FeatureExtractor {
  const { addon } = nativeAddon();
  return addon === null ? new LogMel(shape) : new NativeLogMel(addon, shape);
}

/** The same features by the Rust crate (src/native/crate/dsp/src/log_mel.rs), with the same mel filters. */
export class NativeLogMel implements FeatureExtractor {
  readonly #native: AddonLogMel;

  constructor(addon: Addon, { melBins }: FeatureShape) {
    const { firstBin, weightStart, weights } = slaneyMelFilters(melBins, POWER_BINS, WHISPER_RATE_HZ / 2);
    this.#native = new addon.LogMel(Array.from(firstBin), Array.from(weightStart), Array.from(weights));
  }

  /** @throws WildfireError INVALID_STATE when the target is not as long as mel bins x frames. */
  extract(samples: Float32Array, frames: number, target: Float32Array): void {
    if (this.#native.extract(samples, frames, target)) return;
    throw new WildfireError('INVALID_STATE', `${target.length} features are not mel bins x ${frames} frames`);
  }
}
