/**
 * Started by self-reliant-worker.test.ts: how often the event loop of a self-reliant worker turns in 100 ms while V8's helper
 * threads hardly get the core. Prints the most turns and the number of full collections.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { constants, PerformanceObserver, performance } from 'node:perf_hooks';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { countTurns, pinToOneCore } from '../../bench/media/loop-turns.ts';
import { startSelfReliantWorker } from '../../src/media/self-reliant-worker.ts';

interface GcDetail {
  readonly kind: number;
}

const COLLECTIONS = 6;
const LIMIT_MS = 30_000;
const WINDOW_MS = 100;
const SELF = new URL(import.meta.url);

if (isMainThread) await main();
else if (workerData === 'hog') while (performance.now() > 0);
else collect();

async function main(): Promise<void> {
  pinToOneCore();
  for (const thread of readdirSync('/proc/self/task')) {
    const name = readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim();
    if (name === 'V8Worker') execFileSync('chrt', ['--idle', '--pid', '0', thread]);
  }
  new Worker(SELF, { workerData: 'hog' });
  const worker = startSelfReliantWorker(SELF, { workerData: 'collecting' });
  worker.once('message', (seen) => {
    console.log(JSON.stringify(seen));
    process.exit();
  });
}

function collect(): void {
  let collections = 0;
  new PerformanceObserver((list) => {
    const kinds = list.getEntries().map((entry) => (entry as unknown as { detail: GcDetail }).detail.kind);
    collections += kinds.filter((kind) => kind === constants.NODE_PERFORMANCE_GC_MAJOR).length;
  }).observe({ entryTypes: ['gc'] });
  const startMs = performance.now();
  let mostTurns = 0;
  countTurns(WINDOW_MS, (turns, elapsedMs) => {
    mostTurns = Math.max(mostTurns, (turns / elapsedMs) * WINDOW_MS);
    const isOver = collections >= COLLECTIONS || performance.now() - startMs > LIMIT_MS;
    if (isOver) parentPort!.postMessage({ mostTurns, collections });
    return isOver;
  });
}
