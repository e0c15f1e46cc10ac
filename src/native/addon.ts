/**
 * Finds and loads the compiled addon, once per thread, and states its interface. Where none fits this box there is
 * none, and the TypeScript twins do its work. Thread: any.
 * The other side: crate/addon/src/lib.rs.
 */
import { createRequire } from 'node:module';
import { messageOf } from '../errors.ts';
import { addonFiles } from './addon-files.ts';
import type { SampleBlock } from './stream.ts';

/** Classes and functions as the Rust crate exports them. Lengths and jobs as in stream.ts. */
export interface Addon {
  describe(): AddonDescription;
  /** Begins to give free pages of malloc's arenas back; false while that is under way, or not to be had. */
  releaseFreeMemory(): boolean;
  readonly FilterBank: new (
    taps: Float32Array,
    interpolation: number,
    decimation: number,
    delaySamples: number,
  ) => AddonFilterBank;
  readonly Resampler: new (bank: AddonFilterBank, channels: number) => AddonResampler;
  readonly ResamplerBatch: new (bank: AddonFilterBank, streams: number) => AddonBatch;
  readonly LogMel: new (
    firstBin: readonly number[],
    weightStart: readonly number[],
    weights: readonly number[],
  ) => AddonLogMel;
}

export interface AddonDescription {
  /** `sourceHash` of the sources that it was built from. */
  readonly sourceHash: string;
  readonly toolchain: string;
  /** portable, avx2 or avx512: what this processor has. */
  readonly instructions: string;
}

/** Nothing that JavaScript could look into. */
export interface AddonFilterBank {
  readonly [filterBank: symbol]: never;
}

export interface AddonResampler {
  /** Samples written, or -1 - n when n are due and do not fit. */
  process(input: SampleBlock, output: SampleBlock): number;
  flush(output: SampleBlock): number;
  reset(): void;
}

export interface AddonBatch {
  /** How many jobs were done; fewer than there are: the next one is wrong. */
  process(input: SampleBlock, output: SampleBlock, jobs: Int32Array): number;
  flush(stream: number, output: SampleBlock): number;
  reset(stream: number): void;
}

export interface AddonLogMel {
  /** False, and nothing done, when the target's length is not mel bins x frames. */
  extract(samples: Float32Array, frames: number, target: Float32Array): boolean;
}

export interface AddonSearch {
  readonly addon: Addon | null;
  /** What was found, or why there is none, for a person. */
  readonly remark: string;
}

let found: AddonSearch | undefined;

/** The addon for this box. @throws never */
export function nativeAddon(): AddonSearch {
  found ??= search();
  return found;
}

/** Loads an addon by its path. @throws Error from the dynamic loader */
export function loadAddon(file: string): Addon {
  return createRequire(import.meta.url)(file) as Addon;
}

function search(): AddonSearch {
  const reasons: string[] = [];
  for (const { file, origin } of addonFiles()) {
    try {
      const addon = loadAddon(file);
      const { instructions, toolchain } = addon.describe();
      return { addon, remark: `${origin}, ${instructions}, ${toolchain}` };
    } catch (error) {
      reasons.push(`${origin}: ${messageOf(error).split('\n')[0]}`);
    }
  }
  const platform = `${process.platform} ${process.arch}`;
  return { addon: null, remark: reasons.join('; ') || `no addon was built for ${platform}` };
}
