/**
 * The old Whisper: UDP 13000; connects to 9001 + id at a REGISTER that it has no entry for, within 2 s; reads HELLO
 * and utterances; writes each transcript back on the same socket and on to LLaMA at 8083. Its receiver waits while
 * it tries to reach LLaMA, and its LLaMA connections outlive the calls.
 */
import type { Socket } from 'node:net';
import { RegistrationSocket } from './registration.ts';
import { transcriptOf } from './script.ts';
import { connectWithin, SocketReader } from './sockets.ts';
import { TextLink } from './text-link.ts';
import { AUDIO_IN_RATE_HZ, BYE_WORD, MAX_AUDIO_IN_BYTES, textFrame, toSamples, word } from './wire.ts';

const CONNECT_LIMIT_MS = 2000;
const MAX_HELLO_BYTES = 1000;

export interface OldWhisperOptions {
  readonly registrationPort: number;
  readonly audioBasePort: number;
  readonly llamaPort: number;
  /** From 17 October 2025 a call's LLaMA connection ended with it. */
  readonly closesLlamaAtBye?: boolean;
  /** @param samples 16 kHz @returns '' for nothing to pass on */
  transcribe?(samples: Float32Array): string;
  onHeard?(heard: Heard): void;
}

export interface Heard {
  readonly callId: number;
  readonly samples: Float32Array;
  readonly text: string;
}

export class OldWhisper {
  readonly heard: Heard[] = [];
  /** Ids of the HELLOs that came, in order. */
  readonly hellos: string[] = [];
  readonly counts = { duplicates: 0, failedConnects: 0, badHellos: 0, idMismatches: 0, unknownByes: 0 };
  readonly #options: OldWhisperOptions;
  /** By call id; null stands for a connect under way. */
  readonly #audioSockets = new Map<number, Socket | null>();
  readonly #links = new Map<number, TextLink>();
  #receiver: RegistrationSocket | null = null;
  #lock: Promise<unknown> = Promise.resolve();

  private constructor(options: OldWhisperOptions) {
    this.#options = options;
  }

  static async start(options: OldWhisperOptions): Promise<OldWhisper> {
    const whisper = new OldWhisper(options);
    whisper.#receiver = await RegistrationSocket.open(options.registrationPort, {
      register: (callId) => void whisper.#locked(async () => whisper.#onRegister(callId)),
      bye: (callId) => void whisper.#locked(async () => whisper.#onBye(callId)),
    });
    return whisper;
  }

  /** Calls whose audio is connected or about to be. */
  get audioCalls(): number[] {
    return [...this.#audioSockets.keys()];
  }

  linkOf(callId: number): TextLink | undefined {
    return this.#links.get(callId);
  }

  /** Ends the program: goodbye to every inbound processor. */
  async close(): Promise<void> {
    await this.#receiver?.close();
    for (const socket of this.#audioSockets.values()) socket?.end(word(BYE_WORD));
    for (const socket of this.#audioSockets.values()) socket?.destroySoon();
    for (const link of this.#links.values()) link.close();
  }

  /** What goes through here waits for each other: the mutex that is held while LLaMA is tried. */
  #locked<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lock.then(work);
    this.#lock = result.catch(() => {});
    return result;
  }

  #onRegister(callId: number): void {
    if (this.#audioSockets.has(callId)) {
      this.counts.duplicates += 1;
      return;
    }
    this.#audioSockets.set(callId, null);
    void this.#serve(callId);
  }

  #onBye(callId: number): void {
    if (!this.#audioSockets.has(callId)) this.counts.unknownByes += 1;
    this.#audioSockets.get(callId)?.destroy();
    this.#audioSockets.delete(callId);
    if (this.#options.closesLlamaAtBye === true) {
      this.#links.get(callId)?.sayBye();
      this.#links.delete(callId);
    }
  }

  async #serve(callId: number): Promise<void> {
    const socket = await connectWithin(this.#options.audioBasePort + callId, CONNECT_LIMIT_MS);
    if (socket === null) {
      this.counts.failedConnects += 1;
      this.#audioSockets.delete(callId);
      return;
    }
    this.#audioSockets.set(callId, socket);
    const link = this.#links.get(callId) ?? new TextLink(callId, this.#options.llamaPort);
    this.#links.set(callId, link);
    await this.#locked(() => link.connect());
    await this.#listen(callId, socket, link);
    socket.destroy();
    if (this.#audioSockets.get(callId) === socket) this.#audioSockets.delete(callId);
  }

  async #listen(callId: number, socket: Socket, link: TextLink): Promise<void> {
    const reader = new SocketReader(socket);
    const hello = await reader.frame(MAX_HELLO_BYTES);
    if (hello === null) {
      this.counts.badHellos += 1;
      return;
    }
    this.hellos.push(hello.toString('latin1'));
    if (hello.toString('latin1') !== String(callId)) this.counts.idMismatches += 1;
    for (;;) {
      const payload = await reader.frame(MAX_AUDIO_IN_BYTES);
      if (payload === null) return;
      await this.#hear(callId, socket, { link, samples: toSamples(payload) });
    }
  }

  async #hear(
    callId: number,
    socket: Socket,
    { link, samples }: { link: TextLink; samples: Float32Array },
  ): Promise<void> {
    const transcribe = this.#options.transcribe ?? ((audio) => transcriptOf(audio, AUDIO_IN_RATE_HZ));
    const text = transcribe(samples);
    this.heard.push({ callId, samples, text });
    this.#options.onHeard?.({ callId, samples, text });
    if (text === '') return;
    if (!socket.destroyed) socket.write(textFrame(text));
    await link.send(text);
  }
}
