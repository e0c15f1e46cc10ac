/**
 * Where addons lie, and which sources one is made from. Thread: any; reads a few small files, once.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CRATE_FOLDER = fileURLToPath(new URL('crate', import.meta.url));
/** The one that the repository brings; its name says for which platform. */
export const PREBUILT_FILE = fileURLToPath(new URL('prebuilt/linux-x64-gnu.node', import.meta.url));
const BUILT_FOLDER = fileURLToPath(new URL('../../.wildfire/native', import.meta.url));

export interface AddonFile {
  readonly file: string;
  /** For a person: where it comes from. */
  readonly origin: string;
}

/** The addons that may fit this box, best first; only those that exist. */
export function addonFiles(): AddonFile[] {
  const isPrebuiltFor = process.platform === 'linux' && process.arch === 'x64';
  const files: AddonFile[] = [];
  if (isPrebuiltFor && existsSync(PREBUILT_FILE)) {
    files.push({ file: PREBUILT_FILE, origin: 'prebuilt for linux-x64-gnu' });
  }
  const built = builtFile();
  if (existsSync(built)) files.push({ file: built, origin: 'built here' });
  return files;
}

/** Where `build-addon.ts` puts what it builds: the name changes with the sources, so that no stale one is ever loaded. */
export function builtFile(): string {
  return join(BUILT_FOLDER, `${process.platform}-${process.arch}-${sourceHash().slice(0, 16)}.node`);
}

/** SHA-256 over names and contents of all that goes into the addon: manifests, lock file and sources. */
export function sourceHash(): string {
  const hash = createHash('sha256');
  for (const file of sourceFiles()) {
    hash.update(`${relative(CRATE_FOLDER, file).split(sep).join('/')}\0`);
    hash.update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

function sourceFiles(): string[] {
  const isSource = /(^|[\\/])(Cargo\.(toml|lock)|build\.rs|src[\\/].*\.rs)$/;
  const folders = ['.', 'dsp', 'addon', 'dsp/src', 'addon/src'];
  return folders
    .flatMap((folder) =>
      readdirSync(join(CRATE_FOLDER, folder)).map((name) => join(CRATE_FOLDER, folder, name)),
    )
    .filter((file) => isSource.test(relative(CRATE_FOLDER, file)))
    .sort();
}
