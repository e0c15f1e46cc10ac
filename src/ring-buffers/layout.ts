/**
 * The one offset table of the shared audio memory: where each word of a tape or ring lies and who stores it.
 * Thread: any. Setup only: creating and opening throw, nothing here runs per frame. Contract: README.md.
 *
 *              tape                                   ring
 *     0 bytes  fixed, written once by create*:  magic, version, kind, capacity, rate, sample type, start
 *    64        WRITER: head, claimed, hasWrapped      CONTROLLER: requestedEpoch, replyOpen
 *   128        -                                      WRITER: writeIndex, epochStartIndex, writerEpoch, overrun
 *   192        -                                      READER: readIndex, readerEpoch, underrun, played, flushed
 *   256        samples [capacity], int16 mono, capacity a power of two
 *
 * Each box is a 64-byte line of its own, so that the sides do not fight over a cache line, and each word is
 * stored by one side only (invariant I2).
 */
import { WildfireError } from '../errors.ts';

/** Plain data that crosses threads; everything else is in the header of the buffer. */
export interface TapeHandle {
  readonly kind: 'tape';
  readonly buffer: SharedArrayBuffer;
}

/** Plain data that crosses threads; everything else is in the header of the buffer. */
export interface RingHandle {
  readonly kind: 'ring';
  readonly buffer: SharedArrayBuffer;
}

/** Indices into the int32 words of the header; 16 words are one 64-byte line. */
export const FIXED_WORD = {
  magic: 0,
  version: 1,
  kind: 2,
  capacitySamples: 3,
  rateHz: 4,
  sampleType: 5,
  startPosition: 6,
} as const;

export const TAPE_WORD = {
  /** Position after the last published sample. */
  head: 16,
  /** Position after the block being copied right now: what lies a capacity behind it may be torn. */
  claimed: 17,
  /** 1 once a whole capacity has been written, so that nothing in the area is older than the start. */
  hasWrapped: 18,
} as const;

export const RING_WORD = {
  /** CONTROLLER. The epoch that may be heard; raised at each barge-in. */
  requestedEpoch: 16,
  /** CONTROLLER. 1 while more of the current reply is still to be written. */
  replyOpen: 17,
  /** WRITER. Index after the last published sample. */
  writeIndex: 32,
  /** WRITER. Index of the first sample of `writerEpoch`; stored before it. */
  epochStartIndex: 33,
  /** WRITER. The epoch that the newest samples belong to: the acknowledgement of a flush. */
  writerEpoch: 34,
  /** WRITER. Samples offered and not taken for want of room. */
  overrunSamples: 35,
  /** READER. Index of the next sample to play. */
  readIndex: 48,
  /** READER. The epoch being played. */
  readerEpoch: 49,
  /** READER. Frames that came up short while a reply was open. */
  underrunFrames: 50,
  /** READER. Samples of real audio played. */
  playedSamples: 51,
  /** READER. Samples jumped over by flushes: written, never heard. */
  flushedSamples: 52,
} as const;

/** Where the samples start; the four 64-byte lines above lie before. */
export const SAMPLES_OFFSET_BYTES = 256;

const MAGIC = 0x57464952; // 'WFIR'
const VERSION = 1;
const KIND_CODE = { tape: 1, ring: 2 } as const;
const SAMPLE_TYPE_INT16 = 1;
const BYTES_PER_SAMPLE = 2;
/** Far above any call (18 hours at 16 kHz) and far below 2^31, where "before" and "after" would blur. */
const MAX_CAPACITY_SAMPLES = 2 ** 30;

export interface TapeOptions {
  readonly rateHz: number;
  /** A power of two. */
  readonly capacitySamples: number;
  /** Position of the first sample; only tests start elsewhere than at 0. */
  readonly startPosition?: number;
}

export interface RingOptions {
  readonly rateHz: number;
  /** A power of two. */
  readonly capacitySamples: number;
  /** Index of the first sample; only tests start elsewhere than at 0. */
  readonly startIndex?: number;
}

/** An opened header: views on the shared words and samples, and what was fixed at creation. */
export interface SharedAudio {
  readonly words: Int32Array;
  readonly samples: Int16Array;
  readonly capacitySamples: number;
  readonly rateHz: number;
  readonly startPosition: number;
}

/**
 * Makes an empty tape.
 * @throws WildfireError INVALID_STATE when the capacity is no power of two or the rate no whole Hz.
 */
export function createTape({ rateHz, capacitySamples, startPosition = 0 }: TapeOptions): TapeHandle {
  const buffer = createShared('tape', rateHz, capacitySamples, startPosition);
  const words = new Int32Array(buffer, 0, SAMPLES_OFFSET_BYTES / 4);
  words[TAPE_WORD.head] = startPosition;
  words[TAPE_WORD.claimed] = startPosition;
  return { kind: 'tape', buffer };
}

/**
 * Makes an empty ring at epoch 0.
 * @throws WildfireError INVALID_STATE when the capacity is no power of two or the rate no whole Hz.
 */
export function createRing({ rateHz, capacitySamples, startIndex = 0 }: RingOptions): RingHandle {
  const buffer = createShared('ring', rateHz, capacitySamples, startIndex);
  const words = new Int32Array(buffer, 0, SAMPLES_OFFSET_BYTES / 4);
  words[RING_WORD.writeIndex] = startIndex;
  words[RING_WORD.epochStartIndex] = startIndex;
  words[RING_WORD.readIndex] = startIndex;
  return { kind: 'ring', buffer };
}

/**
 * Views on a handle that came from anywhere.
 * @throws WildfireError INVALID_STATE when the buffer is no tape or ring of this version.
 */
export function openShared(kind: 'tape' | 'ring', handle: TapeHandle | RingHandle): SharedAudio {
  const { buffer } = handle;
  assertSetup(buffer instanceof SharedArrayBuffer, `${kind} handle carries no SharedArrayBuffer`);
  assertSetup(
    buffer.byteLength > SAMPLES_OFFSET_BYTES,
    `${kind} buffer of ${buffer.byteLength} bytes is too short`,
  );
  const words = new Int32Array(buffer, 0, SAMPLES_OFFSET_BYTES / 4);
  const fixed = (word: number): number => words[word]! >>> 0;
  const capacitySamples = fixed(FIXED_WORD.capacitySamples);
  assertSetup(fixed(FIXED_WORD.magic) === MAGIC, `${kind} buffer has no Wildfire header`);
  assertSetup(
    fixed(FIXED_WORD.version) === VERSION,
    `${kind} layout ${fixed(FIXED_WORD.version)}, not ${VERSION}`,
  );
  assertSetup(fixed(FIXED_WORD.kind) === KIND_CODE[kind], `buffer is no ${kind}`);
  assertSetup(fixed(FIXED_WORD.sampleType) === SAMPLE_TYPE_INT16, `${kind} sample type is not int16`);
  assertSetup(
    buffer.byteLength === SAMPLES_OFFSET_BYTES + capacitySamples * BYTES_PER_SAMPLE,
    `${kind} buffer of ${buffer.byteLength} bytes does not hold ${capacitySamples} samples`,
  );
  return {
    words,
    samples: new Int16Array(buffer, SAMPLES_OFFSET_BYTES, capacitySamples),
    capacitySamples,
    rateHz: fixed(FIXED_WORD.rateHz),
    startPosition: fixed(FIXED_WORD.startPosition),
  };
}

function createShared(
  kind: 'tape' | 'ring',
  rateHz: number,
  capacitySamples: number,
  startPosition: number,
): SharedArrayBuffer {
  const isPowerOfTwo = Number.isInteger(capacitySamples) && Number.isInteger(Math.log2(capacitySamples));
  assertSetup(
    isPowerOfTwo && capacitySamples >= 2 && capacitySamples <= MAX_CAPACITY_SAMPLES,
    `${kind} capacity of ${capacitySamples} samples is not a power of two in 2..2^30`,
  );
  assertSetup(Number.isInteger(rateHz) && rateHz > 0, `${kind} rate of ${rateHz} Hz is not a whole number`);
  assertSetup(startPosition === startPosition >>> 0, `${kind} start ${startPosition} is not a uint32`);
  const buffer = new SharedArrayBuffer(SAMPLES_OFFSET_BYTES + capacitySamples * BYTES_PER_SAMPLE);
  const words = new Int32Array(buffer, 0, SAMPLES_OFFSET_BYTES / 4);
  words[FIXED_WORD.magic] = MAGIC;
  words[FIXED_WORD.version] = VERSION;
  words[FIXED_WORD.kind] = KIND_CODE[kind];
  words[FIXED_WORD.capacitySamples] = capacitySamples;
  words[FIXED_WORD.rateHz] = rateHz;
  words[FIXED_WORD.sampleType] = SAMPLE_TYPE_INT16;
  words[FIXED_WORD.startPosition] = startPosition;
  return buffer;
}

function assertSetup(holds: boolean, message: string): asserts holds {
  if (!holds) throw new WildfireError('INVALID_STATE', message);
}
