/**
 * The folder of `--out`: tried before anything starts, so that no run is made for nothing; and the files in it, which are
 * written when the result has been printed. Thread: main.
 */
import { accessSync, constants, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, WildfireError } from '../errors.ts';
import { makeFolder } from '../store/make-folder.ts';

/** What is to be in a file, by its path in the folder. */
export type OutputFiles = Readonly<Record<string, string | Uint8Array>>;

/** Makes it where it is not there. @throws WildfireError USAGE_INVALID when files could not be written to it */
export function prepareFolder(folder: string): void {
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new WildfireError('USAGE_INVALID', `--out ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Writes the files, and the folders that they are in.
 * @returns their paths
 * @throws WildfireError USAGE_INVALID that names the one that could not be written
 */
export function writeFiles(folder: string, files: OutputFiles): string[] {
  return Object.entries(files).map(([name, content]) => {
    const path = join(folder, name);
    try {
      makeFolder(dirname(path));
      writeFileSync(path, content);
      return path;
    } catch (error) {
      throw new WildfireError('USAGE_INVALID', `--out: cannot write ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  });
}
