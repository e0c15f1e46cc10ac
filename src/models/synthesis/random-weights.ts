/**
 * Random weights as bytes that are never all in memory: a pattern of about a million values for each kind and spread,
 * written again and again from a place that depends on the tensor's name. Deterministic by seed. Values repeat; timing
 * does not see it, and a tensor of gigabytes costs no more than writing it.
 * Thread: the CLI. Source of the block layouts: ggml-common.h (block_q8_0, block_q4_0).
 */

/** How weights are stored: floats of ONNX and GGUF, and blocks of 32 as GGUF packs them. */
export type WeightType = 'fp32' | 'fp16' | 'q8_0' | 'q4_0';

/** Bytes that are made while they are written. */
export interface PatternBytes {
  readonly pattern: Uint8Array;
  /** Where in the pattern the first byte is taken from. */
  readonly startByte: number;
  readonly bytes: number;
  /** Written over what the pattern says, ascending by `atByte`, never overlapping. */
  readonly patches: readonly { readonly atByte: number; readonly bytes: Uint8Array }[];
}

/** Prime, so that rows of no matrix repeat in step. */
const PATTERN_VALUES = 1_048_573;
const PATTERN_BLOCKS = 32_749;
const BLOCK_VALUES = 32;
/** Standard deviation of the whole numbers that a block holds: uniform over -127..127 and -8..7. */
const Q8_DEVIATION = 73.3;
const Q4_DEVIATION = 4.61;

export class RandomWeights {
  readonly #seed: number;
  readonly #words: Uint32Array;
  readonly #patterns = new Map<string, Uint8Array>();

  /** @param seed a whole number; equal seeds give equal weights. */
  constructor(seed: number) {
    this.#seed = seed;
    this.#words = randomWords(hashOf(String(seed)));
  }

  /**
   * Weights of one tensor.
   * @param count a multiple of 32 for the block types.
   * @param deviation standard deviation of the values, mean 0.
   */
  tensor(name: string, type: WeightType, count: number, deviation: number): PatternBytes {
    const pattern = this.#patternOf(type, deviation);
    const unitBytes = UNITS[type].bytes;
    const startUnit = hashOf(`${this.#seed} ${name}`) % (pattern.length / unitBytes);
    return { pattern, startByte: startUnit * unitBytes, bytes: bytesOf(type, count), patches: [] };
  }

  #patternOf(type: WeightType, deviation: number): Uint8Array {
    const key = `${type} ${deviation}`;
    const known = this.#patterns.get(key);
    if (known !== undefined) return known;
    const made = UNITS[type].make(this.#words, deviation);
    this.#patterns.set(key, made);
    return made;
  }
}

/** Bytes that `count` values take. */
export function bytesOf(type: WeightType, count: number): number {
  const { bytes, values } = UNITS[type];
  return (count / values) * bytes;
}

/** Copies bytes [fromByte, fromByte + target.length) of the tensor into `target`. */
export function fillFrom(tensor: PatternBytes, fromByte: number, target: Uint8Array): void {
  const { pattern, startByte, patches } = tensor;
  let at = (startByte + fromByte) % pattern.length;
  for (let done = 0; done < target.length; ) {
    const piece = pattern.subarray(at, at + target.length - done);
    target.set(piece, done);
    done += piece.length;
    at = (at + piece.length) % pattern.length;
  }
  for (const { atByte, bytes } of patches) {
    for (let i = 0; i < bytes.length; i++) {
      const place = atByte + i - fromByte;
      if (place >= 0 && place < target.length) target[place] = bytes[i] as number;
    }
  }
}

interface Unit {
  readonly values: number;
  readonly bytes: number;
  make(words: Uint32Array, deviation: number): Uint8Array;
}

const UNITS: Readonly<Record<WeightType, Unit>> = {
  fp32: { values: 1, bytes: 4, make: (words, deviation) => bytesIn(floats(words, deviation)) },
  fp16: {
    values: 1,
    bytes: 2,
    make: (words, deviation) => bytesIn(new Float16Array(floats(words, deviation))),
  },
  q8_0: {
    values: BLOCK_VALUES,
    bytes: 34,
    make: (words, deviation) => blocks(words, deviation / Q8_DEVIATION, 34),
  },
  q4_0: {
    values: BLOCK_VALUES,
    bytes: 18,
    make: (words, deviation) => blocks(words, deviation / Q4_DEVIATION, 18),
  },
};

// Uniform, reaching as far as that spread needs.
function floats(words: Uint32Array, deviation: number): Float32Array {
  const step = (deviation * Math.sqrt(12)) / 2 ** 32;
  const values = new Float32Array(words.length);
  for (let i = 0; i < values.length; i++) values[i] = ((words[i] as number) - 2 ** 31) * step;
  return values;
}

// A block is its float16 step, then whole numbers of one byte or half a byte: any bits do.
function blocks(words: Uint32Array, step: number, blockBytes: number): Uint8Array {
  const all = bytesIn(words).slice(0, PATTERN_BLOCKS * blockBytes);
  const stepBytes = bytesIn(Float16Array.of(step));
  for (let at = 0; at < all.length; at += blockBytes) all.set(stepBytes, at);
  return all;
}

function bytesIn(values: Float32Array | Float16Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer);
}

/** xorshift32. */
function randomWords(seed: number): Uint32Array {
  const words = new Uint32Array(PATTERN_VALUES);
  let state = seed || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return words;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
