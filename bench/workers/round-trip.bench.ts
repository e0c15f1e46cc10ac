/**
 * workers.roundTrip: a task to a pool's thread and its answer back, as every inference pays it, against a bare message
 * there and back, and against Piscina's other ways of waiting for the next task. Settles: `atomics: 'disabled'`
 * (src/workers/pools.ts), which also leaves the thread its timers.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { Bench } from 'tinybench';
import { WorkerPool } from '../../src/workers/pools.ts';
import type { BenchResult } from '../bench-row.ts';
import { taskRows } from '../tinybench-rows.ts';
import type { EchoTask } from './echo.worker.ts';

const WORKER_URL = new URL('./echo.worker.ts', import.meta.url);
const TASK: EchoTask = { kind: 'echo', number: 7 };
const MEASURED_MS = 700;

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const pool = await WorkerPool.start<EchoTask, number>({
    name: 'echo',
    workerUrl: WORKER_URL,
    threads: 1,
    workerData: null,
    niceIncrement: 0,
  });
  const bare = new Worker(WORKER_URL, { workerData: 'bare' });
  const waiting = { sync: piscina('sync'), async: piscina('async') };
  const bench = new Bench({ time: MEASURED_MS, warmupTime: 300, retainSamples: true });
  bench.add('workers.roundTrip', () => pool.run(TASK));
  bench.add('postMessage', async () => {
    const answered = once(bare, 'message');
    bare.postMessage(TASK);
    await answered;
  });
  for (const [mode, peer] of Object.entries(waiting)) bench.add(mode, () => peer.run(TASK));
  await bench.run();
  await Promise.all([pool.close(), bare.terminate(), waiting.sync.destroy(), waiting.async.destroy()]);
  const peers = {
    postMessage: 'postMessage',
    'piscina atomics sync': 'sync',
    'piscina atomics async': 'async',
  };
  return { rows: taskRows(bench, { name: 'workers.roundTrip', unit: 'us', peers }) };
}

function piscina(atomics: 'sync' | 'async'): Piscina<EchoTask, number> {
  return new Piscina({ filename: WORKER_URL.href, name: 'runTask', minThreads: 1, maxThreads: 1, atomics });
}
