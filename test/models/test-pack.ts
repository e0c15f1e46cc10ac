/**
 * The model pack that model tests use: WILDFIRE_TEST_PACK (a folder) or the shipped one. Tests that need it
 * are skipped, with a line that says so, where it is not.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packFolderOf } from '../../src/models/pack-folders.ts';

/** Absolute folder. */
export const TEST_PACK_FOLDER = packFolderOf(process.env.WILDFIRE_TEST_PACK ?? 'embedded');

/** Whether `path` of the pack is there; says so when it is not. */
export function hasTestPack(path: string): boolean {
  const isThere = existsSync(join(TEST_PACK_FOLDER, path));
  if (!isThere) console.log(`skipped: no ${path} in the model pack ${TEST_PACK_FOLDER}`);
  return isThere;
}
