/**
 * The listening side of a text leg (8083 or 8090): connections by call id to a sink. A newer connection of a call
 * takes the place of the older; BYE ends the call; a connection that is merely lost may come back for a while.
 * Thread: main.
 */
import type { ControlContext, LegName } from '../control-context.ts';
import type { CloseReason, FramedSocket } from '../net/framed-socket.ts';
import { LegServer } from '../net/leg-server.ts';
import { byeFrame, LEG_RULES } from '../wire/frames.ts';
import type { TextSink } from './text-sink.ts';

export interface TextServerOptions {
  readonly context: ControlContext;
  readonly leg: LegName;
  readonly port: number;
  readonly portHint: string;
  /** Whether a call may come, or come back. */
  readonly isWelcome: (callId: number) => boolean;
  readonly sink: TextSink;
}

const MAX_TEXT_CHARS = 8_000;

interface Peer {
  /** Null while it is lost. */
  leg: FramedSocket | null;
  /** Ends the call when its connection does not come back, or nothing was said for too long. */
  expiry: NodeJS.Timeout;
}

export class TextServer {
  readonly #options: TextServerOptions;
  readonly #peers = new Map<number, Peer>();
  #server: LegServer | null = null;

  private constructor(options: TextServerOptions) {
    this.#options = options;
  }

  /** @throws WildfireError PORT_IN_USE */
  static async listen(options: TextServerOptions): Promise<TextServer> {
    const server = new TextServer(options);
    const { context, port, portHint } = options;
    server.#server = await LegServer.listen({
      context,
      bindAddress: context.settings.bindAddress,
      port,
      portHint,
      rules: LEG_RULES.textIn,
      helloPurpose: 'hello',
      onLeg: (leg, callId) => server.#onLeg(leg, callId ?? 0),
    });
    return server;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** Calls with a connection, or with one that may come back. */
  get size(): number {
    return this.#peers.size;
  }

  has(callId: number): boolean {
    return this.#peers.has(callId);
  }

  /** The call is over, whoever says so. Unknown calls are fine. */
  end(callId: number): void {
    const peer = this.#peers.get(callId);
    if (peer === undefined) return;
    this.#peers.delete(callId);
    clearTimeout(peer.expiry);
    peer.leg?.close(byeFrame());
    this.#options.sink.end(callId);
  }

  async close(): Promise<void> {
    for (const { leg, expiry } of this.#peers.values()) {
      clearTimeout(expiry);
      leg?.close(byeFrame());
    }
    this.#peers.clear();
    await this.#server?.close();
  }

  #onLeg(leg: FramedSocket, callId: number): void {
    const { context, sink, isWelcome, leg: name } = this.#options;
    if (!isWelcome(callId)) {
      context.count('draining');
      return leg.close(); // without BYE: the other side tries again, and finds whoever comes after us
    }
    const known = this.#peers.get(callId);
    if (known === undefined && this.#peers.size >= context.settings.maxSessions) this.#endLongestIdle();
    const older = known?.leg;
    this.#take(callId, leg);
    if (older != null) {
      context.count('replacedByNewer');
      older.close(byeFrame());
    }
    context.metrics.connections.inc({ leg: name });
    leg.handOver({
      onFrame: (frame) => {
        if (frame.kind !== 'text') return;
        this.#postpone(callId);
        sink.text(callId, this.#bounded(frame.text));
      },
      onClosed: (reason) => this.#onClosed(callId, leg, reason),
    });
    sink.begin(callId);
  }

  /** The protocol allows megabytes, which no caller says and no model reads. */
  #bounded(text: string): string {
    if (text.length <= MAX_TEXT_CHARS) return text;
    this.#options.context.count('textCut');
    return text.slice(0, MAX_TEXT_CHARS);
  }

  #take(callId: number, leg: FramedSocket): void {
    const known = this.#peers.get(callId);
    if (known !== undefined) clearTimeout(known.expiry);
    this.#peers.set(callId, {
      leg,
      expiry: this.#expiryOf(callId, this.#options.context.settings.idleTimeoutMs),
    });
  }

  #postpone(callId: number): void {
    const peer = this.#peers.get(callId);
    if (peer === undefined) return;
    peer.expiry.refresh();
    this.#peers.delete(callId); // the map's order is that of the last sign of life
    this.#peers.set(callId, peer);
  }

  #endLongestIdle(): void {
    const [callId] = this.#peers.keys();
    this.#options.context.count('sessionLimit');
    if (callId !== undefined) this.end(callId);
  }

  #onClosed(callId: number, leg: FramedSocket, reason: CloseReason): void {
    const { context, leg: name } = this.#options;
    context.metrics.connections.dec({ leg: name });
    const peer = this.#peers.get(callId);
    if (peer?.leg !== leg) return;
    context.count(reason);
    if (reason === 'peerBye') return this.end(callId);
    peer.leg = null;
    clearTimeout(peer.expiry);
    peer.expiry = this.#expiryOf(callId, context.settings.lostGraceMs);
  }

  #expiryOf(callId: number, afterMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#options.context.count('expired');
      this.end(callId);
    }, afterMs);
  }
}
