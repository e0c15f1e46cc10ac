/** The thread of bench/workers/round-trip: answers what it is given, by a pool's task or by a bare message. */
import { parentPort, workerData } from 'node:worker_threads';
import type { WarmUpTask } from '../../src/workers/protocol.ts';
import { meetOtherThreads } from '../../src/workers/warm-up.ts';

export interface EchoTask {
  readonly kind: 'echo';
  readonly number: number;
}

// A pool's thread has Piscina's own data instead.
if (workerData === 'bare')
  parentPort?.on('message', (task: EchoTask) => parentPort?.postMessage(task.number));

export async function runTask(task: EchoTask | WarmUpTask): Promise<number | undefined> {
  if (task.kind === 'echo') return task.number;
  await meetOtherThreads(task);
  return undefined;
}
