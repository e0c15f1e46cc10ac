/**
 * The outbound side of one of our calls, for a TTS elsewhere: listens on 9002+id before the first REGISTER, expects the
 * HELLO of this call, takes chunks. Thread: main.
 */
import type { ControlContext } from '../control-context.ts';
import type { FramedSocket } from '../net/framed-socket.ts';
import { LegServer } from '../net/leg-server.ts';
import { byeFrame, LEG_RULES } from '../wire/frames.ts';
import type { Beacon } from './beacon.ts';
import { ChunkFilter } from './chunk-filter.ts';

export interface OutboundPortOptions {
  readonly context: ControlContext;
  readonly callId: number;
  readonly beacon: Beacon;
  /** The bytes are the receiver's. */
  readonly onChunk: (rateHz: number, bytes: Uint8Array<ArrayBuffer>) => void;
}

export class OutboundPort {
  readonly #options: OutboundPortOptions;
  readonly #filter = new ChunkFilter();
  #server: LegServer | null = null;
  #leg: FramedSocket | null = null;
  #isClosed = false;

  private constructor(options: OutboundPortOptions) {
    this.#options = options;
  }

  /** @throws WildfireError PORT_IN_USE (retryable with another id) */
  static async listen(options: OutboundPortOptions): Promise<OutboundPort> {
    const outbound = new OutboundPort(options);
    const { context, callId } = options;
    outbound.#server = await LegServer.listen({
      context,
      bindAddress: context.settings.bindAddress,
      port: context.settings.outboundPortBase + callId,
      portHint: 'another call or program has it',
      rules: LEG_RULES.audioOut,
      helloPurpose: 'hello',
      onLeg: (leg, who) => outbound.#onLeg(leg, who),
    });
    return outbound;
  }

  get isConnected(): boolean {
    return this.#leg !== null;
  }

  activate(): void {
    this.#options.beacon.start();
  }

  /** Closes the connection for what came by it, and registers again. */
  refuse(reason: string): void {
    this.#options.context.count(reason);
    this.#leg?.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#options.beacon.bye();
    const leg = this.#leg;
    this.#leg = null;
    leg?.close();
    await this.#server?.close();
  }

  #onLeg(leg: FramedSocket, who: number | null): void {
    const { context, callId, beacon } = this.#options;
    if (who !== callId || this.#isClosed) {
      context.count('helloMismatch');
      return leg.close();
    }
    const older = this.#leg;
    this.#leg = leg;
    context.metrics.connections.inc({ leg: 'audioOut' });
    leg.handOver({
      onFrame: (frame) => {
        if (frame.kind === 'chunk') this.#onChunk(frame.chunkId, frame.rateHz, frame.bytes);
      },
      onClosed: (reason) => this.#onClosed(leg, reason),
    });
    if (older !== null) {
      context.count('replacedByNewer');
      older.close(byeFrame());
    }
    beacon.stop();
  }

  #onChunk(chunkId: number, rateHz: number, bytes: Uint8Array<ArrayBuffer>): void {
    const { context, onChunk } = this.#options;
    if (this.#filter.accepts(chunkId, bytes)) onChunk(rateHz, bytes);
    else context.count('chunkRepeated');
  }

  #onClosed(leg: FramedSocket, reason: string): void {
    const { context, beacon } = this.#options;
    context.metrics.connections.dec({ leg: 'audioOut' });
    if (this.#leg !== leg) return;
    this.#leg = null;
    context.count(reason);
    if (!this.#isClosed) beacon.start();
  }
}
