/**
 * Audio of one call to its outbound side: dials 9002+id when there is something to hear, HELLO, chunks. Survives a lost
 * connection. Thread: main.
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
  readonly #sent: SentChunks;
  #lastChunkId = 0;
  #hasBeenUp = false;

  constructor(options: ChunkLinkOptions) {
    const { context, callId, rateHz, endpoint } = options;
    this.#options = options;
    this.#sent = new SentChunks({ rateHz, nowMs: monotonicMs });
    this.#leg = new PersistentLeg({
      ...context,
      endpoint,
      rules: LEG_RULES.textBack,
      hello: () => helloFrame(context, callId),
      onUp: (tookMs) => this.#onUp(tookMs),
      onDown: () => context.metrics.connections.dec({ leg: 'audioOut' }),
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

  /** Sends float32 samples, or keeps them until the outbound side is there. */
  add(bytes: Uint8Array): void {
    const { chunk, forgotten } = this.#sent.add(bytes);
    for (let i = 0; i < forgotten; i++) this.#options.context.count('chunkForgotten');
    this.#lastChunkId = chunk.chunkId;
    this.#leg.want();
    this.#send(chunk);
  }

  close(): void {
    this.#leg.close(endOfAudio(this.#options.rateHz, this.#lastChunkId + 1));
  }

  #onUp(tookMs: number): void {
    const { context } = this.#options;
    context.metrics.connectSeconds.observe({ leg: 'audioOut' }, tookMs / 1000);
    context.metrics.connections.inc({ leg: 'audioOut' });
    if (!this.#hasBeenUp) this.#sent.restart();
    this.#hasBeenUp = true;
    for (const chunk of this.#sent.unheard()) this.#send(chunk);
  }

  #send({ chunkId, bytes }: Chunk): void {
    const { rateHz } = this.#options;
    this.#leg.send(chunkHeader({ payloadBytes: bytes.length, rateHz, chunkId }), bytes);
  }
}
