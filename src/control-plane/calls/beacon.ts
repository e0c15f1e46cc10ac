/**
 * The REGISTER datagrams of one side of one call: at once, five times in the first second, then every second, until it
 * is told to stop; begun again when the connection is lost. Thread: main.
 */
import type { Socket } from 'node:dgram';
import { monotonicMs } from '../../observability/clock.ts';
import type { ControlContext } from '../control-context.ts';
import type { Endpoint } from '../net/transport.ts';
import { datagramBytes } from '../wire/datagram.ts';
import { beatAfterMs } from '../wire/retry-policy.ts';

export interface BeaconOptions {
  readonly context: ControlContext;
  /** Shared by all calls: whoever listens does not look at the source port. */
  readonly socket: Socket;
  readonly endpoint: Endpoint;
  readonly callId: number;
}

export class Beacon {
  readonly #options: BeaconOptions;
  #timer: NodeJS.Timeout | null = null;
  #startedAtMs = 0;
  #slowBeats = 0;

  constructor(options: BeaconOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#timer !== null;
  }

  start(): void {
    if (this.#timer !== null) return;
    this.#startedAtMs = monotonicMs();
    this.#slowBeats = 0;
    this.#beat();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The call is over. */
  bye(): void {
    this.stop();
    this.#send('bye');
  }

  #beat(): void {
    const { beat, random } = this.#options.context;
    this.#send('register');
    const elapsedMs = monotonicMs() - this.#startedAtMs;
    const pauseMs = beatAfterMs(beat, elapsedMs, this.#slowBeats, random());
    if (elapsedMs >= beat.fastForMs) this.#slowBeats += 1;
    this.#timer = setTimeout(() => this.#beat(), pauseMs);
  }

  #send(kind: 'register' | 'bye'): void {
    const { context, socket, endpoint, callId } = this.#options;
    const payload = context.identity.stamp(kind, callId);
    socket.send(datagramBytes({ kind, payload }), endpoint.port, endpoint.host, (error) => {
      if (error !== null) context.count('datagramNotSent');
    });
  }
}
