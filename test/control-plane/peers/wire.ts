/**
 * The frames of the earlier system, written from the protocol description. All lengths are unsigned, 32 bit,
 * big-endian; samples are float32, little-endian, mono.
 */

/** A length field that says goodbye. */
export const BYE_WORD = 0xffff_ffff;
/** A text payload that says the same. */
export const BYE_TEXT = 'BYE';
/** The inbound processor's goodbye; to a reader it is a frame without bytes. */
export const ZERO_WORD = 0;
export const MAX_AUDIO_IN_BYTES = 2_000_000;
export const MAX_TEXT_BYTES = 10 * 1024 * 1024;
export const MAX_AUDIO_OUT_BYTES = 10 * 1024 * 1024;
export const AUDIO_IN_RATE_HZ = 16_000;
export const AUDIO_OUT_HEADER_BYTES = 12;
const SAMPLE_BYTES = 4;

export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function helloFrame(callId: number): Buffer {
  return textFrame(String(callId));
}

export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text, 'utf8');
  return Buffer.concat([word(payload.length), payload]);
}

/** @param samples about -1..1, 16 kHz */
export function audioInFrame(samples: Float32Array): Buffer {
  return Buffer.concat([word(samples.length * SAMPLE_BYTES), toBytes(samples)]);
}

export interface AudioOutHeader {
  readonly payloadBytes: number;
  readonly sampleRateHz: number;
  readonly chunkId: number;
}

export function audioOutHeader({ payloadBytes, sampleRateHz, chunkId }: AudioOutHeader): Buffer {
  return Buffer.concat([word(payloadBytes), word(sampleRateHz), word(chunkId)]);
}

export function readAudioOutHeader(bytes: Buffer): AudioOutHeader {
  return {
    payloadBytes: bytes.readUInt32BE(0),
    sampleRateHz: bytes.readUInt32BE(4),
    chunkId: bytes.readUInt32BE(8),
  };
}

export function audioOutFrame(sampleRateHz: number, chunkId: number, samples: Float32Array): Buffer {
  const payload = toBytes(samples);
  return Buffer.concat([audioOutHeader({ payloadBytes: payload.length, sampleRateHz, chunkId }), payload]);
}

export function toBytes(samples: Float32Array): Buffer {
  const bytes = Buffer.alloc(samples.length * SAMPLE_BYTES);
  for (const [index, sample] of samples.entries()) bytes.writeFloatLE(sample, index * SAMPLE_BYTES);
  return bytes;
}

/** @param bytes a multiple of four long */
export function toSamples(bytes: Buffer): Float32Array {
  return Float32Array.from({ length: bytes.length / SAMPLE_BYTES }, (_, index) =>
    bytes.readFloatLE(index * SAMPLE_BYTES),
  );
}
