/**
 * The old outbound audio processor during one call: listens on 9002 + id, registers at UDP 13001 until a TTS has
 * connected, closes a client whose HELLO names another call, drops every chunk whose id is not above the last one
 * (also after a reconnect), and keeps 12 s of audio ahead of the caller, the oldest trimmed.
 */
import type { Socket } from 'node:net';
import { Registrar, sendDatagram } from './registration.ts';
import { Listener, SocketReader } from './sockets.ts';
import {
  AUDIO_OUT_HEADER_BYTES,
  type AudioOutHeader,
  MAX_AUDIO_OUT_BYTES,
  readAudioOutHeader,
  toSamples,
} from './wire.ts';

const BACKLOG = 1;
const MAX_HELLO_BYTES = 1000;
const PLAYED_BYTES_PER_MS = 8;
const BUFFER_BYTES = 160 * 600;

export interface OldOutboundOptions {
  readonly callId: number;
  /** Audio comes over this + id; 9002 in production. */
  readonly audioBasePort: number;
  readonly registrationPort: number;
  onChunk?(chunk: OutboundChunk): void;
}

export interface OutboundChunk {
  readonly chunkId: number;
  readonly sampleRateHz: number;
  /** Null for bytes that are mu-law already: a payload that is no multiple of four. */
  readonly samples: Float32Array | null;
  readonly payloadBytes: number;
}

export class OldOutbound {
  readonly registrar: Registrar;
  readonly chunks: OutboundChunk[] = [];
  readonly counts = { clients: 0, badHellos: 0, duplicates: 0, trimmedBytes: 0, ends: 0 };
  readonly #options: OldOutboundOptions;
  readonly #listener: Listener;
  #client: Socket | null = null;
  #lastChunkId = 0;
  #bufferedBytes = 0;
  #bufferedAtMs = 0;

  private constructor(options: OldOutboundOptions, listener: Listener) {
    this.#options = options;
    this.#listener = listener;
    this.registrar = new Registrar(options.callId, options.registrationPort);
    void this.#acceptClients();
  }

  /** Listens, then begins to register. @throws EADDRINUSE */
  static async activate(options: OldOutboundOptions): Promise<OldOutbound> {
    return new OldOutbound(options, await Listener.open(options.audioBasePort + options.callId, BACKLOG));
  }

  /** Everything that was taken to be played, in order. */
  get samples(): Float32Array {
    const parts = this.chunks.map(({ samples }) => samples ?? new Float32Array());
    const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  /** Drops the client, as a network would; the listener stays. */
  dropClient(): void {
    this.#client?.destroy();
  }

  async deactivate(): Promise<void> {
    this.registrar.stop();
    await sendDatagram(`BYE:${this.#options.callId}`, this.#options.registrationPort);
    await this.#listener.close();
  }

  async #acceptClients(): Promise<void> {
    for (;;) {
      const socket = await this.#listener.accept();
      if (socket === null) return;
      this.counts.clients += 1;
      this.registrar.stop();
      this.#client = socket;
      await this.#serve(socket);
      socket.destroy();
    }
  }

  async #serve(socket: Socket): Promise<void> {
    const reader = new SocketReader(socket);
    const hello = (await reader.frame(MAX_HELLO_BYTES))?.toString('latin1');
    if (hello !== String(this.#options.callId)) {
      this.counts.badHellos += 1;
      return;
    }
    for (;;) {
      const bytes = await reader.take(AUDIO_OUT_HEADER_BYTES);
      const header = bytes === null ? null : readAudioOutHeader(bytes);
      if (header === null || header.payloadBytes === 0 || header.payloadBytes > MAX_AUDIO_OUT_BYTES) break;
      const payload = await reader.take(header.payloadBytes);
      if (payload === null) break;
      this.#take(header, payload);
    }
    this.counts.ends += 1;
  }

  #take({ chunkId, sampleRateHz }: AudioOutHeader, payload: Buffer): void {
    if (chunkId <= this.#lastChunkId) {
      this.counts.duplicates += 1;
      return;
    }
    this.#lastChunkId = chunkId;
    const samples = payload.length % 4 === 0 ? toSamples(payload) : null;
    const chunk = { chunkId, sampleRateHz, samples, payloadBytes: payload.length };
    this.#buffer(samples === null ? payload.length : Math.round((samples.length * 8000) / sampleRateHz));
    this.chunks.push(chunk);
    this.#options.onChunk?.(chunk);
  }

  /** Follows how full its playout buffer would be: 8 bytes leave each millisecond. */
  #buffer(bytes: number): void {
    const nowMs = performance.now();
    const playedBytes = (nowMs - this.#bufferedAtMs) * PLAYED_BYTES_PER_MS;
    const filledBytes = Math.max(0, this.#bufferedBytes - playedBytes) + bytes;
    this.counts.trimmedBytes += Math.max(0, filledBytes - BUFFER_BYTES);
    this.#bufferedBytes = Math.min(filledBytes, BUFFER_BYTES);
    this.#bufferedAtMs = nowMs;
  }
}
