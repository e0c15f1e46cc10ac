/**
 * The old LLaMA: TCP 8083, one connection per call id, every text answered at once with one frame to the TTS at
 * 8090. Its accept loop waits for HELLO and for the TTS of each call; it closes every second connection of an id;
 * it sends 0xFFFFFFFF upstream at the end of a stream, and nothing downstream. Without a TTS it answers upstream.
 */
import type { Socket } from 'node:net';
import { replyTo } from './script.ts';
import { Listener, SocketReader } from './sockets.ts';
import { TextLink } from './text-link.ts';
import { BYE_TEXT, BYE_WORD, MAX_TEXT_BYTES, textFrame, word } from './wire.ts';

const BACKLOG = 16;
const MAX_HELLO_BYTES = 4096;

export interface OldLlamaOptions {
  readonly port: number;
  /** null is its "dev mode". */
  readonly ttsPort: number | null;
  /** @param turn of this call, from 1 */
  reply?(text: string, turn: number): string;
  onText?(text: LlamaText): void;
}

export interface LlamaText {
  readonly callId: number;
  readonly text: string;
  readonly reply: string;
}

export class OldLlama {
  readonly heard: LlamaText[] = [];
  readonly counts = { connections: 0, badHellos: 0, refusedSeconds: 0, endedStreams: 0 };
  readonly #options: OldLlamaOptions;
  readonly #listener: Listener;
  /** Ids that ever had a connection: their thread object is never joined. */
  readonly #seen = new Set<number>();
  readonly #links = new Map<number, TextLink>();

  private constructor(options: OldLlamaOptions, listener: Listener) {
    this.#options = options;
    this.#listener = listener;
    void this.#acceptCalls();
  }

  static async start(options: OldLlamaOptions): Promise<OldLlama> {
    return new OldLlama(options, await Listener.open(options.port, BACKLOG));
  }

  /** Upstream connections that are open. */
  get openConnections(): number {
    return this.#listener.openSockets;
  }

  textsOf(callId: number): string[] {
    return this.heard.filter((one) => one.callId === callId).map(({ text }) => text);
  }

  async close(): Promise<void> {
    for (const link of this.#links.values()) link.close();
    await this.#listener.close();
  }

  async #acceptCalls(): Promise<void> {
    for (;;) {
      const socket = await this.#listener.accept();
      if (socket === null) return;
      await this.#admit(socket);
    }
  }

  async #admit(socket: Socket): Promise<void> {
    this.counts.connections += 1;
    const reader = new SocketReader(socket);
    const hello = (await reader.frame(MAX_HELLO_BYTES))?.toString('latin1') ?? '';
    if (!/^\d+$/.test(hello)) {
      this.counts.badHellos += 1;
      socket.destroy();
      return;
    }
    const callId = Number(hello);
    if (this.#seen.has(callId)) {
      this.counts.refusedSeconds += 1;
      socket.destroy();
      return;
    }
    this.#seen.add(callId);
    const { ttsPort } = this.#options;
    const link = ttsPort === null ? null : new TextLink(callId, ttsPort);
    if (link !== null) this.#links.set(callId, link);
    await link?.connect();
    void this.#converse(callId, socket, { reader, link });
  }

  async #converse(
    callId: number,
    socket: Socket,
    { reader, link }: { reader: SocketReader; link: TextLink | null },
  ): Promise<void> {
    for (let turn = 1; ; turn++) {
      const text = (await reader.frame(MAX_TEXT_BYTES))?.toString('utf8') ?? BYE_TEXT;
      if (text === BYE_TEXT) break;
      const reply = (this.#options.reply ?? replyTo)(text, turn);
      this.heard.push({ callId, text, reply });
      this.#options.onText?.({ callId, text, reply });
      if (link === null) socket.write(textFrame(reply));
      else await link.send(reply);
    }
    this.counts.endedStreams += 1;
    if (!socket.destroyed) socket.end(word(BYE_WORD));
  }
}
