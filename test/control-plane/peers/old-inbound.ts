/**
 * The old inbound audio processor during one call: listens on 9001 + id, registers at UDP 13000 until a Whisper has
 * connected and never again, says HELLO first, sends float32 utterances, says goodbye with a zero length.
 * It never reads, so it sees a lost client only when a send fails.
 */
import type { Socket } from 'node:net';
import { Registrar, sendDatagram } from './registration.ts';
import { Listener } from './sockets.ts';
import { audioInFrame, helloFrame, word, ZERO_WORD } from './wire.ts';

const BACKLOG = 1;

export interface OldInboundOptions {
  readonly callId: number;
  /** Audio goes over this + id; 9001 in production. */
  readonly audioBasePort: number;
  readonly registrationPort: number;
  /** Its goodbye on TCP; from February 2026 it was 0xFFFFFFFF. */
  readonly byeWord?: number;
  onConnected?(): void;
}

export class OldInbound {
  readonly registrar: Registrar;
  /** Clients that were greeted. */
  clients = 0;
  droppedChunks = 0;
  readonly #options: OldInboundOptions;
  readonly #listener: Listener;
  #client: Socket | null = null;
  readonly #waiters: (() => void)[] = [];

  private constructor(options: OldInboundOptions, listener: Listener) {
    this.#options = options;
    this.#listener = listener;
    this.registrar = new Registrar(options.callId, options.registrationPort);
    void this.#acceptClients();
  }

  /** Listens, then begins to register. @throws EADDRINUSE */
  static async activate(options: OldInboundOptions): Promise<OldInbound> {
    return new OldInbound(options, await Listener.open(options.audioBasePort + options.callId, BACKLOG));
  }

  /** Resolves when a client has been greeted for the nth time. */
  async connected(nth = 1): Promise<void> {
    while (this.clients < nth) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Sends one utterance. @returns false when nobody is connected: then it is dropped, nothing is kept */
  say(samples: Float32Array): boolean {
    if (this.#client === null || this.#client.destroyed) {
      this.droppedChunks += 1;
      return false;
    }
    this.#client.write(audioInFrame(samples));
    return true;
  }

  /** The end of the call: stop registering, BYE by UDP, BYE by TCP, close. */
  async deactivate(): Promise<void> {
    const { callId, registrationPort, byeWord = ZERO_WORD } = this.#options;
    this.registrar.stop();
    await sendDatagram(`BYE:${callId}`, registrationPort);
    const client = this.#client;
    if (client !== null && !client.destroyed) {
      await new Promise<void>((resolve) => {
        client.once('close', () => resolve());
        client.end(word(byeWord), () => client.destroy());
      });
    }
    await this.#listener.close();
  }

  async #acceptClients(): Promise<void> {
    for (;;) {
      const socket = await this.#listener.accept();
      if (socket === null) return;
      this.registrar.stop();
      this.#client = socket;
      socket.write(helloFrame(this.#options.callId));
      this.clients += 1;
      for (const waiter of this.#waiters.splice(0)) waiter();
      this.#options.onConnected?.();
      await new Promise((resolve) => socket.once('close', resolve));
    }
  }
}
