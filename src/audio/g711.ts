/**
 * G.711: both laws, by tables made once from the bit layout of the standard.
 * Thread: media. Hot: one look-up per sample, no allocation. Source: ITU-T G.711 (11/1988) tables 1 and 2.
 * Walk: packet step 6.
 *
 *   code byte:  S EEE MMMM   sign (1 = positive), segment, step. mu-law sends all bits inverted, A-law the
 *                            even bits (xor 0x55).
 *
 * PCM here is 16 bit; mu-law works on its upper 14 bits, A-law on its upper 13. Negative samples mirror by
 * ones' complement (-1 is the mirror of 0), as the ITU's own software (G.191) does.
 */

export type G711Law = 'ulaw' | 'alaw';

/** The code of sample 0, for frames of silence. */
export const ULAW_SILENCE = 0xff;
export const ALAW_SILENCE = 0xd5;

/** One law as a value, chosen once per call. */
export interface G711Codec {
  decode(bytes: Uint8Array, target: Int16Array, count: number): void;
  encode(samples: Int16Array, target: Uint8Array, count: number): void;
  readonly silenceByte: number;
}

const ULAW_DROPPED_BITS = 2;
const ALAW_DROPPED_BITS = 4;
/** Offset that turns the mu-law segments into plain powers of two, in 14-bit units. */
const ULAW_BIAS = 33;
const ULAW_MAX = 0x1fff;

const ulawSamples = Int16Array.from({ length: 256 }, (_, code) => expandUlaw(code));
const alawSamples = Int16Array.from({ length: 256 }, (_, code) => expandAlaw(code));
const ulawCodes = makeCodeTable(ULAW_DROPPED_BITS, compressUlaw);
const alawCodes = makeCodeTable(ALAW_DROPPED_BITS, compressAlaw);

const codecs: Readonly<Record<G711Law, G711Codec>> = {
  ulaw: { decode: decodeUlaw, encode: encodeUlaw, silenceByte: ULAW_SILENCE },
  alaw: { decode: decodeAlaw, encode: encodeAlaw, silenceByte: ALAW_SILENCE },
};

/** The codec of one law. */
export function g711Codec(law: G711Law): G711Codec {
  return codecs[law];
}

/** Expands the first `count` mu-law bytes into 16-bit samples. */
export function decodeUlaw(bytes: Uint8Array, target: Int16Array, count: number): void {
  for (let i = 0; i < count; i++) target[i] = ulawSamples[bytes[i]!]!;
}

/** Compresses the first `count` 16-bit samples into mu-law bytes. */
export function encodeUlaw(samples: Int16Array, target: Uint8Array, count: number): void {
  for (let i = 0; i < count; i++) target[i] = ulawCodes[(samples[i]! & 0xffff) >> ULAW_DROPPED_BITS]!;
}

/** Expands the first `count` A-law bytes into 16-bit samples. */
export function decodeAlaw(bytes: Uint8Array, target: Int16Array, count: number): void {
  for (let i = 0; i < count; i++) target[i] = alawSamples[bytes[i]!]!;
}

/** Compresses the first `count` 16-bit samples into A-law bytes. */
export function encodeAlaw(samples: Int16Array, target: Uint8Array, count: number): void {
  for (let i = 0; i < count; i++) target[i] = alawCodes[(samples[i]! & 0xffff) >> ALAW_DROPPED_BITS]!;
}

/** Codes for every 16-bit sample without its dropped low bits, indexed by the bits as they stand. */
function makeCodeTable(droppedBits: number, compress: (sample: number) => number): Uint8Array {
  const codes = new Uint8Array(65536 >> droppedBits);
  for (let bits = 0; bits < codes.length; bits++) codes[bits] = compress(((bits << droppedBits) << 16) >> 16);
  return codes;
}

function expandUlaw(code: number): number {
  const bits = ~code;
  const segment = (bits >> 4) & 7;
  const magnitude = (((2 * (bits & 15) + ULAW_BIAS) << segment) - ULAW_BIAS) << ULAW_DROPPED_BITS;
  return bits & 0x80 ? -magnitude : magnitude;
}

function compressUlaw(sample: number): number {
  const isNegative = sample < 0;
  const magnitude = (isNegative ? ~sample : sample) >> ULAW_DROPPED_BITS;
  const biased = Math.min(magnitude + ULAW_BIAS, ULAW_MAX);
  const segment = 26 - Math.clz32(biased); // 33..63 is segment 0
  const code = (segment << 4) | ((biased >> (segment + 1)) & 15);
  return ~(isNegative ? code | 0x80 : code) & 0xff;
}

function expandAlaw(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = 2 * (bits & 15) + 1;
  const magnitude = (segment === 0 ? step : (step + 32) << (segment - 1)) << (ALAW_DROPPED_BITS - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

function compressAlaw(sample: number): number {
  const isNegative = sample < 0;
  const magnitude = (isNegative ? ~sample : sample) >> ALAW_DROPPED_BITS;
  const segment = Math.max(0, 28 - Math.clz32(magnitude)); // 0..31 is linear: segments 0 and 1
  const step = segment === 0 ? magnitude : (magnitude >> (segment - 1)) & 15;
  return ((segment << 4) | step | (isNegative ? 0 : 0x80)) ^ 0x55;
}
