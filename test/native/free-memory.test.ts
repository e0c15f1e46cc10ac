/** Pages that malloc holds go back to the system. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { nativeAddon } from '../../src/native/addon.ts';
import { releaseFreeMemory } from '../../src/native/free-memory.ts';

const MODULE = fileURLToPath(new URL('../../src/native/free-memory.ts', import.meta.url));
const BLOCKS = 2000;
const BLOCK_BYTES = 64 * 1024;

/** Frees all but every 20th block, so that nothing is free at the end of an arena, where malloc gives back by itself. */
const SCRIPT = `
  import { setTimeout as wait } from 'node:timers/promises';
  import { releaseFreeMemory } from ${JSON.stringify(MODULE)};
  const rss = () => process.memoryUsage.rss();
  let blocks = Array.from({ length: ${BLOCKS} }, () => Buffer.allocUnsafeSlow(${BLOCK_BYTES}).fill(1));
  const full = rss();
  blocks = blocks.filter((_, index) => index % 20 === 0);
  gc();
  await wait(200);
  gc();
  const freed = rss();
  const isBegun = releaseFreeMemory();
  const end = performance.now() + 10_000;
  while (rss() > freed - ${(BLOCKS * BLOCK_BYTES) / 2} && performance.now() < end) await wait(10);
  console.log(JSON.stringify({ full, freed, released: rss(), isBegun, kept: blocks.every((block) => block[7] === 1) }));
`;

const CAN_RELEASE = nativeAddon().addon !== null && process.platform === 'linux';

it.runIf(CAN_RELEASE)(
  'gives back what lies free between blocks that are in use, and nothing of those',
  () => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', '--input-type=module', '--eval', SCRIPT],
      // glibc would take larger blocks from the system one by one from then on.
      { encoding: 'utf8', env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '131072' } },
    );
    expect(stdout, stderr).not.toBe('');
    const seen = JSON.parse(stdout);
    expect(seen).toMatchObject({ isBegun: true, kept: true });
    const total = BLOCKS * BLOCK_BYTES;
    expect(seen.full - seen.freed, 'malloc keeps it').toBeLessThan(total / 4);
    expect(seen.freed - seen.released, 'given back').toBeGreaterThan(total / 2);
  },
);

it('says whether it was begun, which it is not without an addon', () => {
  expect(releaseFreeMemory()).toBe(CAN_RELEASE);
});
