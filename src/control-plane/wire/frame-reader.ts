/**
 * Cuts what comes in on a leg into frames, from pieces of any size. Thread: main. Pure. Never throws, and never
 * holds more than one frame of the leg's greatest length: a length beyond it ends the leg before its bytes come.
 */
import { ByteQueue } from './byte-queue.ts';
import { BYE_LENGTH, BYE_TEXT, CHUNK_HEADER_BYTES, type LegRules } from './frames.ts';

export type InvalidFrame = 'helloLength' | 'frameLength' | 'rate';

export type Frame =
  /** `payload`: who speaks, as wire/identity.ts reads it. */
  | { readonly kind: 'hello'; readonly payload: string }
  | { readonly kind: 'text'; readonly text: string }
  /** float32, little-endian. */
  | { readonly kind: 'audio'; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
      readonly kind: 'chunk';
      readonly rateHz: number;
      readonly chunkId: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  /** The other side will send no more. The last frame. */
  | { readonly kind: 'bye' }
  /** Not this protocol. The last frame. */
  | { readonly kind: 'invalid'; readonly reason: InvalidFrame };

/** Rates that a chunk of audio may have, Hz. */
const MIN_RATE_HZ = 8_000;
const MAX_RATE_HZ = 192_000;

export class FrameReader {
  readonly #rules: LegRules;
  readonly #queue = new ByteQueue();
  #awaitsHello: boolean;
  #isOver = false;

  constructor(rules: LegRules) {
    this.#rules = rules;
    this.#awaitsHello = rules.maxHelloBytes > 0;
  }

  /** Takes the next bytes. @returns the frames that are complete, in order; nothing after BYE or an invalid one */
  push(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    if (this.#isOver) return frames;
    this.#queue.push(bytes);
    for (let frame = this.#next(); frame !== null; frame = this.#next()) {
      frames.push(frame);
      if (frame.kind === 'bye' || frame.kind === 'invalid') return this.#end(frames);
    }
    return frames;
  }

  #end(frames: Frame[]): Frame[] {
    this.#isOver = true;
    this.#queue.clear();
    return frames;
  }

  #next(): Frame | null {
    const length = this.#queue.peekUint32();
    if (length === null) return null;
    // Zero is an end of the protocol in its own way on every leg; of a header without audio, 4 bytes are enough.
    if (length === BYE_LENGTH || (length === 0 && !this.#awaitsHello)) return { kind: 'bye' };
    if (this.#awaitsHello) return this.#hello(length);
    if (length > this.#rules.maxPayloadBytes) return { kind: 'invalid', reason: 'frameLength' };
    return this.#rules.payload === 'chunk' ? this.#chunk(length) : this.#payload(length);
  }

  #hello(length: number): Frame | null {
    if (length === 0 || length > this.#rules.maxHelloBytes) return { kind: 'invalid', reason: 'helloLength' };
    const bytes = this.#frame(4, length);
    if (bytes === null) return null;
    this.#awaitsHello = false;
    return { kind: 'hello', payload: Buffer.from(bytes).toString('latin1') };
  }

  #payload(length: number): Frame | null {
    const bytes = this.#frame(4, length);
    if (bytes === null) return null;
    if (this.#rules.payload === 'audio') return { kind: 'audio', bytes };
    const text = Buffer.from(bytes.buffer).toString('utf8');
    return text === BYE_TEXT ? { kind: 'bye' } : { kind: 'text', text };
  }

  #chunk(length: number): Frame | null {
    if (this.#queue.bytes < CHUNK_HEADER_BYTES + length) return this.#refusedHeader();
    const header = Buffer.from(this.#queue.take(CHUNK_HEADER_BYTES)?.buffer ?? new ArrayBuffer(0));
    const bytes = this.#queue.take(length) ?? new Uint8Array(0);
    const [rateHz, chunkId] = [header.readUInt32BE(4), header.readUInt32BE(8)];
    return isRate(rateHz) ? { kind: 'chunk', rateHz, chunkId, bytes } : { kind: 'invalid', reason: 'rate' };
  }

  /** Bytes for an impossible rate are not waited for. */
  #refusedHeader(): Frame | null {
    const rateHz = this.#queue.peekUint32(4);
    return rateHz === null || isRate(rateHz) ? null : { kind: 'invalid', reason: 'rate' };
  }

  #frame(headerBytes: number, length: number): Uint8Array<ArrayBuffer> | null {
    if (this.#queue.bytes < headerBytes + length) return null;
    this.#queue.take(headerBytes);
    return this.#queue.take(length);
  }
}

function isRate(rateHz: number): boolean {
  return rateHz >= MIN_RATE_HZ && rateHz <= MAX_RATE_HZ;
}
