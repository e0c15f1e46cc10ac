/** Thread of thread-priority.test.ts: lowers itself twice and tells its nice value. */
import { getPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { lowerThreadPriority } from '../../src/workers/thread-priority.ts';

const { niceIncrement } = workerData as { niceIncrement: number };
const lowered = lowerThreadPriority(niceIncrement);
const nice = getPriority(0);
lowerThreadPriority(niceIncrement);
parentPort?.postMessage({ lowered, nice, again: getPriority(0) });
