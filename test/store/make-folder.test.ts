/** Folders that are made for what is kept. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeFolder } from '../../src/store/make-folder.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wildfire-folders-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('a folder', () => {
  it('is made with those above it, in the mode asked for, and again without harm', () => {
    const folder = join(scratch, 'a', 'b', 'c');
    makeFolder(folder, 0o700);
    makeFolder(folder);
    for (const path of [folder, join(scratch, 'a')]) expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it.each(['', 'below'])('is not made where a file is: %j', (below) => {
    const file = join(scratch, 'file');
    writeFileSync(file, '');
    expect(() => makeFolder(join(file, below))).toThrow(file);
  });

  it.skipIf(process.platform !== 'linux')('below /proc is refused, and does not take for ever', () => {
    expect(() => makeFolder('/proc/wildfire/calls')).toThrow(/\/proc\/wildfire/);
  });
});
