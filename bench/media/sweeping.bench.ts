/**
 * Does a real-time thread keep a core busy after a full garbage collection, for as long as V8's helper has not swept?
 *   worker         as worker_threads starts it
 *   self-reliant   as the media thread is started (src/media/self-reliant-worker.ts)
 * One after another, on one core, which another real-time thread has for 0.9 s of every 1.9 s.
 * Run: node bench/media/sweeping.bench.ts [seconds]    (Linux; needs chrt and taskset, and real-time to be permitted)
 */
import { performance } from 'node:perf_hooks';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { startSelfReliantWorker } from '../../src/media/self-reliant-worker.ts';
import { setRealtime } from '../../src/media/thread-priority.ts';
import { countTurns, pinToOneCore } from './loop-turns.ts';

const KINDS = ['worker', 'self-reliant', 'worker', 'self-reliant'] as const;
type Kind = (typeof KINDS)[number];
type Task = { readonly kind: 'hog' } | { readonly kind: 'collecting'; readonly seconds: number };
const HOG_BUSY_MS = 900;
const HOG_FREE_MS = 1000;
const WINDOW_MS = 200;
/** Of the event loop in a window; its timer makes a few dozen. */
const MANY_TURNS = 1000;

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 20);
  pinToOneCore();
  const hog = new Worker(new URL(import.meta.url), { workerData: { kind: 'hog' } satisfies Task });
  for (const kind of KINDS) {
    const turns = await measure(kind, { kind: 'collecting', seconds });
    const many = turns.filter((count) => count > MANY_TURNS).length;
    console.log(
      `${kind.padEnd(12)}  ${many * WINDOW_MS} ms of ${seconds} s with more than ${MANY_TURNS} turns of the loop in ` +
        `${WINDOW_MS} ms, ${Math.max(...turns)} at most`,
    );
  }
  await hog.terminate();
}

/** @returns how often the thread's event loop turned, window by window */
function measure(kind: Kind, task: Task): Promise<number[]> {
  const start = kind === 'worker' ? startPlainWorker : startSelfReliantWorker;
  const worker = start(new URL(import.meta.url), { workerData: task });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function startPlainWorker(url: URL, options: { workerData: Task }): Worker {
  return new Worker(url, options);
}

function runHog(): void {
  const futex = new Int32Array(new SharedArrayBuffer(4));
  setRealtime();
  for (;;) {
    const startMs = performance.now();
    while (performance.now() - startMs < HOG_BUSY_MS);
    Atomics.wait(futex, 0, 0, HOG_FREE_MS);
  }
}

function runCollecting(seconds: number): void {
  if (!setRealtime()) throw new Error('real-time priority is not permitted here');
  const counts: number[] = [];
  const startMs = performance.now();
  countTurns(WINDOW_MS, (turns) => {
    counts.push(turns);
    const isOver = performance.now() - startMs >= seconds * 1000;
    if (isOver) parentPort!.postMessage(counts);
    return isOver;
  });
}

const task = workerData as Task | null;
if (isMainThread || task === null) await main();
else if (task.kind === 'hog') runHog();
else runCollecting(task.seconds);
