/**
 * The wire-audio thread as the main thread sees it. A thread that dies is replaced and given the open rings again;
 * what it held is lost, as on a line with a fault. Thread: main.
 */
import { Worker } from 'node:worker_threads';
import { messageOf, WildfireError } from '../../errors.ts';
import type { RingHandle, TapeHandle } from '../../ring-buffers/layout.ts';
import type { WireAudioReply, WireAudioRequest } from './wire-audio-messages.ts';

export interface DownlinkListener {
  /** So many chunks are in the ring, or were thrown away. */
  readonly onWritten: (chunks: number, droppedSamples: number) => void;
  /** One chunk has a rate that cannot be brought to the ring's. */
  readonly onRefused: () => void;
  /** The thread died: no chunk written so far will be answered any more. */
  readonly onLost: () => void;
}

export interface SourceListener {
  /** float32 at the ring's rate; the bytes are the listener's. */
  readonly onChunk: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** All that was in the ring when it was set inactive has been handed over. */
  readonly onDrained: () => void;
}

export interface SpeechRange {
  readonly fromSample: number;
  readonly toSample: number;
}

interface Waiting {
  readonly resolve: (reply: WireAudioReply) => void;
  readonly reject: (error: WildfireError) => void;
}
interface OpenDownlink {
  readonly ring: RingHandle;
  readonly listener: DownlinkListener;
}
interface OpenSource {
  readonly ring: RingHandle;
  readonly chunkSamples: number;
  readonly listener: SourceListener;
  isActive: boolean;
}

export class WireAudioClient {
  readonly #onDied: (message: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #downlinks = new Map<number, OpenDownlink>();
  readonly #sources = new Map<number, OpenSource>();
  /** Who waits until the thread has let go of a source. */
  readonly #closingSources = new Map<number, () => void>();
  #worker: Worker | null = null;
  /** A new thread on its way after the death of one. */
  #replacing: Promise<void> | null = null;
  #nextRequestId = 1;
  #isClosed = false;

  private constructor(onDied: (message: string) => void) {
    this.#onDied = onDied;
  }

  /** @throws WildfireError WORKER_WARMUP when the thread does not start */
  static async start(onDied: (message: string) => void): Promise<WireAudioClient> {
    const client = new WireAudioClient(onDied);
    await client.#startThread();
    return client;
  }

  /** Calls whose audio is carried now. */
  get openCalls(): number {
    return this.#downlinks.size + this.#sources.size;
  }

  /** An utterance as the bytes of a frame: float32, 16 kHz. @returns null when the tape does not hold it (any more) */
  async encodeSpeech(uplink: TapeHandle, range: SpeechRange): Promise<Uint8Array<ArrayBuffer> | null> {
    const reply = await this.#ask((requestId) => ({ kind: 'encodeSpeech', requestId, uplink, ...range }));
    return reply.kind === 'encoded' ? reply.bytes : null;
  }

  /** Puts the samples of a frame on a tape of 16 kHz. `bytes` are moved away. @returns where they lie */
  async storeSpeech(tape: TapeHandle, bytes: Uint8Array<ArrayBuffer>): Promise<SpeechRange> {
    const reply = await this.#ask((requestId) => ({ kind: 'storeSpeech', requestId, tape, bytes }));
    if (reply.kind !== 'stored') throw new WildfireError('INVALID_STATE', 'the frame was not stored');
    return reply;
  }

  openDownlink(callId: number, ring: RingHandle, listener: DownlinkListener): void {
    this.#downlinks.set(callId, { ring, listener });
    this.#post({ kind: 'openDownlink', callId, downlink: ring });
  }

  /** `bytes` are moved away. */
  writeDownlink(callId: number, epoch: number, rateHz: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#post({ kind: 'writeDownlink', callId, epoch, rateHz, bytes });
    if (this.#worker === null) this.#downlinks.get(callId)?.listener.onLost();
  }

  finishDownlink(callId: number, epoch: number): void {
    this.#post({ kind: 'finishDownlink', callId, epoch });
  }

  closeDownlink(callId: number): void {
    if (this.#downlinks.delete(callId)) this.#post({ kind: 'closeDownlink', callId });
  }

  openSource(callId: number, ring: RingHandle, chunkSamples: number, listener: SourceListener): void {
    this.#sources.set(callId, { ring, chunkSamples, listener, isActive: false });
    this.#post({ kind: 'openSource', callId, ring, chunkSamples });
  }

  setSourceActive(callId: number, isActive: boolean): void {
    const source = this.#sources.get(callId);
    if (source === undefined) return;
    source.isActive = isActive;
    this.#post({ kind: 'setSourceActive', callId, isActive });
    if (!isActive && this.#isGone) source.listener.onDrained();
  }

  /**
   * Resolves when the thread reads the ring no more. Not before may another call have it: its first samples would be
   * taken for the last of this one.
   */
  closeSource(callId: number): Promise<void> {
    if (!this.#sources.delete(callId) || this.#worker === null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#closingSources.set(callId, resolve);
      this.#post({ kind: 'closeSource', callId });
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#replacing;
    const worker = this.#worker;
    if (worker === null) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage({ kind: 'close' } satisfies WireAudioRequest);
    await ended;
  }

  async #startThread(): Promise<void> {
    const worker = new Worker(new URL('./wire-audio.worker.ts', import.meta.url), {
      name: 'wildfire-wire-audio',
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let lastError = 'the thread ended';
    worker.on('message', (reply: WireAudioReply) =>
      reply.kind === 'ready' ? resolve() : this.#onReply(reply),
    );
    worker.on('error', (error) => {
      lastError = messageOf(error);
    });
    worker.once('exit', () => {
      reject(new WildfireError('WORKER_WARMUP', `wire-audio thread did not start: ${lastError}`));
      this.#onExit(worker, lastError);
    });
    await promise;
    this.#worker = worker;
  }

  #onReply(reply: Exclude<WireAudioReply, { kind: 'ready' }>): void {
    switch (reply.kind) {
      case 'encoded':
      case 'stored':
        this.#waiting.get(reply.requestId)?.resolve(reply);
        this.#waiting.delete(reply.requestId);
        return;
      case 'written':
        return this.#downlinks.get(reply.callId)?.listener.onWritten(reply.chunks, reply.droppedSamples);
      case 'refused':
        return this.#downlinks.get(reply.callId)?.listener.onRefused();
      case 'chunk':
        return this.#sources.get(reply.callId)?.listener.onChunk(reply.bytes);
      case 'drained':
        return this.#sources.get(reply.callId)?.listener.onDrained();
      case 'sourceClosed':
        this.#closingSources.get(reply.callId)?.();
        this.#closingSources.delete(reply.callId);
    }
  }

  #onExit(worker: Worker, message: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const error = new WildfireError('WORKER_DIED', `wire-audio thread: ${message}`, { retryable: true });
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    for (const closed of this.#closingSources.values()) closed();
    this.#closingSources.clear();
    for (const { listener } of this.#downlinks.values()) listener.onLost();
    if (this.#isClosed) return;
    this.#onDied(message);
    this.#replacing = this.#replace();
  }

  /** No thread, and none to come. */
  get #isGone(): boolean {
    return this.#worker === null && this.#replacing === null;
  }

  async #replace(): Promise<void> {
    try {
      await this.#startThread();
      this.#reopen();
    } catch (failed) {
      this.#onDied(messageOf(failed));
      for (const { listener, isActive } of this.#sources.values()) if (!isActive) listener.onDrained();
    } finally {
      this.#replacing = null;
    }
  }

  // An inactive ring is answered by `drained` once more: the thread that died may have owed it.
  #reopen(): void {
    for (const [callId, { ring }] of this.#downlinks)
      this.#post({ kind: 'openDownlink', callId, downlink: ring });
    for (const [callId, { ring, chunkSamples, isActive }] of this.#sources) {
      this.#post({ kind: 'openSource', callId, ring, chunkSamples });
      this.#post({ kind: 'setSourceActive', callId, isActive });
    }
  }

  #ask(request: (requestId: number) => WireAudioRequest): Promise<WireAudioReply> {
    const worker = this.#worker;
    if (worker === null || this.#isClosed) {
      return Promise.reject(
        new WildfireError('WORKER_DIED', 'the wire-audio thread is not running', { retryable: true }),
      );
    }
    const requestId = this.#nextRequestId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(requestId, { resolve, reject });
      this.#post(request(requestId));
    });
  }

  #post(request: WireAudioRequest): void {
    const isMoved = 'bytes' in request;
    this.#worker?.postMessage(request, isMoved ? [request.bytes.buffer] : []);
  }
}
