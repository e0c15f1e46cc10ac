/** A folder for the databases of one test file, removed when its tests are over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** @returns makes a path that nothing has used */
export function scratchFolder(): (name?: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-store-'));
  let files = 0;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name = 'calls.db') => join(folder, String(files++), name);
}
