/**
 * The two old TTS services: TCP 8090, UDP 13001, connector to 9002 + id at a call's first text. Piper sends one chunk
 * per sentence and counts from 1 again after a failed send; Kokoro sends pieces of 40 ms, waits for a call's
 * REGISTER before it reads its text, and ends with four zero bytes.
 */
import type { Socket } from 'node:net';
import { RegistrationSocket } from './registration.ts';
import { sentencesOf, voiceOf } from './script.ts';
import { Listener, SocketReader, sleep } from './sockets.ts';
import { connectWithRetries } from './text-link.ts';
import {
  audioOutFrame,
  audioOutHeader,
  BYE_TEXT,
  helloFrame,
  MAX_TEXT_BYTES,
  word,
  ZERO_WORD,
} from './wire.ts';

const BACKLOG = 16;
const MAX_HELLO_BYTES = 1024;
const READINESS_POLL_MS = 20;

export interface TtsFlavour {
  readonly sampleRateHz: number;
  readonly isPiper: boolean;
  /** Samples of one chunk; null for all of a sentence. */
  readonly chunkSamples: number | null;
  readonly endOfAudio: Buffer;
}

export const PIPER: TtsFlavour = {
  sampleRateHz: 22_050,
  isPiper: true,
  chunkSamples: null,
  endOfAudio: audioOutHeader({ payloadBytes: 0, sampleRateHz: 0, chunkId: 0 }),
};

export const KOKORO: TtsFlavour = {
  sampleRateHz: 24_000,
  isPiper: false,
  chunkSamples: 960,
  endOfAudio: word(ZERO_WORD),
};

export interface OldTtsOptions {
  readonly flavour: TtsFlavour;
  readonly port: number;
  readonly registrationPort: number;
  /** Audio goes to this + id; 9002 in production. */
  readonly audioBasePort: number;
  onText?(text: TtsText): void;
}

export interface TtsText {
  readonly callId: number;
  readonly text: string;
}

interface Speaker {
  socket: Socket | null;
  nextChunkId: number;
}

export class OldTts {
  readonly heard: TtsText[] = [];
  readonly counts = { connections: 0, badHellos: 0, thrownAwayChunks: 0, failedSends: 0, unknownByes: 0 };
  readonly #options: OldTtsOptions;
  readonly #listener: Listener;
  readonly #registered = new Set<number>();
  readonly #speakers = new Map<number, Speaker>();
  #receiver: RegistrationSocket | null = null;

  private constructor(options: OldTtsOptions, listener: Listener) {
    this.#options = options;
    this.#listener = listener;
    void this.#acceptCalls();
  }

  static async start(options: OldTtsOptions): Promise<OldTts> {
    const tts = new OldTts(options, await Listener.open(options.port, BACKLOG));
    tts.#receiver = await RegistrationSocket.open(options.registrationPort, {
      register: (callId) => void tts.#registered.add(callId),
      bye: (callId) => tts.#onBye(callId),
    });
    return tts;
  }

  get registered(): number[] {
    return [...this.#registered];
  }

  /** Upstream connections that are open. */
  get openConnections(): number {
    return this.#listener.openSockets;
  }

  textsOf(callId: number): string[] {
    return this.heard.filter((one) => one.callId === callId).map(({ text }) => text);
  }

  async close(): Promise<void> {
    for (const { socket } of this.#speakers.values()) socket?.destroy();
    this.#speakers.clear();
    await this.#receiver?.close();
    await this.#listener.close();
  }

  #onBye(callId: number): void {
    if (!this.#registered.delete(callId)) this.counts.unknownByes += 1;
    if (this.#options.flavour.isPiper) this.#endSpeaker(callId);
  }

  async #acceptCalls(): Promise<void> {
    for (;;) {
      const socket = await this.#listener.accept();
      if (socket === null) return;
      this.counts.connections += 1;
      void this.#serve(socket);
    }
  }

  async #serve(socket: Socket): Promise<void> {
    const reader = new SocketReader(socket);
    const hello = (await reader.frame(MAX_HELLO_BYTES))?.toString('latin1') ?? '';
    if (/^\d+$/.test(hello)) await this.#readTexts(Number(hello), reader, socket);
    else this.counts.badHellos += 1;
    socket.destroy();
  }

  async #readTexts(callId: number, reader: SocketReader, socket: Socket): Promise<void> {
    while (!this.#options.flavour.isPiper && !this.#registered.has(callId)) {
      if (socket.destroyed) return;
      await sleep(READINESS_POLL_MS);
    }
    for (;;) {
      const text = (await reader.frame(MAX_TEXT_BYTES))?.toString('utf8') ?? BYE_TEXT;
      if (text === BYE_TEXT) break;
      this.heard.push({ callId, text });
      this.#options.onText?.({ callId, text });
      await this.#speak(callId, text);
    }
    this.#endSpeaker(callId);
  }

  async #speak(callId: number, text: string): Promise<void> {
    const chunks = chunksOf(text, this.#options.flavour);
    for (const [index, samples] of chunks.entries()) {
      const speaker = await this.#speakerOf(callId);
      if (speaker.socket === null) {
        this.counts.thrownAwayChunks += chunks.length - index;
        return;
      }
      await this.#send(speaker, speaker.socket, samples);
    }
  }

  async #send(speaker: Speaker, socket: Socket, samples: Float32Array): Promise<void> {
    const { sampleRateHz, isPiper } = this.#options.flavour;
    if (socket.destroyed || !socket.writable) {
      this.counts.failedSends += 1;
      speaker.socket = null;
      if (isPiper) speaker.nextChunkId = 1;
      return;
    }
    const frame = audioOutFrame(sampleRateHz, speaker.nextChunkId, samples);
    speaker.nextChunkId += 1;
    if (!socket.write(frame)) await drained(socket);
  }

  async #speakerOf(callId: number): Promise<Speaker> {
    const speaker = this.#speakers.get(callId) ?? { socket: null, nextChunkId: 1 };
    this.#speakers.set(callId, speaker);
    if (speaker.socket !== null) return speaker;
    speaker.socket = await connectWithRetries(this.#options.audioBasePort + callId);
    speaker.socket?.setNoDelay(this.#options.flavour.isPiper).resume();
    speaker.socket?.write(helloFrame(callId));
    return speaker;
  }

  #endSpeaker(callId: number): void {
    this.#speakers.get(callId)?.socket?.end(this.#options.flavour.endOfAudio);
    this.#speakers.delete(callId);
  }
}

/** The chunks in which a flavour sends a text. */
export function chunksOf(text: string, { isPiper, chunkSamples, sampleRateHz }: TtsFlavour): Float32Array[] {
  const voiced = (isPiper ? sentencesOf(text) : [text]).map((part) => voiceOf(part, sampleRateHz));
  if (chunkSamples === null) return voiced;
  return voiced.flatMap((samples) =>
    Array.from({ length: Math.ceil(samples.length / chunkSamples) }, (_, index) =>
      samples.subarray(index * chunkSamples, (index + 1) * chunkSamples),
    ),
  );
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', () => resolve()).once('close', () => resolve());
  });
}
