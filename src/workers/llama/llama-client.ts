/**
 * Main side of the LLaMA stage: replies as streamed text, one KV sequence per call, a call staying on the replica
 * that knows its conversation. Cancel by the call's CancelWord; a thread is never ended from outside.
 * Thread: main.
 */
import { Piscina } from 'piscina';
import { messageOf, WildfireError, type WireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import type {
  CancelWord,
  ChatMessage,
  LlamaBackend,
  LlamaFinished,
  LlamaPrepared,
  LlamaServeTask,
} from '../protocol.ts';
import { LlamaReplica } from './llama-replica.ts';

export interface LlamaClientOptions {
  /** The GGUF file. */
  readonly modelPath: string;
  /** Calls per replica that can hold their conversation in the KV cache at once. */
  readonly sequences: number;
  /** Tokens of conversation per call; lowered to what the model was trained for. */
  readonly contextTokens: number;
  /** CPU threads of one decode. */
  readonly threads: number;
  /** Longest reply, tokens. */
  readonly maxTokens: number;
  /** 0 = always the most likely token. */
  readonly temperature: number;
  readonly gpu: LlamaServeTask['gpu'];
  /** Added to the nice value of the threads that do the work (0..19). */
  readonly niceIncrement: number;
  /** Threads with a model of their own. Default 1. */
  readonly replicas?: number;
  /** Default 40; 0 = no limit. */
  readonly topK?: number;
  /** Default 0.95. */
  readonly topP?: number;
  /** Default 0. */
  readonly minP?: number;
  /** Default 1 = off. */
  readonly repeatPenalty?: number;
  /** The reply's last tokens that are penalised. Default 64. */
  readonly repeatPenaltyTokens?: number;
  /** Default null = another one each time. */
  readonly seed?: number | null;
  /** Tokens in one decode, over all calls. Default 512. */
  readonly batchTokens?: number;
  /** How long a piece of one call's prompt may keep other calls' tokens waiting, ms. Default 40 (bench/llama). */
  readonly prefillPieceMs?: number;
  /** llama.cpp's warnings. */
  readonly onLog?: (level: 'warn' | 'error', message: string) => void;
  /** A replica's thread ended by itself; it is being replaced and its replies go on. */
  readonly onWorkerDied?: (message: string) => void;
  /** Tests only: lets `exitAfterTokens` end the thread. */
  readonly allowFaults?: boolean;
}

export interface LlamaTask {
  readonly callId: number;
  readonly turnId: number;
  /** The whole conversation, oldest first, ending with the caller's turn. */
  readonly messages: readonly ChatMessage[];
  /** How the reply begins, when it is to go on behind that. Default: from its first word. */
  readonly replyPrefix?: string;
  readonly cancel: CancelWord;
  /** Tests only. */
  readonly exitAfterTokens?: number;
}

const WORKER_URL = new URL('./llama.worker.ts', import.meta.url);
const MAX_WAIT_FOR_IDLE_THREADS_MS = 10_000;

export class LlamaClient {
  readonly #pool: Piscina<LlamaServeTask, WireError | null>;
  readonly #replicas: readonly LlamaReplica[];
  readonly #replicaOfCall = new Map<number, LlamaReplica>();
  #backends: readonly LlamaBackend[] = [];
  #contextTokens = 0;
  #isClosed = false;

  private constructor(options: LlamaClientOptions) {
    const replicas = options.replicas ?? 1;
    const onLog = options.onLog ?? (() => {});
    const onWorkerDied = options.onWorkerDied ?? (() => {});
    this.#pool = new Piscina({
      filename: WORKER_URL.href,
      name: 'serve',
      minThreads: replicas,
      maxThreads: replicas,
      idleTimeout: Number.POSITIVE_INFINITY,
      // One long task per thread; it talks over its own port, which the other atomics modes would freeze.
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      closeTimeout: MAX_WAIT_FOR_IDLE_THREADS_MS,
      workerData: { allowFaults: options.allowFaults === true },
    });
    this.#pool.on('error', (error: unknown) => onLog('error', `llama thread: ${messageOf(error)}`));
    const task = toTask(options);
    this.#replicas = Array.from(
      { length: replicas },
      () => new LlamaReplica({ pool: this.#pool, task, onLog, onWorkerDied }),
    );
  }

  /**
   * Loads the model in every replica and runs it once.
   * @throws WildfireError MODEL_MISSING or MODEL_DAMAGED naming the file; INFERENCE_FAILED when the backend or the
   *   memory is not there; WORKER_WARMUP when the thread died.
   */
  static async start(options: LlamaClientOptions): Promise<LlamaClient> {
    const client = new LlamaClient(options);
    try {
      // One after another: loading in parallel doubles the peak of memory and disk.
      const backends: LlamaBackend[] = [];
      for (const replica of client.#replicas) {
        const ready = await replica.start();
        backends.push(ready.backend);
        client.#contextTokens = ready.contextTokens;
      }
      client.#backends = backends;
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** What each replica really runs on. */
  get backends(): readonly LlamaBackend[] {
    return this.#backends;
  }

  /** Tokens of conversation per call, after the model's own limit. */
  get contextTokens(): number {
    return this.#contextTokens;
  }

  /** Conversations that hold, or wait for, a KV sequence. */
  get openSequences(): number {
    return this.#replicaOfCall.size;
  }

  /**
   * Makes one reply. Text comes piece by piece, in order, before the promise settles; a thread's death in between is
   * not seen but for a pause.
   * @returns why it ended and what it took; 'cancelled' when the cancel word reached turnId or the client was closed
   * @throws WildfireError INFERENCE_FAILED, WORKER_DIED (retryable) when two threads died of it, INVALID_STATE
   */
  async generate(task: LlamaTask, onText: (text: string) => void): Promise<LlamaFinished> {
    const { callId, turnId, messages, replyPrefix = '', cancel, exitAfterTokens } = task;
    const fault = exitAfterTokens === undefined ? {} : { exitAfterTokens };
    return this.#replicaFor(callId).generate(
      {
        kind: 'generate',
        callId,
        turnId,
        messages,
        replyPrefix,
        cancel,
        queuedAtMs: monotonicMs(),
        ...fault,
      },
      onText,
    );
  }

  /**
   * Evaluates a conversation ahead of its reply. Gives way to a generate of the same call; never needed for a right
   * answer. No call does so: benches, which want the reply alone.
   */
  async prepare(callId: number, messages: readonly ChatMessage[]): Promise<LlamaPrepared> {
    return this.#replicaFor(callId).prepare({ kind: 'prepare', callId, messages });
  }

  /**
   * Evaluates what every call begins with (system prompt, greeting) in every sequence, so that no call pays for it.
   * Call it once after start, before calls come in; a sequence keeps it from call to call.
   */
  async prepareAllSequences(opening: readonly ChatMessage[]): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => replica.prepareAllSequences(opening)));
  }

  /** The call is over: ends its reply, forgets its words, frees its sequence. Unknown calls are fine. */
  async closeConversation(callId: number): Promise<void> {
    const replica = this.#replicaOfCall.get(callId);
    this.#replicaOfCall.delete(callId);
    await replica?.closeConversation(callId);
  }

  /** Ends replies at their next token (reason 'cancelled'), disposes the models, ends the threads. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all(this.#replicas.map((replica) => replica.close()));
    this.#replicaOfCall.clear();
    await this.#pool.close();
  }

  // A call stays where its KV cache is; a new one goes to the replica with the fewest calls.
  #replicaFor(callId: number): LlamaReplica {
    const known = this.#replicaOfCall.get(callId);
    if (known !== undefined) return known;
    const [first, ...others] = this.#replicas;
    if (first === undefined || this.#isClosed) throw new WildfireError('INVALID_STATE', 'llama is closed');
    const least = others.reduce(
      (best, replica) => (replica.openCalls < best.openCalls ? replica : best),
      first,
    );
    this.#replicaOfCall.set(callId, least);
    return least;
  }
}

function toTask(options: LlamaClientOptions): Omit<LlamaServeTask, 'port'> {
  const { modelPath, sequences, contextTokens, threads, gpu, maxTokens, niceIncrement, temperature } =
    options;
  return {
    modelPath,
    sequences,
    contextTokens,
    threads,
    gpu,
    maxTokens,
    niceIncrement,
    batchTokens: options.batchTokens ?? 512,
    prefillPieceMs: options.prefillPieceMs ?? 40,
    sampling: {
      temperature,
      topK: options.topK ?? 40,
      topP: options.topP ?? 0.95,
      minP: options.minP ?? 0,
      repeatPenalty: options.repeatPenalty ?? 1,
      repeatPenaltyTokens: options.repeatPenaltyTokens ?? 64,
      seed: options.seed ?? null,
    },
  };
}
