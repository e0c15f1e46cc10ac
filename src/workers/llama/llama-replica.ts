/**
 * One LLaMA replica seen from outside: a thread of the pool running one long task, and the port to it. When the
 * thread dies another takes its place and every reply that was being made goes on behind the text already delivered.
 * Thread: main.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { messageOf, WildfireError, type WireError } from '../../errors.ts';
import type {
  ChatMessage,
  GenerateRequest,
  LlamaEvent,
  LlamaFinished,
  LlamaPrepared,
  LlamaReady,
  LlamaRequest,
  LlamaServeTask,
  PrepareRequest,
} from '../protocol.ts';

export interface LlamaReplicaOptions {
  readonly pool: Pick<Piscina<LlamaServeTask, WireError | null>, 'run'>;
  readonly task: Omit<LlamaServeTask, 'port'>;
  readonly onLog: (level: 'warn' | 'error', message: string) => void;
  readonly onWorkerDied: (message: string) => void;
}

type OnText = (text: string) => void;

/** A reply that is waited for, with all that is needed to make it again. */
interface PendingReply {
  request: GenerateRequest;
  readonly onText: OnText;
  /** What it began with. */
  readonly prefix: string;
  /** Text handed out so far. */
  delivered: string;
  attempts: number;
  readonly resolve: (finished: LlamaFinished) => void;
  readonly reject: (error: WildfireError) => void;
}

interface PendingPrepare {
  readonly request: PrepareRequest;
  readonly resolve: (prepared: LlamaPrepared) => void;
}

type State = 'starting' | 'ready' | 'failed' | 'closing' | 'closed';

/** A reply is tried on this many threads. */
const MAX_ATTEMPTS = 2;

/** A thread that died before it took the port never closes it; otherwise closing takes a moment. */
const LAST_WORDS_MS = 200;

export class LlamaReplica {
  readonly #options: LlamaReplicaOptions;
  readonly #replies = new Map<string, PendingReply>();
  readonly #prepares: PendingPrepare[] = [];
  readonly #closes = new Map<number, (() => void)[]>();
  readonly #openCalls = new Set<number>();
  #state: State = 'starting';
  #port: MessagePort | null = null;
  #task: Promise<void> = Promise.resolve();
  #ready: LlamaReady | null = null;
  #failure: WildfireError | null = null;

  constructor(options: LlamaReplicaOptions) {
    this.#options = options;
  }

  /**
   * Loads the model.
   * @throws WildfireError MODEL_MISSING, MODEL_DAMAGED, INFERENCE_FAILED, or WORKER_WARMUP when the thread died.
   */
  async start(): Promise<LlamaReady> {
    await this.#startThread();
    if (this.#ready === null)
      throw this.#failure ?? new WildfireError('WORKER_WARMUP', 'llama worker did not start');
    return this.#ready;
  }

  get openCalls(): number {
    return this.#openCalls.size;
  }

  generate(request: GenerateRequest, onText: OnText): Promise<LlamaFinished> {
    const key = replyKey(request);
    return new Promise((resolve, reject) => {
      if (this.#replies.has(key))
        throw new WildfireError('INVALID_STATE', `turn ${key} is being answered already`);
      if (this.#state === 'failed') this.#revive();
      if (this.#state === 'closing' || this.#state === 'closed') throw closedError();
      this.#openCalls.add(request.callId);
      const prefix = request.replyPrefix;
      this.#replies.set(key, { request, onText, prefix, delivered: '', attempts: 1, resolve, reject });
      if (this.#state === 'ready') this.#post(request);
    });
  }

  prepare(request: PrepareRequest): Promise<LlamaPrepared> {
    this.#openCalls.add(request.callId);
    return new Promise((resolve) => {
      if (this.#state !== 'ready') return resolve(notPrepared(request));
      this.#prepares.push({ request, resolve });
      this.#post(request);
    });
  }

  /** Fills every sequence with what every call begins with. */
  async prepareAllSequences(messages: readonly ChatMessage[]): Promise<void> {
    // Real calls are counted from 1, so these can never meet one.
    const callIds = Array.from({ length: this.#ready?.sequences ?? 0 }, (_, index) => -1 - index);
    await Promise.all(callIds.map((callId) => this.prepare({ kind: 'prepare', callId, messages })));
    await Promise.all(callIds.map((callId) => this.closeConversation(callId)));
  }

  closeConversation(callId: number): Promise<void> {
    const isAlive = this.#state === 'ready' || this.#state === 'starting';
    if (!this.#openCalls.delete(callId) || !isAlive) return Promise.resolve();
    return new Promise((resolve) => {
      this.#closes.set(callId, [...(this.#closes.get(callId) ?? []), resolve]);
      if (this.#state === 'ready') this.#post({ kind: 'closeConversation', callId });
    });
  }

  /** Ends replies at their next token (they finish as cancelled), disposes the model, ends the task. */
  async close(): Promise<void> {
    if (this.#state === 'ready' || this.#state === 'starting') {
      this.#state = 'closing';
      this.#post({ kind: 'shutDown' });
    }
    await this.#task;
    this.#state = 'closed';
    this.#abandon(closedError());
  }

  // Runs the serve task on a fresh thread; settles when it is ready or has failed. The task itself goes on.
  #startThread(): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    return new Promise((settle) => {
      port1.on('message', (event: LlamaEvent) => {
        // What a dead thread had still sent comes too late: its replies have been planned anew.
        if (port1 === this.#port) this.#take(event);
        if (event.kind === 'ready') settle();
      });
      this.#task = this.#runTask(port1, port2).finally(settle);
    });
  }

  // The task's end and the port's messages come by different ways: the last messages are waited for.
  async #runTask(port: MessagePort, threadPort: MessagePort): Promise<void> {
    const closed = once(port, 'close');
    try {
      const task = { ...this.#options.task, port: threadPort };
      const failure = await this.#options.pool.run(task, { transferList: [threadPort] });
      await closed;
      if (failure !== null) this.#fail(WildfireError.fromWire(failure));
    } catch (error) {
      await Promise.race([closed, delay(LAST_WORDS_MS, undefined, { ref: false })]);
      this.#onThreadDied(messageOf(error));
    } finally {
      port.close();
    }
  }

  #onThreadDied(message: string): void {
    this.#options.onWorkerDied(message);
    this.#settlePrepares();
    if (this.#state === 'closing') return;
    if (this.#state === 'starting') {
      this.#fail(new WildfireError('WORKER_WARMUP', `llama worker died while loading: ${message}`));
      return;
    }
    this.#state = 'starting';
    for (const [key, reply] of this.#replies) this.#planRetry(key, reply, message);
    void this.#startThread();
  }

  // A thread that could not be replaced (the file was being exchanged, memory was short) is tried again on demand.
  #revive(): void {
    if (this.#ready === null) throw this.#failure ?? closedError();
    this.#state = 'starting';
    void this.#startThread();
  }

  #planRetry(key: string, reply: PendingReply, message: string): void {
    reply.attempts += 1;
    if (reply.attempts > MAX_ATTEMPTS) {
      this.#replies.delete(key);
      reply.reject(
        new WildfireError('WORKER_DIED', `llama worker died twice: ${message}`, { retryable: true }),
      );
      return;
    }
    const { exitAfterTokens: _fault, ...request } = reply.request;
    reply.request = { ...request, replyPrefix: reply.prefix + reply.delivered };
  }

  #take(event: LlamaEvent): void {
    if (event.kind === 'ready') this.#onReady(event);
    else if (event.kind === 'text') this.#onText(event);
    else if (event.kind === 'finished') this.#takeReply(event)?.resolve(event);
    else if (event.kind === 'failed') this.#takeReply(event)?.reject(WildfireError.fromWire(event.error));
    else if (event.kind === 'prepared') this.#onPrepared(event);
    else if (event.kind === 'conversationClosed') this.#onConversationClosed(event.callId);
    else this.#options.onLog(event.level, event.message);
  }

  #onReady(event: LlamaReady): void {
    this.#ready = event;
    if (this.#state === 'closing') return;
    this.#state = 'ready';
    for (const { request } of this.#replies.values()) this.#post(request);
    for (const callId of this.#closes.keys()) this.#post({ kind: 'closeConversation', callId });
  }

  #onText({ callId, turnId, text }: Extract<LlamaEvent, { kind: 'text' }>): void {
    const reply = this.#replies.get(replyKey({ callId, turnId }));
    if (reply === undefined) return;
    reply.delivered += text;
    reply.onText(text);
  }

  #takeReply(event: { readonly callId: number; readonly turnId: number }): PendingReply | undefined {
    const key = replyKey(event);
    const reply = this.#replies.get(key);
    this.#replies.delete(key);
    return reply;
  }

  #onPrepared(event: LlamaPrepared): void {
    const index = this.#prepares.findIndex(({ request }) => request.callId === event.callId);
    if (index >= 0) this.#prepares.splice(index, 1)[0]?.resolve(event);
  }

  #onConversationClosed(callId: number): void {
    const resolves = this.#closes.get(callId) ?? [];
    this.#closes.delete(callId);
    for (const resolve of resolves) resolve();
  }

  #fail(error: WildfireError): void {
    this.#state = 'failed';
    this.#failure = error;
    this.#abandon(error);
  }

  #abandon(error: WildfireError): void {
    for (const reply of this.#replies.values()) reply.reject(error);
    this.#replies.clear();
    for (const callId of [...this.#closes.keys()]) this.#onConversationClosed(callId);
    this.#settlePrepares();
  }

  // With the thread its KV cache is gone.
  #settlePrepares(): void {
    for (const { request, resolve } of this.#prepares.splice(0)) resolve(notPrepared(request));
  }

  #post(request: LlamaRequest): void {
    this.#port?.postMessage(request);
  }
}

function replyKey({ callId, turnId }: { readonly callId: number; readonly turnId: number }): string {
  return `${callId}:${turnId}`;
}

function closedError(): WildfireError {
  return new WildfireError('INVALID_STATE', 'llama is closed');
}

function notPrepared({ callId }: PrepareRequest): LlamaPrepared {
  return { kind: 'prepared', callId, promptTokens: 0, reusedTokens: 0, computeMs: 0 };
}
