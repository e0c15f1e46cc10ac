/**
 * Garbage collected while a thread has nothing to do. V8 looks for old garbage once a heap has grown by 8 MiB, which
 * the threads of a quiet box reach after a quarter or half of an hour, in the middle of somebody's turn; until then
 * memory rises as if something leaked. A collection takes 10 to 20 ms of its thread. Thread: any.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { monotonicMs } from '../observability/clock.ts';

/** Not more often, however much there is: on a busy box V8's own steps come sooner. */
const LEAST_PAUSE_MS = 60_000;
/** Less than this can wait. */
const WORTH_BYTES = 2 ** 20;
/** A thread without a task for so long will hardly get one in the next 20 ms. */
const QUIET_MS = 200;

export interface IdleCollectorOptions {
  readonly nowMs: () => number;
  /** JavaScript objects of this thread, garbage included. */
  readonly heapBytes: () => number;
  /** A major collection. */
  readonly collect: () => void;
}

export class IdleCollector {
  readonly #options: IdleCollectorOptions;
  #lookedAtMs: number;
  /** What was left the last time; all of the start counts as garbage. */
  #leftBytes = 0;

  constructor(options: Partial<IdleCollectorOptions> = {}) {
    this.#options = { nowMs: monotonicMs, heapBytes: usedHeapBytes, collect: collectAll, ...options };
    this.#lookedAtMs = this.#options.nowMs();
  }

  /** Nothing waits for this thread now: collects if there may be enough. */
  quiet(): void {
    const { nowMs, heapBytes, collect } = this.#options;
    if (nowMs() - this.#lookedAtMs < LEAST_PAUSE_MS) return;
    this.#lookedAtMs = nowMs();
    if (heapBytes() - this.#leftBytes < WORTH_BYTES) return;
    collect();
    this.#leftBytes = heapBytes();
  }
}

/** The same function of a pool's thread, after which garbage is collected while the thread waits for its next task. */
export function collectingBetween<Task, Result>(
  runTask: (task: Task) => Promise<Result>,
  collector: Pick<IdleCollector, 'quiet'> = new IdleCollector(),
): (task: Task) => Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  return async (task) => {
    clearTimeout(timer);
    try {
      return await runTask(task);
    } finally {
      timer = setTimeout(() => collector.quiet(), QUIET_MS).unref();
    }
  };
}

function usedHeapBytes(): number {
  return getHeapStatistics().used_heap_size;
}

let collection: (() => void) | undefined;

function collectAll(): void {
  collection ??= exposedCollection();
  collection();
}

// The only way to it in a process that was started without the flag: contexts that are made from now on have it.
function exposedCollection(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
