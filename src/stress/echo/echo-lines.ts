/**
 * The echo lines as the main thread sees them: opens, starts and stops the RTP of calls that are answered by an echo.
 * Thread: main of the calling process. Some messages per call.
 */
import type { Worker } from 'node:worker_threads';
import { messageOf, WildfireError } from '../../errors.ts';
import { startSelfReliantWorker } from '../../media/self-reliant-worker.ts';
import type {
  EchoLineReport,
  EchoMessage,
  EchoRemote,
  EchoReplies,
  EchoRequest,
  EchoSnapshot,
} from './echo-protocol.ts';

const WANTED_NICE = -10;
const THREAD = new URL('./echo-lines.worker.ts', import.meta.url);

type RequestBody = EchoRequest extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'requestId'>
    : never
  : never;

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: WildfireError) => void;
}

export class EchoLines {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #requests = 0;
  #lines = 0;
  /** Why there is no thread any more; null while there is one. */
  #endedBecause: string | null = null;

  private constructor(url: URL) {
    this.#worker = startSelfReliantWorker(url, { workerData: { niceHint: WANTED_NICE } });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.on('message', (message: EchoMessage) => this.#receive(message));
    this.#worker.on('error', (error) =>
      this.#failAll(`the thread of the echo lines died: ${messageOf(error)}`),
    );
    this.#worker.once('exit', () => this.#failAll('the thread of the echo lines has ended'));
  }

  /** Starts the thread. @param thread its entry; another one in tests @throws WildfireError WORKER_DIED when it does not start */
  static async start(thread = THREAD): Promise<EchoLines> {
    const lines = new EchoLines(thread);
    await lines.snapshot();
    return lines;
  }

  /** Binds a free UDP port for one more line. */
  async open(bindAddress: string): Promise<{ line: number; rtpPort: number }> {
    const line = this.#lines;
    this.#lines += 1;
    const { rtpPort } = await this.#request('open', { kind: 'open', line, bindAddress });
    return { line, rtpPort };
  }

  /** From now on a packet leaves every 20 ms. */
  async start(line: number, remote: EchoRemote): Promise<void> {
    await this.#request('start', { kind: 'start', line, remote });
  }

  /** Ends the line, once what is on its way is back or should be. */
  stop(line: number): Promise<EchoLineReport> {
    return this.#request('stop', { kind: 'stop', line });
  }

  snapshot(): Promise<EchoSnapshot> {
    return this.#request('snapshot', { kind: 'snapshot' });
  }

  /** Stops all lines and lets the thread end. */
  async close(): Promise<void> {
    await this.#request('close', { kind: 'close' }).catch(() => {}); // it died first: it is gone, which is what was wanted
    await this.#exited;
  }

  #request<Kind extends keyof EchoReplies>(_kind: Kind, body: RequestBody): Promise<EchoReplies[Kind]> {
    if (this.#endedBecause !== null)
      return Promise.reject(new WildfireError('WORKER_DIED', this.#endedBecause));
    this.#requests += 1;
    const requestId = this.#requests;
    return new Promise((resolve, reject) => {
      this.#waiting.set(requestId, { resolve, reject });
      this.#worker.postMessage({ ...body, requestId });
    });
  }

  #receive(message: EchoMessage): void {
    const waiting = this.#waiting.get(message.requestId);
    this.#waiting.delete(message.requestId);
    if ('error' in message) waiting?.reject(WildfireError.fromWire(message.error));
    else waiting?.resolve(message.value as never);
  }

  /** What is heard first is the cause: a thread that dies ends, too. */
  #failAll(message: string): void {
    this.#endedBecause ??= message;
    const because = this.#endedBecause;
    for (const waiting of this.#waiting.values()) waiting.reject(new WildfireError('WORKER_DIED', because));
    this.#waiting.clear();
  }
}
