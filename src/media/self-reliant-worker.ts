/**
 * Starts a worker thread whose JavaScript engine does its own chores, so that it never waits for threads of ordinary
 * priority. Thread: main, setup only.
 *
 * V8 compiles hot functions, and copies young objects, with the help of background threads. A real-time thread that has
 * to wait for one of those while the cores are busy stalls until the scheduler gets round to it. Measured with 20 legs and
 * one hog per core (bench/media/send-lateness.bench.ts): p99 send lateness 8 to 33 ms and 87 ms at most; done by the
 * thread itself 1.3 to 1.5 ms, and 9 ms at most.
 */
import { setFlagsFromString } from 'node:v8';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Datagrams are garbage at once, for which the engine makes ever more room before it collects. With a small room the heap
 * of the media thread stays at 19 MiB under 40 legs that come and go, instead of 42 MiB.
 */
const YOUNG_GENERATION_MIB = 12;

/**
 * Starts the worker. The engine reads the flags for background compilation and sweeping once, when it sets up a thread; they
 * are put back when this one runs, so that later threads keep theirs.
 */
export function startSelfReliantWorker(url: URL, options: WorkerOptions): Worker {
  setFlagsFromString('--no-concurrent-recompilation');
  // Read when the thread gets its heap for C++ objects: without it, the loop turns over and over after each full collection
  // until a helper has swept them, and at real-time priority keeps just that helper from its core.
  setFlagsFromString('--single-threaded-gc');
  // Read at each young collection, by all threads; theirs are small and get no slower.
  setFlagsFromString('--no-parallel-scavenge');
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB };
  const worker = new Worker(url, { resourceLimits, ...options });
  const restore = (): void => {
    setFlagsFromString('--concurrent-recompilation');
    setFlagsFromString('--no-single-threaded-gc');
  };
  worker.once('online', restore);
  worker.once('error', restore);
  return worker;
}
