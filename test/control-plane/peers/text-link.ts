/**
 * The connector of a text leg (Whisper to LLaMA, LLaMA to TTS): one connection per call id, HELLO by the connector,
 * ten attempts. A text whose sending fails is lost; the next one connects again.
 */
import type { Socket } from 'node:net';
import { connectWithin, SocketReader, sleep } from './sockets.ts';
import { BYE_WORD, helloFrame, MAX_TEXT_BYTES, textFrame, word } from './wire.ts';

const ATTEMPTS = 10;
const FAST_ATTEMPTS = 5;
const FAST_DELAY_MS = 200;
const SLOW_DELAY_MS = 1000;
const CONNECT_LIMIT_MS = 1000;

/** Ten tries: 200 ms after each of the first five, 1 s after the others. @returns null when all failed */
export async function connectWithRetries(port: number): Promise<Socket | null> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const socket = await connectWithin(port, CONNECT_LIMIT_MS);
    if (socket !== null) return socket;
    if (attempt < ATTEMPTS) await sleep(attempt <= FAST_ATTEMPTS ? FAST_DELAY_MS : SLOW_DELAY_MS);
  }
  return null;
}

export class TextLink {
  readonly callId: number;
  /** Texts that came back on this leg (only a LLaMA without a TTS answers here). */
  readonly answers: string[] = [];
  lostTexts = 0;
  connections = 0;
  readonly #port: number;
  #socket: Socket | null = null;

  constructor(callId: number, port: number) {
    this.callId = callId;
    this.#port = port;
  }

  get isOpen(): boolean {
    return this.#socket !== null && !this.#socket.destroyed && this.#socket.writable;
  }

  /** @returns whether there is a connection now */
  async connect(): Promise<boolean> {
    if (this.isOpen) return true;
    const socket = await connectWithRetries(this.#port);
    if (socket === null) return false;
    this.connections += 1;
    socket.write(helloFrame(this.callId));
    this.#socket = socket;
    void this.#readAnswers(socket);
    return true;
  }

  /** @returns whether the text went out */
  async send(text: string): Promise<boolean> {
    if (this.#socket === null) await this.connect();
    const hasSent = this.isOpen && this.#socket?.write(textFrame(text)) !== undefined;
    if (!hasSent) {
      this.lostTexts += 1;
      this.close();
    }
    return hasSent;
  }

  /** Goodbye and close, as the programs did before and after the autumn of 2025 but not in between. */
  sayBye(): void {
    if (this.isOpen) this.#socket?.end(word(BYE_WORD));
    this.#socket = null;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  async #readAnswers(socket: Socket): Promise<void> {
    const reader = new SocketReader(socket);
    for (;;) {
      const text = await reader.frame(MAX_TEXT_BYTES);
      if (text === null) break;
      this.answers.push(text.toString('utf8'));
    }
    socket.destroy();
  }
}
