/** A worker for the pool's tests: does what its task says. Loads only when its file holds 'good'. */
import { readFileSync } from 'node:fs';
import { threadId, workerData } from 'node:worker_threads';
import type { WarmUpTask } from '../../src/workers/protocol.ts';
import { meetOtherThreads } from '../../src/workers/warm-up.ts';

export interface PoolThreadData {
  readonly modelFile: string;
  /** How many threads may load before the file is looked at. */
  readonly freeLoads: Int32Array<SharedArrayBuffer>;
}

export type PoolThreadTask =
  | { readonly kind: 'echo'; readonly text: string }
  | { readonly kind: 'spin'; readonly started: Int32Array<SharedArrayBuffer>; readonly ms: number }
  /** Counts in word 0, then blocks until word 1 is not 0. */
  | { readonly kind: 'hold'; readonly gate: Int32Array<SharedArrayBuffer> }
  /** Exits while word 0 is above 0, counting down. */
  | { readonly kind: 'exit'; readonly exitsLeft: Int32Array<SharedArrayBuffer> }
  | { readonly kind: 'crashWhenIdle' }
  | { readonly kind: 'niceness' };

const { modelFile, freeLoads } = workerData as PoolThreadData;
if (Atomics.sub(freeLoads, 0, 1) <= 0 && readFileSync(modelFile, 'utf8') !== 'good') {
  throw new Error(`no good model in ${modelFile}`);
}

export async function runTask(task: PoolThreadTask | WarmUpTask): Promise<string | undefined> {
  if (task.kind === 'warmUp') {
    await meetOtherThreads(task);
    return undefined;
  }
  if (task.kind === 'echo') return `${task.text} from ${threadId}`;
  if (task.kind === 'niceness')
    return readFileSync('/proc/thread-self/stat', 'utf8').split(') ')[1]!.split(' ')[16];
  if (task.kind === 'spin') spin(task.started, task.ms);
  if (task.kind === 'hold') hold(task.gate);
  if (task.kind === 'exit' && Atomics.sub(task.exitsLeft, 0, 1) > 0) process.exit(70);
  if (task.kind === 'crashWhenIdle') {
    setImmediate(() => {
      throw new Error('crashed idle');
    });
  }
  return 'done';
}

function hold(gate: Int32Array<SharedArrayBuffer>): void {
  Atomics.add(gate, 0, 1);
  Atomics.notify(gate, 0);
  Atomics.wait(gate, 1, 0);
}

/** Blocks the thread, as inference does. */
function spin(started: Int32Array<SharedArrayBuffer>, ms: number): void {
  Atomics.add(started, 0, 1);
  Atomics.notify(started, 0);
  const end = performance.now() + ms;
  while (performance.now() < end);
  Atomics.add(started, 1, 1);
}
