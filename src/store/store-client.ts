/**
 * The store as the main thread sees it: takes records and returns at once, sends them in batches to the store's thread,
 * and asks it questions. Whatever fails there is counted, told once and tried again; no call notices. A thread that
 * died is replaced. Thread: main.
 */
import { randomBytes } from 'node:crypto';
import type { CallReport, TurnReport } from '../call/reports.ts';
import { messageOf } from '../errors.ts';
import { monotonicMs } from '../observability/clock.ts';
import type { Log } from '../observability/log.ts';
import { RecordQueue } from './record-queue.ts';
import type { StoreFault, StoreQuery, StoreRecord, StoreReply } from './store-messages.ts';
import { StoreThread } from './store-thread.ts';

export interface StoreClientOptions {
  /** Absolute. */
  readonly path: string;
  readonly retentionDays: number;
  /** Keep what was said. */
  readonly keepText: boolean;
  readonly log: Log;
  /** Counts a drop or a fault by area and reason word. */
  readonly count: (area: 'store' | 'worker', reason: string, by: number) => void;
  /** Records that are in the database now. */
  readonly onWritten: (records: number) => void;
  readonly tuning?: Partial<StoreTuning>;
}

export interface StoreTuning {
  /** How long the first record of a batch waits for others. */
  readonly flushMs: number;
  readonly batchRecords: number;
  /** Records that wait at the most, about 1 KB each: minutes of a full box. */
  readonly mostQueued: number;
  readonly busyTimeoutMs: number;
  /** After a fault: so long, then twice as long each time. */
  readonly firstPauseMs: number;
  readonly lastPauseMs: number;
  /** Closing takes no longer, whatever is still queued. */
  readonly closeTimeoutMs: number;
  readonly allowFaults: boolean;
}

const DEFAULT_TUNING: StoreTuning = {
  flushMs: 250,
  batchRecords: 256,
  mostQueued: 4096,
  busyTimeoutMs: 2000,
  firstPauseMs: 250,
  lastPauseMs: 10_000,
  closeTimeoutMs: 5000,
  allowFaults: false,
};

export class StoreClient {
  /** Names this run of the process; a call is `<run>-<callId>`. */
  readonly run = randomBytes(6).toString('hex');
  readonly #options: StoreClientOptions;
  readonly #tuning: StoreTuning;
  readonly #queue: RecordQueue;
  readonly #thread: StoreThread;
  readonly #drained: (() => void)[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** Faults since the last batch that was written. */
  #faults = 0;
  /** Waits for the next attempt after a fault: until then nothing is sent. */
  #isResting = false;
  #isHealthy = true;
  #isClosing = false;

  private constructor(options: StoreClientOptions) {
    this.#options = options;
    this.#tuning = { ...DEFAULT_TUNING, ...options.tuning };
    this.#queue = new RecordQueue(this.#tuning.mostQueued, this.#tuning.batchRecords);
    const { path, retentionDays } = options;
    const { busyTimeoutMs, allowFaults } = this.#tuning;
    const data = { path, run: this.run, retentionDays, busyTimeoutMs, allowFaults };
    this.#thread = new StoreThread(data, {
      onReply: (reply) => this.#onReply(reply),
      onDied: (message) => this.#onFault('storeDied', message),
    });
  }

  /**
   * Starts the thread and waits until the database is open.
   * @throws WildfireError STORE_UNAVAILABLE, STORE_DAMAGED, STORE_NEWER, WORKER_WARMUP
   */
  static async start(options: StoreClientOptions): Promise<StoreClient> {
    const client = new StoreClient(options);
    await client.#thread.start(true);
    return client;
  }

  /** Records that are not known to be written. */
  get queued(): number {
    return this.#queue.length;
  }

  /** False from a fault or a drop on until all that waited is written. */
  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  callStarted(callId: number, sipCallId: string): void {
    this.#keep({ kind: 'callStarted', atMs: Date.now(), callId, sipCallId });
  }

  keepTurn(turn: TurnReport): void {
    const atMs = Date.now() - (monotonicMs() - turn.decidedAtMs);
    const kept = this.#options.keepText ? turn : { ...turn, heard: null, reply: null };
    this.#keep({ kind: 'turn', atMs, turn: kept });
  }

  keepCall(call: CallReport): void {
    this.#keep({ kind: 'callEnded', atMs: Date.now(), call });
  }

  /**
   * Answers a question from what is in the database: a record is there `flushMs` after it was given, as a rule.
   * @returns the document as UTF-8 JSON; null when there is no such call
   * @throws WildfireError STORE_UNAVAILABLE (retryable) when it cannot be answered now
   */
  read(query: StoreQuery): Promise<Uint8Array | null> {
    return this.#thread.ask(query);
  }

  /** Sends what waits now instead of a little later; nothing while a batch is under way or rests after a fault. */
  flush(): void {
    if (this.#isResting || !this.#queue.nextBatch()) return;
    this.#cancelTimer();
    this.#sendBatch();
  }

  /** Resolves when all that was given so far, and since, is written; never while that fails. */
  written(): Promise<void> {
    this.flush();
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** Writes what waits, at most for `closeTimeoutMs`; what is left then is counted as lost. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const { closeTimeoutMs } = this.#tuning;
    let limit: NodeJS.Timeout | undefined;
    const limited = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, closeTimeoutMs);
    });
    const isPausing = this.#isResting && this.#timer !== null;
    if (isPausing) void this.#tryAgain();
    await Promise.race([this.written(), limited]);
    this.#cancelTimer();
    await Promise.race([this.#thread.close(), limited]);
    clearTimeout(limit);
    this.#tellLost(this.#queue.length);
  }

  /** Tests only, and only with `allowFaults`. */
  injectDeath(fault: StoreFault): void {
    this.#thread.post({ kind: 'die', fault });
  }

  #keep(record: StoreRecord): void {
    if (this.#isClosing || !this.#queue.add(record)) {
      return this.#onTrouble(this.#isClosing ? 'closed' : 'queueFull', 1, 'a record was not taken');
    }
    if (this.#timer === null && this.#queue.batch.length === 0) this.#flushIn(this.#tuning.flushMs);
  }

  #flushIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.flush();
    }, ms);
  }

  // A batch that is lost with its thread is sent to the next one.
  #sendBatch(): void {
    this.#thread.post({ kind: 'write', records: this.#queue.batch });
  }

  #onReply(reply: Extract<StoreReply, { kind: 'written' | 'notWritten' }>): void {
    if (reply.kind === 'written') this.#onBatchWritten(reply.refused);
    else this.#onFault('writeFailed', reply.error.message);
  }

  #onBatchWritten(refused: number): void {
    const records = this.#queue.settleBatch();
    this.#options.onWritten(records - refused);
    this.#faults = 0;
    if (refused > 0) this.#onTrouble('refused', refused, 'the database did not take a record');
    if (this.#queue.length > 0) return this.#isClosing ? this.flush() : this.#flushIn(this.#restMs());
    if (!this.#isHealthy && refused === 0) this.#recover();
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  /** A full batch is followed by the next one at once. */
  #restMs(): number {
    const isBehind = this.#drained.length > 0 || this.#queue.length >= this.#tuning.batchRecords;
    return isBehind ? 0 : this.#tuning.flushMs;
  }

  /** The batch under way, and the thread if it died, are tried again after a pause. */
  #onFault(reason: 'writeFailed' | 'storeDied', message: string): void {
    const { firstPauseMs, lastPauseMs } = this.#tuning;
    const pauseMs = Math.min(firstPauseMs * 2 ** this.#faults, lastPauseMs);
    this.#faults += 1;
    this.#isResting = true;
    this.#onTrouble(reason, 1, message);
    this.#cancelTimer();
    this.#timer = setTimeout(() => void this.#tryAgain(), pauseMs);
  }

  async #tryAgain(): Promise<void> {
    this.#cancelTimer();
    try {
      await this.#thread.start(false);
    } catch (error) {
      return this.#onFault('storeDied', messageOf(error));
    }
    this.#isResting = false;
    if (this.#queue.batch.length > 0 || this.#queue.nextBatch()) this.#sendBatch();
    else this.#recover();
  }

  #tellLost(records: number): void {
    if (records === 0) return;
    this.#options.count('store', 'lostAtClose', records);
    this.#options.log.warn({ records }, 'the end came before all records of calls were written');
  }

  /** Each is counted; the first since the last recovery is told. */
  #onTrouble(reason: string, by: number, message: string): void {
    this.#options.count(reason === 'storeDied' ? 'worker' : 'store', reason, by);
    if (!this.#isHealthy) return;
    this.#isHealthy = false;
    this.#options.log.warn(
      { reason, error: message },
      'not all calls are kept; told once, until they are again',
    );
  }

  #recover(): void {
    if (this.#isHealthy) return;
    this.#isHealthy = true;
    this.#options.log.info({}, 'calls are kept again');
  }

  #cancelTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
