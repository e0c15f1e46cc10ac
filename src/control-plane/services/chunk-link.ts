/**
 * Audio of one call to its outbound side: dials 9002+id when there is something to hear, says HELLO, sends chunks a few
 * seconds ahead of real time. Survives a lost connection. Thread: main.
 */
import { monotonicMs } from '../../observability/clock.ts';
import { type ControlContext, helloFrame } from '../control-context.ts';
import { PersistentLeg } from '../net/persistent-leg.ts';
import type { Endpoint } from '../net/transport.ts';
import { chunkHeader, endOfAudio, LEG_RULES } from '../wire/frames.ts';
import { type Chunk, SentChunks } from './sent-chunks.ts';

export interface ChunkLinkOptions {
  readonly context: ControlContext;
  readonly callId: number;
  readonly rateHz: number;
  readonly endpoint: () => Endpoint;
}

export class ChunkLink {
  readonly #options: ChunkLinkOptions;
  readonly #leg: PersistentLeg;
  readonly #chunks: SentChunks;
  #timer: NodeJS.Timeout | null = null;
  #whenEmpty: (() => void) | null = null;
  #isClosed = false;

  constructor(options: ChunkLinkOptions) {
    const { context, callId, rateHz, endpoint } = options;
    this.#options = options;
    this.#chunks = new SentChunks({ rateHz, nowMs: monotonicMs });
    this.#leg = new PersistentLeg({
      ...context,
      endpoint,
      rules: LEG_RULES.textBack,
      hello: () => helloFrame(context, callId),
      onUp: (tookMs, misses) => this.#onUp(tookMs, misses),
      onDown: () => {
        context.metrics.connections.dec({ leg: 'audioOut' });
        this.#whenEmpty?.(); // the last words of a call are not worth waiting for a new connection
      },
      onFrame: () => context.count('textIgnored'), // the outbound side has nothing to say
    });
  }

  /** Connects now, if it does not already. */
  want(): void {
    this.#leg.want();
  }

  /** The outbound side says that it is there. */
  onReadiness(): void {
    this.#leg.retryNow();
  }

  /** Sends float32 samples in their time, or keeps them until the outbound side is there. */
  add(bytes: Uint8Array): void {
    if (this.#chunks.add(bytes)) this.#options.context.count('chunkDropped');
    this.#leg.want();
    this.#pump();
  }

  /** Resolves when every chunk has been sent, or the link was closed. */
  async sentOut(): Promise<void> {
    if (this.#isClosed || !this.#chunks.hasWaiting || this.#leg.state !== 'up') return;
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  /** Tells the listener that no more will come. */
  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#leg.close(endOfAudio(this.#options.rateHz, this.#chunks.lastId + 1));
    this.#whenEmpty?.();
  }

  // A listener that could not be found for a while is a new one, and has heard nothing; else it has lost a connection.
  #onUp(tookMs: number, misses: number): void {
    const { metrics } = this.#options.context;
    metrics.connectSeconds.observe({ leg: 'audioOut' }, tookMs / 1000);
    metrics.connections.inc({ leg: 'audioOut' });
    const again = misses === 0 ? this.#chunks.unread() : this.#chunks.unplayed();
    for (const chunk of again) this.#send(chunk);
    this.#pump();
  }

  #pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isClosed || this.#leg.state !== 'up') return;
    for (let chunk = this.#chunks.next(); chunk !== null; chunk = this.#chunks.next()) this.#send(chunk);
    if (this.#chunks.hasWaiting) this.#timer = setTimeout(() => this.#pump(), this.#chunks.waitMs + 1);
    else this.#whenEmpty?.();
  }

  #send({ chunkId, bytes }: Chunk): void {
    const { rateHz } = this.#options;
    this.#leg.send(chunkHeader({ payloadBytes: bytes.length, rateHz, chunkId }), bytes);
  }
}
