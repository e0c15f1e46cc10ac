/**
 * Media client: the media thread as the main thread sees it. Opens, starts and closes the media legs of calls.
 * Thread: main. Not hot: some messages per call. When the thread dies, every open request fails with WORKER_DIED and
 * one 'died' event tells; the owner then starts another client.
 */
import { randomInt } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { messageOf, WildfireError } from '../errors.ts';
import { monotonicMs } from '../observability/clock.ts';
import { PortPool } from '../rtp/port-pool.ts';
import type {
  JitterSettings,
  LegReport,
  MediaEvent,
  MediaMessage,
  MediaRequest,
  MediaSnapshot,
  MediaWorkerData,
  OpenLeg,
  StartLeg,
} from './media-protocol.ts';
import { startSelfReliantWorker } from './self-reliant-worker.ts';

const DEFAULT_NICE = -10;
/** Inbound 20 to 60 ms adaptive, never above 200 ms: a bot needs the words more than the last 20 ms. */
const DEFAULT_JITTER: JitterSettings = { targetMinMs: 20, targetMaxMs: 60, capMs: 200 };
/** Long enough for what is still on its way when a call ends, short enough not to need many ports. */
const DEFAULT_QUARANTINE_MS = 10_000;
/** Ports that may turn out to be taken by someone else before opening a leg is given up. */
const OPEN_ATTEMPTS = 32;

export interface MediaClientOptions {
  /** Ports for RTP (even) and RTCP (the next), both ends included. */
  readonly portFirst: number;
  readonly portLast: number;
  /** A leg that should receive and does not for this long is reported, ms. */
  readonly mediaTimeoutMs: number;
  /** Nice value asked for; default -10. */
  readonly niceHint?: number;
  readonly jitter?: JitterSettings;
  /** How long a port rests after use, ms; default 10,000. */
  readonly portQuarantineMs?: number;
  /** For tests: lets `fault()` end the thread. */
  readonly allowFaults?: boolean;
}

type MediaEventHandler = (event: MediaEvent) => void;
type RequestBody = MediaRequest extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'requestId'>
    : never
  : never;
interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: WildfireError) => void;
}

export class MediaClient {
  readonly #worker: Worker;
  readonly #ports: PortPool;
  readonly #portOfCall = new Map<number, number>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #handlers: MediaEventHandler[] = [];
  readonly #exited: Promise<void>;
  #lastRequestId = 0;
  #state: 'open' | 'closing' | 'died' | 'closed' = 'open';

  private constructor(options: MediaClientOptions, worker: Worker) {
    this.#worker = worker;
    this.#ports = new PortPool({
      portFirst: options.portFirst,
      portLast: options.portLast,
      quarantineMs: options.portQuarantineMs ?? DEFAULT_QUARANTINE_MS,
      nowMs: monotonicMs,
      randomBelow: randomInt,
    });
    this.#exited = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.on('message', (message: MediaMessage) => this.#receive(message));
    worker.on('error', (error) => this.#died(messageOf(error)));
    worker.once('exit', (code) => this.#died(`media thread ended with code ${code}`));
  }

  /**
   * Starts the thread.
   * @throws WildfireError CONFIG_INVALID for a port range without a pair, WORKER_WARMUP when the thread does not start.
   */
  static async start(options: MediaClientOptions): Promise<MediaClient> {
    const settings: MediaWorkerData = {
      niceHint: options.niceHint ?? DEFAULT_NICE,
      mediaTimeoutMs: options.mediaTimeoutMs,
      jitter: options.jitter ?? DEFAULT_JITTER,
      allowFaults: options.allowFaults ?? false,
    };
    const worker = startSelfReliantWorker(new URL('./media.worker.ts', import.meta.url), {
      workerData: settings,
    });
    const client = new MediaClient(options, worker);
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', (error) =>
        reject(new WildfireError('WORKER_WARMUP', `media thread: ${messageOf(error)}`, { cause: error })),
      );
    });
    return client;
  }

  /**
   * Binds an even port for RTP and the next for RTCP. Nothing is sent or played yet.
   * @throws WildfireError PORT_POOL_EMPTY (retryable), INVALID_STATE (address, handles, or the call has a leg),
   * WORKER_DIED.
   */
  async openLeg(open: OpenLeg): Promise<{ rtpPort: number }> {
    for (let attempt = 0; attempt < OPEN_ATTEMPTS; attempt += 1) {
      const rtpPort = this.#ports.take();
      try {
        await this.#request({ kind: 'openLeg', rtpPort, open });
        this.#portOfCall.set(open.callId, rtpPort);
        return { rtpPort };
      } catch (error) {
        this.#ports.giveBack(rtpPort);
        if (!(error instanceof WildfireError) || error.code !== 'PORT_IN_USE') throw error;
      }
    }
    throw new WildfireError('PORT_POOL_EMPTY', `${OPEN_ATTEMPTS} RTP ports in a row are in use by others`, {
      retryable: true,
    });
  }

  /**
   * Answer or re-INVITE: packets of 20 ms go out from now on, and the uplink tape runs with the playout clock.
   * @throws WildfireError INVALID_STATE when the call has no leg, WORKER_DIED.
   */
  async startLeg(start: StartLeg): Promise<void> {
    await this.#request({ kind: 'startLeg', start });
  }

  /**
   * Closes both sockets; the ports rest before they are used again.
   * @throws WildfireError INVALID_STATE when the call has no leg, WORKER_DIED.
   */
  async closeLeg(callId: number): Promise<LegReport> {
    try {
      return (await this.#request({ kind: 'closeLeg', callId })) as LegReport;
    } finally {
      this.#freePort(callId);
    }
  }

  /** Registers one more listener, for all legs. */
  onEvent(handler: MediaEventHandler): void {
    this.#handlers.push(handler);
  }

  /** @throws WildfireError WORKER_DIED, INVALID_STATE after close(). */
  async snapshot(): Promise<MediaSnapshot> {
    return (await this.#request({ kind: 'snapshot' })) as MediaSnapshot;
  }

  /** Closes all legs and lets the thread end by itself. May be called again. */
  async close(): Promise<void> {
    if (this.#state === 'open') {
      const closed = this.#request({ kind: 'shutDown' });
      this.#state = 'closing';
      await closed.catch(() => {}); // the thread died first: it is gone, which is what was wanted
    }
    await this.#exited;
  }

  /** For tests: ends the thread the hard way. Refused unless started with `allowFaults`. */
  async fault(): Promise<void> {
    await this.#request({ kind: 'fault' }).catch((error: WildfireError) => {
      if (error.code !== 'WORKER_DIED') throw error;
    });
  }

  #request(body: RequestBody): Promise<unknown> {
    if (this.#state === 'died')
      return Promise.reject(
        new WildfireError('WORKER_DIED', 'the media thread has died', { retryable: true }),
      );
    if (this.#state !== 'open')
      return Promise.reject(new WildfireError('INVALID_STATE', 'media client is closed'));
    this.#lastRequestId += 1;
    const requestId = this.#lastRequestId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(requestId, { resolve, reject });
      this.#worker.postMessage({ ...body, requestId });
    });
  }

  #receive(message: MediaMessage): void {
    if (message.kind === 'event') this.#tell(message.event);
    if (message.kind === 'event' || message.kind === 'ready') return;
    const waiting = this.#waiting.get(message.requestId);
    this.#waiting.delete(message.requestId);
    if (message.kind === 'reply') waiting?.resolve(message.value);
    else waiting?.reject(WildfireError.fromWire(message.error));
  }

  #died(message: string): void {
    const wasOpen = this.#state === 'open';
    if (this.#state === 'closing') this.#state = 'closed';
    else if (wasOpen) this.#state = 'died';
    for (const waiting of this.#waiting.values())
      waiting.reject(new WildfireError('WORKER_DIED', message, { retryable: true }));
    this.#waiting.clear();
    for (const callId of [...this.#portOfCall.keys()]) this.#freePort(callId);
    if (wasOpen) this.#tell({ kind: 'died', message });
  }

  #freePort(callId: number): void {
    const port = this.#portOfCall.get(callId);
    if (port === undefined) return;
    this.#portOfCall.delete(callId);
    this.#ports.giveBack(port);
  }

  #tell(event: MediaEvent): void {
    for (const handler of this.#handlers) handler(event);
  }
}
