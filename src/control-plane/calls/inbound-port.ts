/**
 * The inbound side of one of our calls, for a Whisper elsewhere: listens on 9001+id before the first REGISTER, says
 * HELLO to whoever connects (with a secret: and proves to be one of ours), sends speech, takes what was understood.
 * Speech that comes before the connection is kept. Thread: main.
 */
import { monotonicMs } from '../../observability/clock.ts';
import { type ControlContext, helloFrame } from '../control-context.ts';
import type { FramedSocket } from '../net/framed-socket.ts';
import { LegServer } from '../net/leg-server.ts';
import { byeFrame, LEG_RULES, lengthPrefixed } from '../wire/frames.ts';
import type { Beacon } from './beacon.ts';

export interface InboundPortOptions {
  readonly context: ControlContext;
  readonly callId: number;
  readonly beacon: Beacon;
  /** What Whisper understood of a frame; blank when nothing. */
  readonly onText: (text: string) => void;
}

/** Speech kept for a Whisper that has not come yet; the oldest makes room. 65 s at 16 kHz. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

export class InboundPort {
  readonly #options: InboundPortOptions;
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #server: LegServer | null = null;
  #leg: FramedSocket | null = null;
  /** When the connection was made, or something came by it. */
  #lastSignMs = 0;
  #isClosed = false;

  private constructor(options: InboundPortOptions) {
    this.#options = options;
  }

  /** @throws WildfireError PORT_IN_USE (retryable with another id) */
  static async listen(options: InboundPortOptions): Promise<InboundPort> {
    const inbound = new InboundPort(options);
    const { context, callId } = options;
    inbound.#server = await LegServer.listen({
      context,
      bindAddress: context.settings.bindAddress,
      port: context.settings.inboundPortBase + callId,
      portHint: 'another call or program has it',
      rules: context.identity.isSigned ? LEG_RULES.signedTranscripts : LEG_RULES.transcripts,
      helloPurpose: 'hearing',
      onLeg: (leg, who) => inbound.#onLeg(leg, who ?? callId),
    });
    return inbound;
  }

  get isConnected(): boolean {
    return this.#leg !== null;
  }

  /** Registers until a Whisper connects. */
  activate(): void {
    this.#options.beacon.start();
  }

  /** One utterance: float32, 16 kHz. */
  send(speech: Uint8Array): void {
    if (this.#leg !== null) return this.#leg.send(lengthPrefixed(speech));
    this.#kept.push(speech);
    this.#keptBytes += speech.length;
    while (this.#keptBytes > MAX_KEPT_BYTES) {
      this.#keptBytes -= this.#kept.shift()?.length ?? 0;
      this.#options.context.count('speechDropped');
    }
  }

  /**
   * An answer is missing: a connection by which nothing has come since then is closed, and the call registers again.
   * Of a peer that vanished with bytes on their way the kernel tells only after a quarter of an hour.
   */
  giveUpSilent(sinceMs: number): void {
    if (this.#leg === null || this.#lastSignMs >= sinceMs) return;
    this.#options.context.count('peerSilent');
    this.#leg.close();
  }

  /** Stops registering, says BYE on both ways, closes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#options.beacon.bye();
    const leg = this.#leg;
    this.#leg = null;
    leg?.close(byeFrame());
    this.#kept.length = 0;
    await this.#server?.close();
  }

  #onLeg(leg: FramedSocket, who: number): void {
    const { context, callId, beacon, onText } = this.#options;
    if (who !== callId || this.#isClosed) {
      context.count('helloMismatch');
      return leg.close();
    }
    const older = this.#leg;
    this.#leg = leg;
    this.#lastSignMs = monotonicMs();
    context.metrics.connections.inc({ leg: 'audioIn' });
    leg.handOver({
      onFrame: (frame) => {
        this.#lastSignMs = monotonicMs();
        if (frame.kind === 'text') onText(frame.text);
      },
      onClosed: (reason) => this.#onClosed(leg, reason),
    });
    if (older !== null) {
      context.count('replacedByNewer');
      older.close(byeFrame());
    }
    beacon.stop();
    leg.send(helloFrame(context, callId));
    for (const speech of this.#kept.splice(0)) leg.send(lengthPrefixed(speech));
    this.#keptBytes = 0;
  }

  #onClosed(leg: FramedSocket, reason: string): void {
    const { context, beacon } = this.#options;
    context.metrics.connections.dec({ leg: 'audioIn' });
    if (this.#leg !== leg) return;
    this.#leg = null;
    context.count(reason);
    if (!this.#isClosed) beacon.start();
  }
}
