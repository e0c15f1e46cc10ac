/** Every implementation that this box can run: the TypeScript twin, the prebuilt addon, one that was built here. */
import { existsSync } from 'node:fs';
import { type Addon, loadAddon } from '../../src/native/addon.ts';
import { builtFile, PREBUILT_FILE } from '../../src/native/addon-files.ts';
import { createNativeBatch, createNativeResampler } from '../../src/native/native-resampler.ts';
import { createPolyphaseBatch, createPolyphaseResampler } from '../../src/native/polyphase-resampler.ts';
import type {
  Resampler,
  ResamplerBatch,
  ResamplerBatchOptions,
  ResamplerOptions,
} from '../../src/native/stream.ts';

export interface Implementation {
  readonly name: string;
  /** Null: TypeScript. */
  readonly addon: Addon | null;
  create(options: ResamplerOptions): Resampler;
  createBatch(options: ResamplerBatchOptions): ResamplerBatch;
}

/** Whether the prebuilt addon is meant for this box: the C library of musl systems and of old ones does not fit. */
export const IS_PREBUILT_PLATFORM =
  process.platform === 'linux' && process.arch === 'x64' && glibcVersion() >= 2.34;

export const TYPESCRIPT: Implementation = {
  name: 'typescript',
  addon: null,
  create: createPolyphaseResampler,
  createBatch: createPolyphaseBatch,
};

export const NATIVE: readonly Implementation[] = [
  ...(IS_PREBUILT_PLATFORM ? [native('prebuilt', PREBUILT_FILE)] : []),
  ...(existsSync(builtFile()) ? [native('built here', builtFile())] : []),
];

export const IMPLEMENTATIONS: readonly Implementation[] = [TYPESCRIPT, ...NATIVE];

/** Every pair of the rates that calls, models and sound cards use. */
export const RATES_HZ = [8000, 16_000, 22_050, 24_000, 48_000];
export const PAIRS = RATES_HZ.flatMap((fromHz) => RATES_HZ.map((toHz) => ({ fromHz, toHz }))).filter(
  ({ fromHz, toHz }) => fromHz !== toHz,
);

function native(name: string, file: string): Implementation {
  const addon = loadAddon(file);
  return {
    name,
    addon,
    create: (options) => createNativeResampler(addon, options),
    createBatch: (options) => createNativeBatch(addon, options),
  };
}

/** 0 where there is none. */
function glibcVersion(): number {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const [major = '0', minor = '0'] = (header.glibcVersionRuntime ?? '0.0').split('.');
  return Number(major) + Number(minor) / 100;
}
