/** What `doctor` says about the database of calls is what `start` would meet, and nothing is made by looking. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { inspectStore } from '../../../src/cli/doctor/store-inspection.ts';
import { StoreFile } from '../../../src/store/store-file.ts';
import { testConfig } from '../../runtime/test-settings.ts';
import { scratchFolder } from '../../store/scratch-folder.ts';

const scratch = scratchFolder();

function inspect(path: string) {
  return inspectStore(testConfig('store.enabled=true', `store.path=${path}`));
}

function made(path: string, ...statements: readonly string[]): void {
  const file = new StoreFile({ path, run: 'aa', busyTimeoutMs: 1000 });
  file.open();
  file.close();
  const database = new DatabaseSync(path);
  for (const statement of statements) database.exec(statement);
  database.close();
}

describe('the database of calls', () => {
  it('is not looked for where none is kept', () => {
    expect(inspectStore(testConfig('store.enabled=false'))).toMatchObject({
      verdict: 'ok',
      value: 'no (store.enabled=false)',
    });
  });

  it('that can be made is in order, and is not made by looking', () => {
    const path = scratch();
    expect(inspect(path)).toMatchObject({
      verdict: 'ok',
      value: `in ${path} for 30 days, without what was said`,
    });
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('that is there is in order', () => {
    const path = scratch();
    made(path);
    expect(inspect(path).verdict).toBe('ok');
  });

  it.each([
    ['of a newer Wildfire', (path: string) => made(path, 'PRAGMA user_version = 1000'), /newer Wildfire/],
    ['of another program', (path: string) => made(path, 'PRAGMA application_id = 1'), /another program/],
    ['that is something else', (path: string) => put(path, 'something else, '.repeat(300)), /is damaged/],
    ['below a file', (path: string) => put(dirname(path), ''), /cannot keep calls .* store\.path/],
    ['that is a folder', (path: string) => mkdirSync(path, { recursive: true }), /cannot keep calls/],
  ])('%s is a problem', (_, make, advice) => {
    const path = scratch();
    make(path);
    expect(inspect(path)).toMatchObject({ verdict: 'problem', advice: expect.stringMatching(advice) });
  });
});

function put(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
