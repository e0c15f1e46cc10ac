/** The launcher as a shell runs it, in a folder of its own whose "node" tells what it was started with. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const LAUNCHER = fileURLToPath(new URL('../../wildfire', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'wildfire-launcher-'));

describe('the launcher', () => {
  const launcher = installedIn(folder);
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (environment: Readonly<Record<string, string>>, args: readonly string[] = []): string => {
    const { PATH } = process.env;
    return execFileSync(launcher, args, { encoding: 'utf8', env: { PATH, ...environment } });
  };

  it('runs the command line under the pinned Node, whatever its words hold', () => {
    expect(run({}, ['start', '--set', 'agent.greeting=Good day, "you"'])).toMatch(
      /^<.*\/src\/main\.ts><start><--set><agent\.greeting=Good day, "you">\n/,
    );
  });

  it('keeps malloc and V8 from keeping what threads gave back, unless it is told otherwise', () => {
    const usual = run({});
    expect(usual).toContain('MALLOC_MMAP_THRESHOLD_=131072\n');
    expect(usual).toMatch(/^NODE_OPTIONS=--v8-pool-size=1 $/m);
    const own = run({ MALLOC_MMAP_THRESHOLD_: '4194304', NODE_OPTIONS: '--v8-pool-size=2' });
    expect(own).toContain('MALLOC_MMAP_THRESHOLD_=4194304\n');
    expect(own).toMatch(/^NODE_OPTIONS=--v8-pool-size=1 --v8-pool-size=2$/m); // the last one counts
  });
});

function installedIn(root: string): string {
  const bin = join(root, 'node_modules/node/bin');
  mkdirSync(bin, { recursive: true });
  const told = '#!/bin/sh\nprintf "<%s>" "$@"\necho\nenv\n';
  writeFileSync(join(bin, 'node'), told, { mode: 0o755 });
  writeFileSync(join(root, 'package-lock.json'), '{}\n');
  const sum = execFileSync('cksum', { input: '{}\n', encoding: 'utf8' });
  writeFileSync(join(root, 'node_modules/.wildfire-installed'), sum);
  const launcher = join(root, 'wildfire');
  copyFileSync(LAUNCHER, launcher);
  return launcher;
}
