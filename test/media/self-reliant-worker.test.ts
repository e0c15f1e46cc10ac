/** A thread that never waits for V8's helpers: real ones, that hardly get a core. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const COLLECTING_PROCESS = fileURLToPath(new URL('collecting-process.ts', import.meta.url));
/** In 100 ms. A timer every 5 ms makes a few dozen; a loop that turns until a helper is done makes 800 to thousands. */
const MOST_TURNS = 300;
/** What else helpers do: a collection would wait for them, for up to half a minute in all. */
const NO_OTHER_HELP = [
  '--no-concurrent-marking',
  '--no-parallel-marking',
  '--no-parallel-compaction',
  '--no-parallel-pointer-update',
  '--no-parallel-weak-ref-clearing',
  '--no-concurrent-sweeping',
];
const hasTools = ['taskset', 'chrt'].every(
  (tool) => spawnSync(tool, ['--pid', `${process.pid}`]).status === 0,
);

describe.skipIf(!hasTools)('a self-reliant worker', () => {
  it('sweeps after a full collection by itself, without turning its loop until a helper has', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [...NO_OTHER_HELP, COLLECTING_PROCESS], {
      timeout: 60_000,
    });
    const { mostTurns, collections } = JSON.parse(stdout);
    expect(collections).toBeGreaterThanOrEqual(6);
    expect(mostTurns).toBeLessThan(MOST_TURNS);
  }, 90_000);
});
