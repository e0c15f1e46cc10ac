/**
 * The VAD thread as the main thread sees it. A thread that died is replaced and watches the same calls again; one that
 * cannot be replaced is tried again while there are calls, and with each that comes.
 * Thread: main.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { messageOf, WildfireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import type { TapeHandle } from '../../ring-buffers/layout.ts';
import { TapeReader } from '../../ring-buffers/tape.ts';
import type { VadEvent, VadReply, VadRequest, VadSnapshot, VadThreadOptions } from './vad-messages.ts';

export type { VadEvent, VadSnapshot } from './vad-messages.ts';

/** All but `model` have defaults. */
export type VadClientOptions = Partial<VadThreadOptions> & Pick<VadThreadOptions, 'model'>;

export const DEFAULT_VAD_OPTIONS: Omit<VadThreadOptions, 'model'> = {
  sileroPath: null,
  maxStreams: 512,
  tickMs: 20,
  // The hangover must stay well below turn-config's endpointing.minDelayMs and bargeIn.minSpeechMs.
  detector: { stopHangoverMs: 80, maxOnsetMs: 300 },
  niceValue: -5,
  allowFaults: false,
};

/** Between two starts: a thread that dies of its work would take a core. */
const RESTART_PAUSE_MS = 1000;

interface Pending {
  readonly resolve: (snapshot: VadSnapshot) => void;
  readonly reject: (error: WildfireError) => void;
}

export class VadClient {
  readonly #options: VadThreadOptions;
  readonly #calls = new Map<number, TapeHandle>();
  /** Calls that are speaking, with their last event: ended by us when the thread dies. */
  readonly #speaking = new Map<number, VadEvent>();
  readonly #pending = new Map<number, Pending>();
  readonly #eventHandlers: ((event: VadEvent) => void)[] = [];
  readonly #diedHandlers: ((message: string) => void)[] = [];
  #worker: Worker | null = null;
  #nextRequestId = 1;
  /** The replacement of a dead thread, while it is under way. */
  #replacing: Promise<void> | null = null;
  #restartableAtMs = Number.NEGATIVE_INFINITY;
  readonly #closing = new AbortController();

  private constructor(options: VadClientOptions) {
    this.#options = { ...DEFAULT_VAD_OPTIONS, ...options };
  }

  /**
   * Starts the thread and waits until its model is loaded.
   * @throws WildfireError MODEL_MISSING, MODEL_DAMAGED or WORKER_WARMUP
   */
  static async start(options: VadClientOptions): Promise<VadClient> {
    const client = new VadClient(options);
    await client.#startThread();
    return client;
  }

  /**
   * Resolves when there is a thread: at once, or when the one that died has been replaced.
   * @throws WildfireError WORKER_DIED (retryable) when none could be started, INVALID_STATE after close()
   */
  async running(): Promise<void> {
    if (this.#isClosed) throw notRunning();
    if (this.#worker === null) await this.#replace();
  }

  /**
   * Reports speech on `uplink` from its present head on.
   * @throws WildfireError ADMISSION_REFUSED when maxStreams calls are watched, and as running()
   */
  async watch(callId: number, uplink: TapeHandle): Promise<void> {
    await this.running();
    this.#calls.set(callId, uplink);
    try {
      await this.#ask({ kind: 'watch', requestId: this.#nextRequestId, callId, uplink });
    } catch (error) {
      this.#calls.delete(callId);
      throw error;
    }
  }

  /** No event of this call comes after it resolves, and its tape is not touched again. */
  async unwatch(callId: number): Promise<void> {
    this.#speaking.delete(callId);
    // A thread that is gone, or goes, touches no tape any more.
    if (!this.#calls.delete(callId) || this.#worker === null || this.#isClosed) return;
    await this.#ask({ kind: 'unwatch', requestId: this.#nextRequestId, callId }).catch(() => {});
  }

  onEvent(handler: (event: VadEvent) => void): void {
    this.#eventHandlers.push(handler);
  }

  /** The thread ended by itself; it is being replaced. */
  onDied(handler: (message: string) => void): void {
    this.#diedHandlers.push(handler);
  }

  snapshot(): Promise<VadSnapshot> {
    return this.#ask({ kind: 'snapshot', requestId: this.#nextRequestId });
  }

  /** Lets the tick under way finish and waits for the thread to end. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#closing.abort();
    await this.#replacing?.catch(() => {});
    const worker = this.#worker;
    if (worker === null) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#post({ kind: 'close' });
    await ended;
  }

  /** Tests only, and only with `allowFaults`: the thread ends at once. */
  injectDeath(): void {
    this.#post({ kind: 'die' });
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #startThread(): Promise<void> {
    const worker = new Worker(new URL('./vad.worker.ts', import.meta.url), {
      workerData: this.#options,
      name: 'wildfire-vad',
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let lastError: unknown = null;
    worker.on('message', (reply: VadReply) => (reply.kind === 'ready' ? resolve() : this.#onReply(reply)));
    worker.on('error', (error) => {
      lastError = error;
    });
    worker.once('exit', (code) => {
      reject(warmUpError(lastError, code));
      this.#onExit(worker, lastError === null ? `exit code ${code}` : messageOf(lastError));
    });
    await promise;
    this.#worker = worker;
  }

  #onReply(reply: Exclude<VadReply, { kind: 'ready' }>): void {
    if (reply.kind === 'events') {
      for (const event of reply.events) this.#onSpeech(event);
      return;
    }
    const pending = this.#pending.get(reply.requestId);
    this.#pending.delete(reply.requestId);
    if (reply.snapshot !== null) pending?.resolve(reply.snapshot);
    else if (reply.error !== null) pending?.reject(WildfireError.fromWire(reply.error));
  }

  #onSpeech(event: VadEvent): void {
    if (!this.#calls.has(event.callId)) return;
    if (event.kind === 'speechStarted') this.#speaking.set(event.callId, event);
    else this.#speaking.delete(event.callId);
    for (const handler of this.#eventHandlers) handler(event);
  }

  #onExit(worker: Worker, message: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const error = new WildfireError('WORKER_DIED', `vad thread ended: ${message}`, { retryable: true });
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    if (this.#isClosed) return;
    this.#endSpeech();
    this.#tellDied(message);
    this.#replace().catch(() => {}); // told already
  }

  #tellDied(message: string): void {
    for (const handler of this.#diedHandlers) handler(message);
  }

  // A turn must not hang on a stop that nobody will report.
  #endSpeech(): void {
    for (const [callId, event] of this.#speaking) {
      const uplink = this.#calls.get(callId);
      if (uplink === undefined) continue;
      const atSample = new TapeReader(uplink).positionSamples;
      this.#onSpeech({
        ...event,
        kind: 'speechStopped',
        atSample,
        decidedAtSample: atSample,
        atMs: monotonicMs(),
      });
    }
  }

  /** Starts another thread, or joins whoever does. @throws WildfireError WORKER_DIED, retryable */
  #replace(): Promise<void> {
    this.#replacing ??= this.#startAnother();
    return this.#replacing;
  }

  async #startAnother(): Promise<void> {
    try {
      const pauseMs = Math.max(0, this.#restartableAtMs - monotonicMs());
      await sleep(pauseMs, undefined, { signal: this.#closing.signal });
      this.#restartableAtMs = monotonicMs() + RESTART_PAUSE_MS;
      await this.#startThread();
      for (const [callId, uplink] of this.#calls) {
        await this.#ask({ kind: 'watch', requestId: this.#nextRequestId, callId, uplink });
      }
      this.#replacing = null;
    } catch (cause) {
      this.#replacing = null;
      if (this.#isClosed) throw notRunning();
      const message = `no vad thread: ${messageOf(cause)}`;
      this.#tellDied(message);
      if (this.#calls.size > 0) this.#replace().catch(() => {});
      throw new WildfireError('WORKER_DIED', message, { retryable: true, cause });
    }
  }

  #ask(request: VadRequest & { readonly requestId: number }): Promise<VadSnapshot> {
    const worker = this.#worker;
    if (worker === null || this.#isClosed) {
      return Promise.reject(notRunning());
    }
    const { promise, resolve, reject } = Promise.withResolvers<VadSnapshot>();
    this.#nextRequestId = request.requestId + 1;
    this.#pending.set(request.requestId, { resolve, reject });
    this.#post(request);
    return promise;
  }

  #post(request: VadRequest): void {
    this.#worker?.postMessage(request);
  }
}

function notRunning(): WildfireError {
  return new WildfireError('INVALID_STATE', 'the vad thread is not running');
}

function warmUpError(cause: unknown, exitCode: number): WildfireError {
  const code = (cause as { code?: unknown } | null)?.code;
  const message = cause === null ? `exit code ${exitCode}` : messageOf(cause);
  const isModel = code === 'MODEL_MISSING' || code === 'MODEL_DAMAGED';
  return new WildfireError(isModel ? code : 'WORKER_WARMUP', `vad thread did not start: ${message}`, {
    cause,
  });
}
