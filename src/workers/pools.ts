/**
 * A Piscina pool as Wildfire uses it: explicit size, warmed up before it counts as started, no AbortSignal
 * ever, low OS priority, and a task whose thread died is run once more on the thread that replaces it.
 * Thread: main.
 */
import { Piscina } from 'piscina';
import { messageOf, WildfireError } from '../errors.ts';
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
  /** Called when a thread ended in the middle of a task. */
  readonly onWorkerDied?: (message: string) => void;
}

/** A pool of model threads that take `Task` and answer `Result`. */
export class WorkerPool<Task, Result> {
  readonly name: string;
  readonly #piscina: Piscina<Task | WarmUpTask, Result>;
  readonly #onWorkerDied: (message: string) => void;
  #isClosed = false;

  private constructor(options: WorkerPoolOptions) {
    this.name = options.name;
    this.#onWorkerDied = options.onWorkerDied ?? (() => {});
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
  }

  /**
   * Starts every thread and waits until each has loaded its model.
   * @throws WildfireError WORKER_WARMUP when a thread could not load.
   */
  static async start<Task, Result>(options: WorkerPoolOptions): Promise<WorkerPool<Task, Result>> {
    const pool = new WorkerPool<Task, Result>(options);
    try {
      await pool.#warmUp(options.threads);
      return pool;
    } catch (error) {
      await pool.#piscina.destroy().catch(() => {});
      throw new WildfireError('WORKER_WARMUP', `${options.name} worker did not start: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Tasks waiting for a thread. */
  get queuedTasks(): number {
    return this.#piscina.queueSize;
  }

  /**
   * Runs one task; when its thread dies it is run once more on another.
   * @throws WildfireError WORKER_DIED when both attempts lost their thread, INVALID_STATE after close().
   */
  async run(task: Task): Promise<Result> {
    if (this.#isClosed) throw new WildfireError('INVALID_STATE', `${this.name} pool is closed`);
    try {
      return await this.#piscina.run(task);
    } catch (first) {
      this.#onWorkerDied(messageOf(first));
      return this.#runAgain(task);
    }
  }

  /** Lets running tasks finish, takes no more, ends the threads. A thread is never ended inside native code. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#piscina.close();
  }

  async #runAgain(task: Task): Promise<Result> {
    try {
      return await this.#piscina.run(task);
    } catch (second) {
      this.#onWorkerDied(messageOf(second));
      throw new WildfireError(
        'WORKER_DIED',
        `${this.name} worker died twice on one task: ${messageOf(second)}`,
        {
          cause: second,
        },
      );
    }
  }

  // A thread takes one task at a time and keeps it until all have met, so each thread gets exactly one.
  async #warmUp(threads: number): Promise<void> {
    const barrier = new Int32Array(new SharedArrayBuffer(4));
    const task: WarmUpTask = { kind: 'warmUp', barrier, threads };
    await Promise.all(Array.from({ length: threads }, () => this.#piscina.run(task)));
  }
}
