/**
 * An inbound processor that reads what Whisper writes back, which the old one never did: it says an utterance and
 * waits for its transcript. It keeps registering until it is connected, also after a lost connection.
 */

import type { Socket } from 'node:net';
import type { OldInboundOptions } from './old-inbound.ts';
import { Registrar, sendDatagram } from './registration.ts';
import { Listener, SocketReader } from './sockets.ts';
import { audioInFrame, helloFrame, MAX_TEXT_BYTES, word, ZERO_WORD } from './wire.ts';

const BACKLOG = 4;

interface Client {
  readonly socket: Socket;
  readonly reader: SocketReader;
}

export class ReadingInbound {
  clients = 0;
  readonly #options: OldInboundOptions;
  readonly #listener: Listener;
  #registrar: Registrar;
  #client: Client | null = null;

  private constructor(options: OldInboundOptions, listener: Listener) {
    this.#options = options;
    this.#listener = listener;
    this.#registrar = new Registrar(options.callId, options.registrationPort);
  }

  static async activate(options: OldInboundOptions): Promise<ReadingInbound> {
    return new ReadingInbound(options, await Listener.open(options.audioBasePort + options.callId, BACKLOG));
  }

  /** Says it, on a connection that may have to come first. @returns what was understood; null when it was lost */
  async say(samples: Float32Array): Promise<string | null> {
    const client = await this.#connected();
    if (client === null) return null;
    client.socket.write(audioInFrame(samples));
    const text = await client.reader.frame(MAX_TEXT_BYTES);
    if (text === null) this.#lose(client);
    return text?.toString('utf8') ?? null;
  }

  async deactivate(): Promise<void> {
    const { callId, registrationPort } = this.#options;
    this.#registrar.stop();
    await sendDatagram(`BYE:${callId}`, registrationPort);
    this.#client?.socket.end(word(ZERO_WORD));
    await this.#listener.close();
  }

  async #connected(): Promise<Client | null> {
    if (this.#client !== null && !this.#client.socket.destroyed) return this.#client;
    const socket = await this.#listener.accept();
    if (socket === null) return null;
    this.#registrar.stop();
    this.clients += 1;
    socket.write(helloFrame(this.#options.callId));
    this.#client = { socket, reader: new SocketReader(socket) };
    return this.#client;
  }

  #lose({ socket }: Client): void {
    socket.destroy();
    this.#client = null;
    this.#registrar.stop();
    this.#registrar = new Registrar(this.#options.callId, this.#options.registrationPort);
  }
}
