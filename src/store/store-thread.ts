/**
 * One store thread after another: starts it, passes messages, matches answers with questions, and says when it ended by
 * itself. Thread: main. Part of StoreClient.
 */
import { Worker } from 'node:worker_threads';
import { messageOf, WildfireError } from '../errors.ts';
import type { StoreQuery, StoreReply, StoreRequest, StoreThreadData } from './store-messages.ts';

export interface StoreThreadEvents {
  readonly onReply: (reply: Extract<StoreReply, { kind: 'written' | 'notWritten' }>) => void;
  /** A thread that was ready ended, and nobody asked it to. */
  readonly onDied: (message: string) => void;
}

/** Questions that wait at once: whoever asks faster than a database reads is told to come back. */
const MOST_QUESTIONS = 32;

interface Question {
  readonly resolve: (json: Uint8Array | null) => void;
  readonly reject: (error: WildfireError) => void;
}

export class StoreThread {
  readonly #data: Omit<StoreThreadData, 'mustOpen'>;
  readonly #events: StoreThreadEvents;
  readonly #questions = new Map<number, Question>();
  #worker: Worker | null = null;
  #nextRequestId = 1;
  #isClosing = false;

  constructor(data: Omit<StoreThreadData, 'mustOpen'>, events: StoreThreadEvents) {
    this.#data = data;
    this.#events = events;
  }

  /**
   * Starts a thread unless one runs.
   * @param mustOpen whether the database has to be open before it is ready
   * @throws WildfireError as openDatabase, or WORKER_WARMUP when the thread ended instead
   */
  async start(mustOpen: boolean): Promise<void> {
    if (this.#worker !== null || this.#isClosing) return;
    const worker = new Worker(new URL('./store.worker.ts', import.meta.url), {
      workerData: { ...this.#data, mustOpen } satisfies StoreThreadData,
      name: 'wildfire-store',
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let lastError: unknown = null;
    worker.on('message', (reply: StoreReply) => {
      if (reply.kind === 'ready') {
        this.#worker = worker;
        resolve();
      } else if (reply.kind === 'notOpened') reject(WildfireError.fromWire(reply.error));
      else this.#onReply(reply);
    });
    worker.on('error', (error) => {
      lastError = error;
    });
    worker.once('exit', (code) => {
      const message = lastError === null ? `exit code ${code}` : messageOf(lastError);
      reject(
        new WildfireError('WORKER_WARMUP', `store thread did not start: ${message}`, { retryable: true }),
      );
      this.#onExit(worker, message);
    });
    await promise;
    if (this.#isClosing) void this.close();
  }

  /** Does nothing while there is no thread. */
  post(request: StoreRequest): void {
    this.#worker?.postMessage(request);
  }

  /** @throws WildfireError STORE_UNAVAILABLE (retryable) */
  ask(query: StoreQuery): Promise<Uint8Array | null> {
    if (this.#worker === null || this.#isClosing)
      return Promise.reject(unavailable('the store is not running'));
    if (this.#questions.size >= MOST_QUESTIONS) {
      return Promise.reject(unavailable(`${MOST_QUESTIONS} questions are waiting for an answer already`));
    }
    const requestId = this.#nextRequestId++;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | null>();
    this.#questions.set(requestId, { resolve, reject });
    this.post({ kind: 'read', requestId, query });
    return promise;
  }

  /** Asks the thread to end after what it was sent before; resolves when it has. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const worker = this.#worker;
    if (worker === null) return;
    // A disk that does not answer must not hold up the end of the process.
    worker.unref();
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.post({ kind: 'close' });
    await ended;
  }

  #onReply(reply: Exclude<StoreReply, { kind: 'ready' | 'notOpened' }>): void {
    if (reply.kind === 'written' || reply.kind === 'notWritten') return this.#events.onReply(reply);
    const question = this.#questions.get(reply.requestId);
    this.#questions.delete(reply.requestId);
    if (reply.kind === 'answer') question?.resolve(reply.json);
    else question?.reject(WildfireError.fromWire(reply.error));
  }

  #onExit(worker: Worker, message: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const { reject } of this.#questions.values())
      reject(unavailable(`the store's thread ended: ${message}`));
    this.#questions.clear();
    if (!this.#isClosing) this.#events.onDied(message);
  }
}

function unavailable(message: string): WildfireError {
  return new WildfireError('STORE_UNAVAILABLE', message, { retryable: true });
}
