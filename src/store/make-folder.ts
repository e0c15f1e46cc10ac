/** Makes a folder for files that are to be kept. Thread: any, at start. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it where they are not there, one by one: `recursive` of Node tries for ever where a file
 * system says "no such folder" to a new one (/proc).
 * @param mode of new folders
 * @throws Error of the file system
 */
export function makeFolder(folder: string, mode = 0o777): void {
  const path = resolve(folder);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined) throw new Error(`ENOTDIR: not a directory, '${path}'`);
  makeFolder(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // somebody else was quicker
  }
}
