/** The thread side of a pool's warm-up: wait until every thread of the pool has arrived. Thread: model workers. */
import type { WarmUpTask } from './protocol.ts';

/** Resolves when all threads named by the task have called this. */
export async function meetOtherThreads(task: WarmUpTask): Promise<void> {
  let arrived = Atomics.add(task.barrier, 0, 1) + 1;
  Atomics.notify(task.barrier, 0);
  while (arrived < task.threads) {
    await Atomics.waitAsync(task.barrier, 0, arrived).value;
    arrived = Atomics.load(task.barrier, 0);
  }
}
