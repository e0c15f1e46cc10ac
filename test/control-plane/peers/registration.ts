/**
 * The UDP side: `REGISTER:<id>` again and again until somebody connects, `BYE:<id>` once, and the receiver of both.
 */
import { createSocket, type Socket } from 'node:dgram';
import { LOOPBACK } from './sockets.ts';

const FAST_INTERVAL_MS = 200;
const FAST_PERIOD_MS = 1000;
const SLOW_INTERVAL_MS = 1000;
const RECEIVE_BUFFER_BYTES = 256 * 1024;

/** Sends one datagram from a socket of its own, so each comes from another port. @returns that port */
export function sendDatagram(text: string, port: number): Promise<number> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    const finish = (fromPort: number): void => {
      socket.close();
      resolve(fromPort);
    };
    socket.on('error', () => finish(0));
    socket.send(text, port, LOOPBACK, () => finish(socket.address().port));
  });
}

/** Registers one id: at once, every 200 ms for the first second, then every second, until it is stopped. */
export class Registrar {
  readonly sourcePorts: number[] = [];
  /** When each datagram was sent, ms of `performance.now()`. */
  readonly sentAtMs: number[] = [];
  readonly #text: string;
  readonly #port: number;
  readonly #startedAtMs = performance.now();
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(callId: number, port: number) {
    this.#text = `REGISTER:${callId}`;
    this.#port = port;
    this.#send();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #send(): void {
    this.sentAtMs.push(performance.now());
    void sendDatagram(this.#text, this.#port).then((port) => this.sourcePorts.push(port));
    const elapsedMs = performance.now() - this.#startedAtMs;
    const intervalMs = elapsedMs < FAST_PERIOD_MS ? FAST_INTERVAL_MS : SLOW_INTERVAL_MS;
    this.#timer = setTimeout(() => {
      if (!this.#isStopped) this.#send();
    }, intervalMs);
  }
}

export interface RegistrationHandlers {
  register(callId: number): void;
  bye(callId: number): void;
}

/** Receives registrations. What is neither of the two words, or has no number, is counted and dropped. */
export class RegistrationSocket {
  dropped = 0;
  readonly #socket: Socket;

  private constructor(socket: Socket, handlers: RegistrationHandlers) {
    this.#socket = socket;
    socket.on('message', (bytes) => {
      const [, verb, rest = ''] = /^(REGISTER|BYE):(.*)$/s.exec(bytes.toString('latin1')) ?? [];
      const callId = /^\d+$/.test(rest.trim()) ? Number(rest.trim()) : null;
      if (verb === undefined || callId === null) this.dropped += 1;
      else if (verb === 'REGISTER') handlers.register(callId);
      else handlers.bye(callId);
    });
  }

  static async open(port: number, handlers: RegistrationHandlers): Promise<RegistrationSocket> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true, recvBufferSize: RECEIVE_BUFFER_BYTES });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).bind(port, LOOPBACK, resolve);
    });
    return new RegistrationSocket(socket, handlers);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
