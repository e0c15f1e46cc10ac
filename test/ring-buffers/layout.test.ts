/** Creating and opening shared audio memory: what is checked, and that no two words share an owner's line. */
import { describe, expect, it } from 'vitest';
import {
  createRing,
  createTape,
  FIXED_WORD,
  openShared,
  RING_WORD,
  type RingHandle,
  SAMPLES_OFFSET_BYTES,
  TAPE_WORD,
  type TapeHandle,
} from '../../src/ring-buffers/layout.ts';
import { TapeReader } from '../../src/ring-buffers/tape.ts';

const WORDS_PER_LINE = 16;
const INVALID = expect.objectContaining({ code: 'INVALID_STATE' });

function withWord(handle: TapeHandle, word: number, value: number): TapeHandle {
  new Int32Array(handle.buffer)[word] = value;
  return handle;
}

describe('the layout', () => {
  it('I2 gives each owner 64-byte lines of its own, before the samples', () => {
    const line = (word: number): number => Math.floor(word / WORDS_PER_LINE);
    const { requestedEpoch, replyOpen, readIndex, readerEpoch, ...rest } = RING_WORD;
    const { underrunFrames, playedSamples, flushedSamples, ...writerWords } = rest;
    const readerWords = [readIndex, readerEpoch, underrunFrames, playedSamples, flushedSamples];
    expect(new Set(Object.values(FIXED_WORD).map(line))).toEqual(new Set([0]));
    expect(new Set(Object.values(TAPE_WORD).map(line))).toEqual(new Set([1]));
    expect(new Set([requestedEpoch, replyOpen].map(line))).toEqual(new Set([1]));
    expect(new Set(Object.values(writerWords).map(line))).toEqual(new Set([2]));
    expect(new Set(readerWords.map(line))).toEqual(new Set([3]));
    expect(SAMPLES_OFFSET_BYTES).toBe(4 * 64);
  });

  it('gives no two words the same place', () => {
    for (const table of [RING_WORD, TAPE_WORD]) {
      const places = [...Object.values(FIXED_WORD), ...Object.values(table)];
      expect(new Set(places).size).toBe(places.length);
    }
  });

  it('keeps what was fixed at creation', () => {
    const tape = openShared(
      'tape',
      createTape({ rateHz: 16000, capacitySamples: 64, startPosition: 2 ** 32 - 1 }),
    );
    expect(tape).toMatchObject({ rateHz: 16000, capacitySamples: 64, startPosition: 2 ** 32 - 1 });
    expect(tape.samples).toHaveLength(64);
  });

  it.each([0, 1, 3, 100, -8, 2.5, 2 ** 31, Number.NaN])(
    'refuses a capacity of %d samples',
    (capacitySamples) => {
      expect(() => createTape({ rateHz: 8000, capacitySamples })).toThrow(INVALID);
      expect(() => createRing({ rateHz: 8000, capacitySamples })).toThrow(INVALID);
    },
  );

  it.each([0, -1, 8000.5, Number.NaN])('refuses a rate of %d Hz', (rateHz) => {
    expect(() => createRing({ rateHz, capacitySamples: 64 })).toThrow(INVALID);
  });

  it.each([-1, 2 ** 32, 0.5])('refuses to start at %d', (start) => {
    expect(() => createTape({ rateHz: 8000, capacitySamples: 64, startPosition: start })).toThrow(INVALID);
    expect(() => createRing({ rateHz: 8000, capacitySamples: 64, startIndex: start })).toThrow(INVALID);
  });
});

describe('opening a handle', () => {
  const tape = (): TapeHandle => createTape({ rateHz: 8000, capacitySamples: 64 });

  it.each([
    ['a wrong magic', withWord(tape(), FIXED_WORD.magic, 0)],
    ['another version', withWord(tape(), FIXED_WORD.version, 2)],
    ['another sample type', withWord(tape(), FIXED_WORD.sampleType, 2)],
    ['a capacity that the buffer does not hold', withWord(tape(), FIXED_WORD.capacitySamples, 128)],
    ['a ring', { kind: 'tape', buffer: createRing({ rateHz: 8000, capacitySamples: 64 }).buffer } as const],
    ['a buffer without samples', { kind: 'tape', buffer: new SharedArrayBuffer(256) } as const],
    ['an empty buffer', { kind: 'tape', buffer: new SharedArrayBuffer(0) } as const],
    ['memory that is not shared', { kind: 'tape', buffer: new ArrayBuffer(512) } as unknown as TapeHandle],
  ])('refuses %s', (_, handle) => {
    expect(() => new TapeReader(handle)).toThrow(INVALID);
  });

  it('refuses a tape where a ring is wanted', () => {
    expect(() => openShared('ring', tape() as unknown as RingHandle)).toThrow(INVALID);
  });
});
