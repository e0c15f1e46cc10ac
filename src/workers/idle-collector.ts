/**
 * Garbage collected while a thread has nothing to do. V8 looks for old garbage once a heap has grown by 8 MiB, which
 * the threads of a quiet box reach after a quarter or half of an hour, in the middle of somebody's turn; until then
 * memory rises as if something leaked. A collection takes 10 to 20 ms of its thread, up to 45 of main. The main thread has what malloc holds
 * given back, too, for all. Thread: any.
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { releaseFreeMemory } from '../native/free-memory.ts';
import { monotonicMs } from '../observability/clock.ts';

/** Not more often, however much there is: on a busy box V8's own steps come sooner. */
const LEAST_PAUSE_MS = 60_000;
/** Less than this can wait. What waits is spread over pages that stay: the more there is, the more of them. */
const WORTH_BYTES = 2 ** 18;
/** A thread that had no work for so long will hardly get some in the next 20 ms. */
const QUIET_MS = 200;
/** Of such a while; a turn under way takes more. */
const QUIET_SHARE = 0.02;

export interface IdleCollectorOptions {
  readonly nowMs: () => number;
  /** JavaScript objects of this thread, garbage included. */
  readonly heapBytes: () => number;
  /** A major collection. */
  readonly collect: () => void;
  /** Done at the end of each look, whether it was worth to collect or not; nothing by default. */
  readonly release: () => void;
}

export class IdleCollector {
  readonly #options: IdleCollectorOptions;
  #lookedAtMs: number;
  /** What was left the last time; all of the start counts as garbage. */
  #leftBytes = 0;

  constructor(options: Partial<IdleCollectorOptions> = {}) {
    this.#options = {
      nowMs: monotonicMs,
      heapBytes: usedHeapBytes,
      collect: collectAll,
      release: () => {},
      ...options,
    };
    this.#lookedAtMs = this.#options.nowMs();
  }

  /** Nothing waits for this thread now: collects if there may be enough. */
  quiet(): void {
    const { nowMs, heapBytes, collect, release } = this.#options;
    if (nowMs() - this.#lookedAtMs < LEAST_PAUSE_MS) return;
    this.#lookedAtMs = nowMs();
    if (heapBytes() - this.#leftBytes >= WORTH_BYTES) {
      collect();
      this.#leftBytes = heapBytes();
    }
    release();
  }
}

/** Sees when a thread has had nothing to do for a while, and has garbage collected then. */
export class IdleWatch {
  readonly #collector: Pick<IdleCollector, 'quiet'>;
  #running = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(collector: Pick<IdleCollector, 'quiet'> = new IdleCollector()) {
    this.#collector = collector;
  }

  /** Pieces of work under way. */
  get running(): number {
    return this.#running;
  }

  /** Does a piece of work, beside others or not. @throws what `work` throws */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    clearTimeout(this.#timer);
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#timer = setTimeout(() => this.#collector.quiet(), QUIET_MS).unref();
    }
  }
}

/**
 * Collects a thread's garbage in moments without work, for a thread whose work is not in one place, and has the memory that
 * all threads freed given back to the system.
 * @returns what ends it
 */
export function collectInQuietMoments(
  collector: Pick<IdleCollector, 'quiet'> = new IdleCollector({ release: releaseFreeMemory }),
  utilization: (since?: EventLoopUtilization) => EventLoopUtilization = (since) =>
    performance.eventLoopUtilization(since),
): () => void {
  let before = utilization();
  const timer = setInterval(() => {
    const { utilization: share } = utilization(before);
    before = utilization();
    if (share < QUIET_SHARE) collector.quiet();
  }, QUIET_MS).unref();
  return () => clearInterval(timer);
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
