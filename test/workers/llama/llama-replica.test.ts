/** A replica's life on the main side, with a scripted thread: death, retry, last words, closing. */
import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WireError } from '../../../src/errors.ts';
import { LlamaReplica } from '../../../src/workers/llama/llama-replica.ts';
import type {
  GenerateRequest,
  LlamaEvent,
  LlamaRequest,
  LlamaServeTask,
} from '../../../src/workers/protocol.ts';

/** One run of the serve task. */
class ScriptedThread {
  readonly port: MessagePort;
  readonly requests: LlamaRequest[] = [];
  readonly end: (failure: WireError | null) => void;
  readonly #reject: (error: Error) => void;
  #onRequest: () => void = () => {};

  constructor(port: MessagePort, end: (failure: WireError | null) => void, reject: (error: Error) => void) {
    this.port = port;
    this.#reject = reject;
    this.end = (failure) => {
      port.close();
      end(failure);
    };
    port.on('message', (request: LlamaRequest) => {
      this.requests.push(request);
      this.#onRequest();
      if (request.kind === 'shutDown') this.end(null);
    });
  }

  emit(event: LlamaEvent): void {
    this.port.postMessage(event);
  }

  ready(): void {
    const backend = { gpu: 'none', gpuDevices: [], gpuLayers: 0, cpuThreads: 1, chatTemplate: 'scripted' };
    this.emit({ kind: 'ready', sequences: 2, contextTokens: 1024, backend });
  }

  /** The thread is gone: its port closes, its task fails. What it had posted before may still come. */
  die(): void {
    this.port.close();
    this.#reject(new Error('worker exited with code: 1'));
  }

  /** Waits until `count` requests have come. */
  async received(count: number): Promise<readonly LlamaRequest[]> {
    while (this.requests.length < count) {
      await new Promise<void>((resolve) => {
        this.#onRequest = resolve;
      });
    }
    return this.requests;
  }
}

class ScriptedPool {
  readonly threads: ScriptedThread[] = [];
  readonly died: string[] = [];
  #onThread: () => void = () => {};

  readonly run = (task: LlamaServeTask): Promise<WireError | null> =>
    new Promise((resolve, reject) => {
      this.threads.push(new ScriptedThread(task.port, resolve, reject));
      this.#onThread();
    });

  async thread(index: number): Promise<ScriptedThread> {
    while (this.threads[index] === undefined) {
      await new Promise<void>((resolve) => {
        this.#onThread = resolve;
      });
    }
    return this.threads[index];
  }
}

let pool: ScriptedPool;
let replica: LlamaReplica;
let heard: string[];

function request(turnId: number, callId = 1): GenerateRequest {
  return {
    kind: 'generate',
    callId,
    turnId,
    messages: [{ role: 'user', text: 'hello' }],
    replyPrefix: '',
    cancel: new Int32Array(new SharedArrayBuffer(4)),
    queuedAtMs: 0,
  };
}

function finished(turnId: number, callId = 1): LlamaEvent {
  return {
    kind: 'finished',
    callId,
    turnId,
    reason: 'stop',
    queueMs: 0,
    firstTokenMs: 1,
    computeMs: 2,
    promptTokens: 3,
    reusedTokens: 0,
    generatedTokens: 4,
  };
}

function text(piece: string, turnId = 1, callId = 1): LlamaEvent {
  return { kind: 'text', callId, turnId, text: piece };
}

async function startReplica(): Promise<ScriptedThread> {
  const starting = replica.start();
  const thread = await pool.thread(0);
  thread.ready();
  await starting;
  return thread;
}

beforeEach(() => {
  pool = new ScriptedPool();
  heard = [];
  replica = new LlamaReplica({
    pool: pool as unknown as ConstructorParameters<typeof LlamaReplica>[0]['pool'],
    task: {} as Omit<LlamaServeTask, 'port'>,
    onLog: () => {},
    onWorkerDied: (message) => pool.died.push(message),
  });
});

describe('a replica whose thread dies', () => {
  it('goes on behind the text already delivered, the last words included', async () => {
    const first = await startReplica();
    const reply = replica.generate({ ...request(1), exitAfterTokens: 2 }, (piece) => heard.push(piece));
    await first.received(1);
    first.emit(text('Good '));
    first.emit(text('eve'));
    first.die();
    const second = await pool.thread(1);
    second.ready();
    const [again] = await second.received(1);
    expect(again).toMatchObject({ kind: 'generate', turnId: 1, replyPrefix: 'Good eve' });
    expect(again).not.toHaveProperty('exitAfterTokens');
    second.emit(text('ning.'));
    second.emit(finished(1));
    expect((await reply).reason).toBe('stop');
    expect(heard.join('')).toBe('Good evening.');
    expect(pool.died).toHaveLength(1);
  });

  it('keeps what a reply began with when its thread dies', async () => {
    const first = await startReplica();
    const reply = replica.generate({ ...request(1), replyPrefix: 'Hello.' }, () => {});
    await first.received(1);
    first.emit(text(' Good '));
    first.die();
    const second = await pool.thread(1);
    second.ready();
    const [again] = await second.received(1);
    expect(again).toMatchObject({ replyPrefix: 'Hello. Good ' });
    second.emit(finished(1));
    await reply;
  });

  it('gives a reply up when a second thread dies of it, and says that it may be tried again', async () => {
    const first = await startReplica();
    const outcome = expect(replica.generate(request(1), () => {})).rejects.toMatchObject({
      code: 'WORKER_DIED',
      retryable: true,
    });
    await first.received(1);
    first.die();
    const second = await pool.thread(1);
    second.ready();
    await second.received(1);
    second.die();
    await outcome;
    const third = await pool.thread(2);
    third.ready();
    const later = replica.generate(request(2), () => {});
    await third.received(1);
    third.emit(finished(2));
    expect((await later).turnId).toBe(2);
  });

  it('takes requests while the new one loads, and closes calls behind their replies', async () => {
    const first = await startReplica();
    first.die();
    const second = await pool.thread(1);
    const reply = replica.generate(request(1), () => {});
    expect(await replica.prepare({ kind: 'prepare', callId: 1, messages: [] })).toMatchObject({
      promptTokens: 0,
    });
    const closed = replica.closeConversation(1);
    second.ready();
    const kinds = (await second.received(2)).map(({ kind }) => kind);
    expect(kinds).toEqual(['generate', 'closeConversation']);
    second.emit(finished(1));
    second.emit({ kind: 'conversationClosed', callId: 1 });
    await Promise.all([reply, closed]);
    expect(replica.openCalls).toBe(0);
  });

  it('fails replies when it cannot be replaced, and tries again when asked again', async () => {
    const first = await startReplica();
    first.die();
    const second = await pool.thread(1);
    const outcome = expect(replica.generate(request(1), () => {})).rejects.toMatchObject({
      code: 'MODEL_MISSING',
    });
    second.end({ code: 'MODEL_MISSING', message: 'model file x is not there', retryable: false });
    await outcome;
    const later = replica.generate(request(2), () => {});
    const third = await pool.thread(2);
    third.ready();
    await third.received(1);
    third.emit(finished(2));
    expect((await later).turnId).toBe(2);
  });

  it('does not start when it dies while loading', async () => {
    const starting = expect(replica.start()).rejects.toMatchObject({ code: 'WORKER_WARMUP' });
    (await pool.thread(0)).die();
    await starting;
  });
});

describe('closing a replica', () => {
  it('lets the thread end its replies and hears its last words', async () => {
    const thread = await startReplica();
    const reply = replica.generate(request(1), (piece) => heard.push(piece));
    await thread.received(1);
    thread.emit(text('Good'));
    thread.emit(finished(1));
    await replica.close();
    expect((await reply).reason).toBe('stop');
    expect(heard).toEqual(['Good']);
    await expect(replica.generate(request(2), () => {})).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('does not replace a thread that dies then', async () => {
    const thread = await startReplica();
    const outcome = expect(replica.generate(request(1), () => {})).rejects.toMatchObject({
      code: 'INVALID_STATE',
    });
    await thread.received(1);
    thread.port.removeAllListeners('message');
    const closing = replica.close();
    thread.die();
    await Promise.all([closing, outcome]);
    expect(pool.threads).toHaveLength(1);
  });

  it('waits for a thread that is still loading', async () => {
    const starting = replica.start().catch(() => {});
    const thread = await pool.thread(0);
    await replica.close();
    await starting;
    expect(thread.requests).toEqual([{ kind: 'shutDown' }]);
  });
});

describe('two ports', () => {
  it('are closed with their threads', async () => {
    const thread = await startReplica();
    const closed = once(thread.port, 'close');
    await replica.close();
    await closed;
  });
});
