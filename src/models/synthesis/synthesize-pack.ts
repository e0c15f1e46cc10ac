/**
 * A model pack whose named stages have the architecture, sizes and file formats of published models and random weights:
 * its timing is theirs, its answers mean nothing. Stages that nobody named are those of the shipped pack.
 * Thread: the CLI. Models of gigabytes go to disk as they are made.
 */
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, WildfireError } from '../../errors.ts';
import type { PackFile, PackManifest } from '../manifest.ts';
import { MANIFEST_FILE, readManifest } from '../pack.ts';
import { PACKS_FOLDER, SHIPPED_PACK } from '../pack-folders.ts';
import { writeKokoro } from './kokoro/kokoro-files.ts';
import { writeLlama } from './llama/llama-file.ts';
import { RandomWeights, type WeightType } from './random-weights.ts';
import type { NamedShape } from './shapes.ts';
import { writeParts } from './streamed-file.ts';
import { writeWhisper } from './whisper/whisper-files.ts';

/** One model to be made. */
export interface SyntheticModel {
  readonly name: string;
  readonly named: NamedShape;
  /** One of DTYPES of its stage. */
  readonly dtype: string;
}

export interface SynthesizePackOptions {
  /** One for each stage at the most, one at least. */
  readonly models: readonly SyntheticModel[];
  readonly seed: number;
  /** New, or empty. */
  readonly folder: string;
  /** The pack that gives the other stages. Default: the shipped one. */
  readonly basePack?: string;
  readonly onProgress?: (line: string) => void;
}

type Stage = NamedShape['stage'];
type Stages = PackManifest['stages'];

/** What a stage's weights can be stored as; the first is the default. */
export const DTYPES: Readonly<Record<Stage, readonly string[]>> = {
  whisper: ['fp32', 'fp16'],
  llama: ['f16', 'q8_0', 'q4_0'],
  kokoro: ['fp32'],
};

/** Random weights are sure of nothing and repeat themselves: no guard may take that for silence. */
const UNGUARDED = {
  noSpeechCertain: 2,
  noSpeechLikely: 2,
  unsureLogProbability: -1000,
  minMeanLogProbability: -1000,
  loopTokens: 1000,
};
/** Made-up weights are never sure of anything, so that every utterance would be searched for. */
const NEVER_SEARCHING = { beams: 1 };

/**
 * Writes the pack; its manifest comes last, so that a folder with one is whole.
 * @returns the manifest.
 * @throws WildfireError USAGE_INVALID when the folder holds something or cannot be written to; then nothing is left.
 */
export async function synthesizePack(options: SynthesizePackOptions): Promise<PackManifest> {
  const { folder } = options;
  const wasThere = await assertEmpty(folder);
  try {
    return await writePack(options);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    if (wasThere) await mkdir(folder, { recursive: true });
    if (error instanceof WildfireError || !isFileSystemError(error)) throw error;
    throw new WildfireError('USAGE_INVALID', `cannot write to ${folder}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function writePack(options: SynthesizePackOptions): Promise<PackManifest> {
  const { models, seed, folder, onProgress = () => {} } = options;
  const base = options.basePack ?? join(PACKS_FOLDER, SHIPPED_PACK);
  const shipped = await readManifest(base);
  const files: PackFile[] = [];
  let stages: Stages = shipped.stages;
  for (const model of models) {
    onProgress(`${model.name}, ${model.dtype}`);
    const made = await writeModel(folder, model, seed);
    stages = { ...stages, ...made.stage };
    files.push(...made.files);
  }
  files.push(...(await copyStages(base, folder, shipped, models)));
  const manifest: PackManifest = {
    ...shipped,
    name: nameOf(models),
    version: `0.0.0-seed${seed}`,
    description: markOf(seed),
    weights: 'random',
    stages,
    files: files.sort((one, other) => (one.path < other.path ? -1 : 1)),
  };
  await writeParts(folder, MANIFEST_FILE, [Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)]);
  return manifest;
}

/** The name of a pack of these models. */
export function nameOf(models: readonly SyntheticModel[]): string {
  const parts = models.map(({ name, named, dtype }) =>
    dtype === DTYPES[named.stage][0] ? name : `${name}-${dtype}`,
  );
  return `synthetic-${parts.join('-')}`;
}

function markOf(seed: number): string {
  return `Random weights, seed ${seed}: true for timing, meaningless for quality.`;
}

async function writeModel(
  folder: string,
  { name, named, dtype }: SyntheticModel,
  seed: number,
): Promise<{ stage: Partial<Stages>; files: PackFile[] }> {
  const weights = new RandomWeights(seed);
  const metadata = { model: name, weights: markOf(seed) };
  switch (named.stage) {
    case 'whisper': {
      const type = dtype as 'fp32' | 'fp16';
      const files = await writeWhisper(folder, 'whisper', { shape: named.shape, type, weights, metadata });
      return {
        stage: {
          whisper: {
            engine: 'whisper',
            folder: 'whisper',
            dtype: type,
            window: 'full',
            guards: UNGUARDED,
            search: NEVER_SEARCHING,
          },
        },
        files,
      };
    }
    case 'llama': {
      const path = `llama/${name}-${dtype}.gguf`;
      const type = (dtype === 'f16' ? 'fp16' : dtype) as WeightType;
      const options = { shape: named.shape, type, weights, name, description: markOf(seed) };
      return {
        stage: { llama: { engine: 'llama', file: path, temperature: 0 } },
        files: [await writeLlama(folder, path, options)],
      };
    }
    case 'kokoro': {
      const files = await writeKokoro(folder, 'kokoro', { shape: named.shape, weights, metadata });
      return {
        stage: { tts: { engine: 'kokoro', folder: 'kokoro', dtype: 'fp32', voice: 'af_heart', speed: 1 } },
        files,
      };
    }
  }
}

/** The base pack's files of every stage that no model replaces. */
async function copyStages(
  base: string,
  folder: string,
  { stages, files }: PackManifest,
  models: readonly SyntheticModel[],
): Promise<PackFile[]> {
  const made = new Set(models.map(({ named }) => named.stage));
  const kept = [
    ...(made.has('whisper') ? [] : [stages.whisper.folder]),
    ...(made.has('llama') ? [] : [dirname(stages.llama.file)]),
    ...(made.has('kokoro') ? [] : [stages.tts.folder]),
  ];
  const wanted = files.filter(({ path }) => kept.some((stage) => path.startsWith(`${stage}/`)));
  for (const { path } of wanted) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await copyFile(join(base, path), join(folder, path));
  }
  return wanted;
}

/** @returns whether the folder is there. */
async function assertEmpty(folder: string): Promise<boolean> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new WildfireError('USAGE_INVALID', `cannot write to ${folder}: ${messageOf(error)}`, {
      cause: error,
    });
  });
  if (entries !== null && entries.length > 0) {
    throw new WildfireError(
      'USAGE_INVALID',
      `${folder} is not empty; remove it or choose another with --out`,
    );
  }
  return entries !== null;
}

function isFileSystemError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}
