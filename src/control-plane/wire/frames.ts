/**
 * The frames of the earlier system, as bytes to send, and the bounds of each leg. Thread: main. Pure.
 *
 *   HELLO, text, audio in   uint32 BE length | payload                 length 0xFFFFFFFF = BYE
 *   audio out               uint32 BE length | uint32 BE rate, Hz | uint32 BE chunk id | float32 LE samples
 */

/** A length field that says goodbye. */
export const BYE_LENGTH = 0xffffffff;
/** What ends a text leg, too, when it is the whole text. */
export const BYE_TEXT = 'BYE';
export const CHUNK_HEADER_BYTES = 12;

/** What comes in on one side of a leg, and how long it may be. */
export interface LegRules {
  readonly payload: 'audio' | 'text' | 'chunk';
  /** 0: no HELLO comes in on this side. */
  readonly maxHelloBytes: number;
  readonly maxPayloadBytes: number;
}

const MAX_TEXT_BYTES = 10 * 1024 * 1024;

export const LEG_RULES = {
  /** 9001+id at Whisper: the listener's HELLO, then float32 at 16 kHz; 31 s at most. */
  audioIn: { payload: 'audio', maxHelloBytes: 1000, maxPayloadBytes: 2_000_000 },
  /** 9001+id at the inbound side: what Whisper understood. */
  transcripts: { payload: 'text', maxHelloBytes: 0, maxPayloadBytes: MAX_TEXT_BYTES },
  /** The same with a secret: Whisper proves itself first. */
  signedTranscripts: { payload: 'text', maxHelloBytes: 1000, maxPayloadBytes: MAX_TEXT_BYTES },
  /** 8083 and 8090 where we listen. */
  textIn: { payload: 'text', maxHelloBytes: 4096, maxPayloadBytes: MAX_TEXT_BYTES },
  /** 8083 and 8090 where we dial: goodbye, or replies of a service without a next one. */
  textBack: { payload: 'text', maxHelloBytes: 0, maxPayloadBytes: MAX_TEXT_BYTES },
  /** 9002+id at the outbound side. */
  audioOut: { payload: 'chunk', maxHelloBytes: 1024, maxPayloadBytes: 10 * 1024 * 1024 },
} as const satisfies Record<string, LegRules>;

/** A HELLO, a text, or (with samples already as bytes) a frame of audio in. */
export function lengthPrefixed(payload: string | Uint8Array): Uint8Array {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
  const frame = Buffer.allocUnsafe(4 + bytes.length);
  frame.writeUInt32BE(bytes.length, 0);
  frame.set(bytes, 4);
  return frame;
}

/** BYE on any leg but the way out of the TTS. */
export function byeFrame(): Uint8Array {
  return Uint8Array.of(0xff, 0xff, 0xff, 0xff);
}

export interface ChunkHeader {
  readonly payloadBytes: number;
  readonly rateHz: number;
  readonly chunkId: number;
}

/** The header of one chunk of audio out. */
export function chunkHeader({ payloadBytes, rateHz, chunkId }: ChunkHeader): Uint8Array {
  const header = Buffer.allocUnsafe(CHUNK_HEADER_BYTES);
  header.writeUInt32BE(payloadBytes, 0);
  header.writeUInt32BE(rateHz, 4);
  header.writeUInt32BE(chunkId, 8);
  return header;
}

/** A header without audio: the TTS has no more to say. */
export function endOfAudio(rateHz: number, chunkId: number): Uint8Array {
  return chunkHeader({ payloadBytes: 0, rateHz, chunkId });
}
