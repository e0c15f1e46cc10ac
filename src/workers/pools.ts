/**
 * A Piscina pool as Wildfire uses it: explicit size, warmed up before it counts as started, no AbortSignal
 * ever, low OS priority, and a task whose thread died is run once more on the thread that replaces it.
 * Thread: main. Decision: no thread is ended inside native code, because that aborts the whole process.
 */
import { Piscina } from 'piscina';
import { messageOf, WildfireError } from '../errors.ts';
import { monotonicMs } from '../observability/clock.ts';
import type { WarmUpTask } from './protocol.ts';

export interface WorkerPoolOptions {
  /** Word for logs and metrics: whisper, tts, llama. */
  readonly name: string;
  /** The *.worker.ts file; its top-level await loads the model, its export `runTask` takes the tasks. */
  readonly workerUrl: URL;
  readonly threads: number;
  /** Plain data handed to every thread as workerData. */
  readonly workerData: unknown;
  /** Added to the thread's nice value so that inference yields to media (0..19). */
  readonly niceIncrement: number;
  /** Called when a thread ended in the middle of a task, or could not start again. */
  readonly onWorkerDied?: (message: string) => void;
  /** After all threads died while loading, none is started for this long. Default RESTART_DELAY_MS. */
  readonly restartDelayMs?: number;
}

/** Loading a big model takes seconds; trying without pause would eat the cores. */
export const RESTART_DELAY_MS = 5_000;

/** A pool of model threads that take `Task` and answer `Result`. */
export class WorkerPool<Task, Result> {
  readonly name: string;
  readonly #options: WorkerPoolOptions;
  readonly #running = new Set<Promise<Result>>();
  #threads: ThreadSet<Task, Result>;
  #restartAtMs = 0;
  #isClosed = false;

  private constructor(options: WorkerPoolOptions) {
    this.name = options.name;
    this.#options = options;
    this.#threads = new ThreadSet(options);
  }

  /**
   * Starts every thread and waits until each has loaded its model.
   * @throws WildfireError WORKER_WARMUP when a thread could not load.
   */
  static async start<Task, Result>(options: WorkerPoolOptions): Promise<WorkerPool<Task, Result>> {
    const pool = new WorkerPool<Task, Result>(options);
    try {
      await pool.#threads.warmUp();
      return pool;
    } catch (error) {
      await pool.#threads.end();
      throw new WildfireError('WORKER_WARMUP', `${options.name} worker did not start: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Tasks waiting for a thread. */
  get queuedTasks(): number {
    return this.#threads.queuedTasks;
  }

  /**
   * Runs one task; when its thread dies it is run once more on another.
   * @throws WildfireError WORKER_DIED when both attempts lost their thread or none can be started,
   * INVALID_STATE after close().
   */
  async run(task: Task): Promise<Result> {
    if (this.#isClosed) throw new WildfireError('INVALID_STATE', `${this.name} pool is closed`);
    const running = this.#runTwice(task);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Lets running and queued tasks finish, takes no more, ends the threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // Piscina's own close() counts a finished thread more than once and then ends busy ones, hence the set.
    await Promise.allSettled([...this.#running]);
    await this.#threads.end();
  }

  async #runTwice(task: Task): Promise<Result> {
    try {
      return await this.#liveThreads().run(task);
    } catch (first) {
      this.#reportDeath(first);
    }
    try {
      return await this.#liveThreads().run(task);
    } catch (second) {
      if (second instanceof WildfireError) throw second;
      this.#reportDeath(second);
      const message = `${this.name} worker died twice on one task: ${messageOf(second)}`;
      throw new WildfireError('WORKER_DIED', message, { retryable: true, cause: second });
    }
  }

  /** @throws WildfireError WORKER_DIED while no thread can be started. */
  #liveThreads(): ThreadSet<Task, Result> {
    if (!this.#threads.isExhausted) return this.#threads;
    if (monotonicMs() < this.#restartAtMs) {
      throw new WildfireError('WORKER_DIED', `${this.name} has no thread left`, { retryable: true });
    }
    this.#restartAtMs = monotonicMs() + (this.#options.restartDelayMs ?? RESTART_DELAY_MS);
    this.#threads = new ThreadSet(this.#options);
    return this.#threads;
  }

  #reportDeath(error: unknown): void {
    if (error instanceof WildfireError) return; // No thread was there to die.
    this.#options.onWorkerDied?.(messageOf(error));
  }
}

/** One Piscina with its threads. Piscina replaces a thread that dies, but not one that dies while loading. */
class ThreadSet<Task, Result> {
  readonly #options: WorkerPoolOptions;
  readonly #piscina: Piscina<Task | WarmUpTask, Result>;
  /** Ids of threads that have loaded their model. */
  readonly #loadedIds = new Set<number>();
  #isExhausted = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#piscina = new Piscina({
      filename: options.workerUrl.href,
      name: 'runTask',
      minThreads: options.threads,
      maxThreads: options.threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
      // 'sync' freezes the thread's own timers and async native work between tasks; 'disabled' measured fastest.
      atomics: 'disabled',
      niceIncrement: options.niceIncrement,
      workerData: options.workerData,
    });
    // Without a listener, a thread that dies idle or while loading would take the process along.
    this.#piscina.on('error', (error: unknown) => options.onWorkerDied?.(messageOf(error)));
    this.#piscina.on('workerCreate', (thread: { id: number }) => this.#loadedIds.add(thread.id));
    // Piscina has put the replacement in place, or not, by the end of the tick.
    this.#piscina.on('workerDestroy', () => queueMicrotask(() => this.#noticeExhaustion()));
  }

  /** Whether all threads are gone for good; tasks that waited for one have then failed. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  get queuedTasks(): number {
    return this.#piscina.queueSize;
  }

  run(task: Task): Promise<Result> {
    return this.#piscina.run(task);
  }

  /** Resolves when every thread has loaded its model; a thread keeps its task until all have met. */
  async warmUp(): Promise<void> {
    const { threads } = this.#options;
    const barrier = new Int32Array(new SharedArrayBuffer(4));
    const task: WarmUpTask = { kind: 'warmUp', barrier, threads };
    const release = (error: unknown) => {
      // The others would wait for the one that failed.
      Atomics.store(barrier, 0, threads);
      Atomics.notify(barrier, 0);
      throw error;
    };
    const runs = Array.from({ length: threads }, () => this.#piscina.run(task).catch(release));
    await Promise.allSettled(runs);
    await Promise.all(runs);
  }

  /** Ends the threads once none of them is loading a model. Call when no task is running. */
  async end(): Promise<void> {
    while (this.#threadsLoading.length > 0) await this.#nextChange();
    await this.#piscina.destroy();
  }

  get #threadsLoading() {
    return this.#piscina.threads.filter((thread) => !this.#loadedIds.has(thread.threadId));
  }

  /** Resolves when a thread has loaded or is gone. */
  #nextChange(): Promise<void> {
    // Piscina does not let idle threads keep the process up; here they must, or this would never resolve.
    for (const thread of this.#piscina.threads) thread.ref();
    return new Promise((resolve) => {
      this.#piscina.once('workerCreate', () => resolve());
      this.#piscina.once('workerDestroy', () => resolve());
    });
  }

  #noticeExhaustion(): void {
    if (this.#piscina.threads.length > 0 || this.#isExhausted) return;
    this.#isExhausted = true;
    // Fails what is queued: nobody would ever take it. There is no thread left that could be inside native code.
    void this.#piscina.destroy();
  }
}
