/**
 * A model pack on disk: its manifest, checked, and where each stage finds its files.
 * Thread: main, at start, and the CLI. Nothing here asks which pack it is.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { messageOf, WildfireError } from '../errors.ts';
import { type PackFile, type PackManifest, parseManifest } from './manifest.ts';
import { repairCommand } from './pack-folders.ts';

export interface ModelPack {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly description: string;
  /** Absolute. */
  readonly folder: string;
  readonly agent: PackManifest['agent'];
  /** Stage settings with their folder or file made absolute. */
  readonly whisper: PackManifest['stages']['whisper'];
  readonly llama: PackManifest['stages']['llama'];
  readonly tts: PackManifest['stages']['tts'];
  readonly totalBytes: number;
}

/** 'quick': every file is there in its size. 'full': its SHA-256 is right, too. */
export type Verification = 'quick' | 'full';

export interface LoadPackOptions {
  /** Default: full for packs up to FULL_CHECK_BYTES, quick for larger ones. */
  readonly verification?: Verification;
}

/** What is wrong with one file of a pack. */
export interface FileFault {
  readonly path: string;
  readonly fault: 'missing' | 'wrongSize' | 'wrongHash';
}

/** Packs up to this are hashed at every start: 64 MiB take about 0.2 s. */
export const FULL_CHECK_BYTES = 64 * 1024 * 1024;
export const MANIFEST_FILE = 'manifest.json';

/**
 * Reads a pack's manifest and checks its files.
 * @throws WildfireError MODEL_MISSING or MODEL_DAMAGED that name the file, the pack and the repairing command.
 */
export async function loadPack(folder: string, options: LoadPackOptions = {}): Promise<ModelPack> {
  const packFolder = resolve(folder);
  const manifest = await readManifest(packFolder);
  const totalBytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const verification = options.verification ?? (totalBytes <= FULL_CHECK_BYTES ? 'full' : 'quick');
  for (const file of manifest.files) {
    const fault = await faultOf(packFolder, file, verification);
    if (fault !== null) throw faultError(packFolder, manifest.name, fault);
  }
  const { whisper, llama, tts } = manifest.stages;
  return {
    name: manifest.name,
    version: manifest.version,
    licence: manifest.licence,
    description: manifest.description,
    folder: packFolder,
    agent: manifest.agent,
    whisper: { ...whisper, folder: join(packFolder, whisper.folder) },
    llama: { ...llama, file: join(packFolder, llama.file) },
    tts: { ...tts, folder: join(packFolder, tts.folder) },
    totalBytes,
  };
}

/**
 * Checks all files of a pack by SHA-256, for `models verify`.
 * @returns every fault; empty when the pack is whole.
 * @throws WildfireError as loadPack, for the manifest only.
 */
export async function verifyPack(folder: string): Promise<FileFault[]> {
  const packFolder = resolve(folder);
  const manifest = await readManifest(packFolder);
  const faults = await Promise.all(manifest.files.map((file) => faultOf(packFolder, file, 'full')));
  return faults.filter((fault) => fault !== null);
}

/** @throws WildfireError MODEL_MISSING without a manifest, MODEL_DAMAGED when it is not one. */
export async function readManifest(folder: string): Promise<PackManifest> {
  const path = join(folder, MANIFEST_FILE);
  const json = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
      throw faultError(folder, basename(folder), { path: MANIFEST_FILE, fault: 'missing' });
    }
    throw damagedManifest(folder, messageOf(error));
  });
  const manifest = parseOrThrow(folder, json);
  const unlisted = stageFileNotListed(manifest);
  if (unlisted !== null) throw damagedManifest(folder, `no file of stage ${unlisted} is listed`);
  return manifest;
}

function parseOrThrow(folder: string, json: string): PackManifest {
  try {
    return parseManifest(json);
  } catch (error) {
    throw damagedManifest(folder, error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error));
  }
}

/** The stage whose folder or file no entry of `files` lies in, so that it would go unchecked. */
export function stageFileNotListed(manifest: PackManifest): string | null {
  const { whisper, llama, tts } = manifest.stages;
  const paths = manifest.files.map((file) => file.path);
  if (!paths.some((path) => path.startsWith(`${whisper.folder}/`))) return 'whisper';
  if (!paths.includes(llama.file)) return 'llama';
  if (!paths.some((path) => path.startsWith(`${tts.folder}/`))) return 'tts';
  return null;
}

async function faultOf(
  folder: string,
  file: PackFile,
  verification: Verification,
): Promise<FileFault | null> {
  const path = join(folder, file.path);
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile()) return { path: file.path, fault: 'missing' };
  if (found.size !== file.bytes) return { path: file.path, fault: 'wrongSize' };
  if (verification === 'quick' || (await sha256Of(path)) === file.sha256) return null;
  return { path: file.path, fault: 'wrongHash' };
}

/** In hexadecimal digits. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

/** What is said of a file after its name. */
export const FAULT_WORDS: Readonly<Record<FileFault['fault'], string>> = {
  missing: 'is missing',
  wrongSize: 'has the wrong size',
  wrongHash: 'is damaged (its SHA-256 differs)',
};

function faultError(folder: string, pack: string, { path, fault }: FileFault): WildfireError {
  const repair = repairCommand(folder);
  const message = `${path} of model pack '${pack}' ${FAULT_WORDS[fault]} (in ${folder}); repair it with ${repair}`;
  const code = fault === 'missing' ? 'MODEL_MISSING' : 'MODEL_DAMAGED';
  return new WildfireError(code, message, { context: { file: join(folder, path), pack, repair } });
}

function damagedManifest(folder: string, reason: string): WildfireError {
  const pack = basename(folder);
  const repair = repairCommand(folder);
  const message = `${MANIFEST_FILE} of model pack '${pack}' is damaged (in ${folder}): ${reason}; repair it with ${repair}`;
  return new WildfireError('MODEL_DAMAGED', message, {
    context: { file: join(folder, MANIFEST_FILE), pack, repair },
  });
}
