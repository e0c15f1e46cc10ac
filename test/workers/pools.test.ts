/** Worker pools on real threads: warm-up, death and replacement, drain. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { WorkerPool } from '../../src/workers/pools.ts';
import type { PoolThreadTask } from './pool-thread.worker.ts';

type TestPool = WorkerPool<PoolThreadTask, string>;

const modelFile = join(mkdtempSync(join(tmpdir(), 'wildfire-pool-')), 'model');
const deaths: string[] = [];
const opened: TestPool[] = [];

afterEach(async () => {
  for (const pool of opened.splice(0)) await pool.close();
  deaths.length = 0;
});

async function startPool(threads: number, freeLoads = 0): Promise<TestPool> {
  const pool: TestPool = await WorkerPool.start({
    name: 'test',
    workerUrl: new URL('./pool-thread.worker.ts', import.meta.url),
    threads,
    workerData: { modelFile, freeLoads: words(freeLoads) },
    niceIncrement: 1,
    onWorkerDied: (message) => deaths.push(message),
    restartDelayMs: 50,
  });
  opened.push(pool);
  return pool;
}

it('starts every thread before it counts as started', async () => {
  writeFileSync(modelFile, 'good');
  const pool = await startPool(3);
  const gate = words(0, 0);
  // Three tasks that block their thread all run at once only if three threads are there.
  const held = [1, 2, 3].map(() => pool.run({ kind: 'hold', gate }));
  await reaches(gate, 0, 3);
  Atomics.store(gate, 1, 1);
  Atomics.notify(gate, 1);
  expect(await Promise.all(held)).toEqual(['done', 'done', 'done']);
});

it('does not start when the model does not load, and says why', async () => {
  writeFileSync(modelFile, 'bad');
  await expect(startPool(2)).rejects.toMatchObject({
    code: 'WORKER_WARMUP',
    message: expect.stringContaining(`no good model in ${modelFile}`),
  });
});

it('does not wait for ever for the other threads when one of them does not load', async () => {
  writeFileSync(modelFile, 'bad');
  await expect(startPool(3, 2)).rejects.toMatchObject({ code: 'WORKER_WARMUP' });
});

it('runs a task again whose thread died', async () => {
  writeFileSync(modelFile, 'good');
  const pool = await startPool(1);
  expect(await pool.run({ kind: 'exit', exitsLeft: words(1) })).toBe('done');
  expect(deaths).toHaveLength(1);
  expect(await pool.run({ kind: 'echo', text: 'alive' })).toContain('alive');
});

it('gives a task up whose second thread died, too, and lives on', async () => {
  writeFileSync(modelFile, 'good');
  const pool = await startPool(1);
  await expect(pool.run({ kind: 'exit', exitsLeft: words(2) })).rejects.toMatchObject({
    code: 'WORKER_DIED',
  });
  expect(deaths).toHaveLength(2);
  expect(await pool.run({ kind: 'echo', text: 'alive' })).toContain('alive');
});

it('replaces a thread that crashed idle', async () => {
  writeFileSync(modelFile, 'good');
  const pool = await startPool(1);
  await pool.run({ kind: 'crashWhenIdle' });
  await expect.poll(() => deaths).toContainEqual(expect.stringContaining('crashed idle'));
  expect(await pool.run({ kind: 'echo', text: 'alive' })).toContain('alive');
});

it('fails what waits when no thread can be started, and comes back when one can', async () => {
  writeFileSync(modelFile, 'good');
  const pool = await startPool(1);
  rmSync(modelFile);
  const outcomes = await Promise.allSettled([
    pool.run({ kind: 'exit', exitsLeft: words(1) }),
    pool.run({ kind: 'echo', text: 'waiting' }),
  ]);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'WORKER_DIED', retryable: true } });
  }
  writeFileSync(modelFile, 'good');
  await expect
    .poll(() => pool.run({ kind: 'echo', text: 'back' }).catch(() => ''), { timeout: 10_000 })
    .toContain('back');
});

it('lets busy threads and queued tasks finish before it ends them', async () => {
  writeFileSync(modelFile, 'good');
  const pool = await startPool(2);
  const started = words(0, 0);
  const tasks = [20, 300, 60].map((ms) => pool.run({ kind: 'spin', started, ms }));
  await reaches(started, 0, 2);
  await pool.close();
  expect(Atomics.load(started, 1)).toBe(3);
  await Promise.all(tasks);
  expect(deaths).toEqual([]);
});

it.skipIf(process.platform !== 'linux')('runs its threads at lower priority than the process', async () => {
  writeFileSync(modelFile, 'good');
  const pool = await startPool(1);
  const ownNice = getPriority();
  expect(await pool.run({ kind: 'niceness' })).toBe(String(Math.min(19, ownNice + 1)));
  expect(getPriority()).toBe(ownNice);
});

it('takes nothing after close', async () => {
  writeFileSync(modelFile, 'good');
  const pool = await startPool(1);
  await pool.close();
  await expect(pool.run({ kind: 'echo', text: 'late' })).rejects.toMatchObject({ code: 'INVALID_STATE' });
});

function words(...values: number[]): Int32Array<SharedArrayBuffer> {
  const shared = new Int32Array(new SharedArrayBuffer(4 * Math.max(2, values.length)));
  shared.set(values);
  return shared;
}

async function reaches(shared: Int32Array<SharedArrayBuffer>, index: number, least: number): Promise<void> {
  for (;;) {
    const now = Atomics.load(shared, index);
    if (now >= least) return;
    await Atomics.waitAsync(shared, index, now).value;
  }
}
