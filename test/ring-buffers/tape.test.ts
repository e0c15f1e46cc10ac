/** The tape on one thread: what each answer of a read means. */
import { describe, expect, it } from 'vitest';
import { createTape, TAPE_WORD } from '../../src/ring-buffers/layout.ts';
import { advance } from '../../src/ring-buffers/position.ts';
import { TapeReader, TapeWriter } from '../../src/ring-buffers/tape.ts';
import { countWrong, fillPattern } from './threads/pattern.ts';

const CAPACITY_SAMPLES = 1024;

function makeTape(startPosition = 0) {
  const handle = createTape({ rateHz: 8000, capacitySamples: CAPACITY_SAMPLES, startPosition });
  const writer = new TapeWriter(handle);
  const write = (lengthSamples: number): void => {
    const block = new Int16Array(lengthSamples);
    fillPattern(block, writer.positionSamples);
    writer.write(block);
  };
  return { handle, writer, write, reader: new TapeReader(handle), frame: new Int16Array(160) };
}

describe.each([0, 2 ** 32 - 1, 2 ** 32 - 500, 2 ** 31 - 300])('a tape that starts at %d', (start) => {
  it('gives back what was written', () => {
    const { write, reader, frame } = makeTape(start);
    for (let i = 0; i < 20; i++) {
      write(160);
      const from = advance(start, 160 * i);
      expect(reader.read(from, frame)).toBe('ok');
      expect(countWrong(frame, frame.length, from)).toBe(0);
    }
  });

  it('is ahead while one sample is missing, and leaves the target alone', () => {
    const { write, reader, frame } = makeTape(start);
    write(159);
    frame.fill(7);
    expect(reader.read(start, frame)).toBe('ahead');
    expect(frame.every((sample) => sample === 7)).toBe(true);
    write(1);
    expect(reader.read(start, frame)).toBe('ok');
  });

  it('holds exactly its capacity', () => {
    const { write, reader, frame } = makeTape(start);
    for (let i = 0; i < 8; i++) write(CAPACITY_SAMPLES / 8);
    expect(reader.read(start, frame)).toBe('ok');
    write(1);
    expect(reader.read(start, frame)).toBe('lapped');
    expect(reader.read(advance(start, 1), frame)).toBe('ok');
    expect(reader.oldestPositionSamples).toBe(advance(start, 1));
  });

  it('says lapped, not silence, before its own beginning', () => {
    const { write, reader, frame } = makeTape(start);
    expect(reader.read(advance(start, -1), frame)).toBe('lapped');
    write(320);
    expect(reader.read(advance(start, -1), frame)).toBe('lapped');
    expect(reader.oldestPositionSamples).toBe(start);
    expect(reader.read(start, frame)).toBe('ok');
  });

  it('keeps the end of a block longer than itself', () => {
    const { write, reader } = makeTape(start);
    write(3 * CAPACITY_SAMPLES + 5);
    const whole = new Int16Array(CAPACITY_SAMPLES);
    const from = advance(start, 2 * CAPACITY_SAMPLES + 5);
    expect(reader.read(from, whole)).toBe('ok');
    expect(countWrong(whole, whole.length, from)).toBe(0);
    expect(reader.positionSamples).toBe(advance(start, 3 * CAPACITY_SAMPLES + 5));
  });
});

describe('a tape', () => {
  it('treats what the writer has claimed as gone before it is overwritten', () => {
    const { handle, write, reader, frame } = makeTape();
    write(CAPACITY_SAMPLES);
    expect(reader.read(0, frame)).toBe('ok');
    new Int32Array(handle.buffer)[TAPE_WORD.claimed] = CAPACITY_SAMPLES + 1;
    expect(reader.read(0, frame)).toBe('lapped');
    expect(reader.read(1, frame)).toBe('ok');
    expect(reader.positionSamples).toBe(CAPACITY_SAMPLES);
  });

  it('knows its rate and capacity on both sides', () => {
    const { writer, reader } = makeTape();
    expect(writer.rateHz).toBe(8000);
    expect(reader.rateHz).toBe(8000);
    expect(reader.capacitySamples).toBe(CAPACITY_SAMPLES);
  });

  it('answers the same after its position has been once around', () => {
    const { handle, write, reader, frame } = makeTape();
    write(CAPACITY_SAMPLES);
    // 2^31 samples later, where a comparison with the start position would turn over.
    const words = new Int32Array(handle.buffer);
    words[TAPE_WORD.head] = 2 ** 31;
    words[TAPE_WORD.claimed] = 2 ** 31;
    write(160);
    expect(reader.read(2 ** 31, frame)).toBe('ok');
    expect(countWrong(frame, frame.length, 2 ** 31)).toBe(0);
    expect(reader.oldestPositionSamples).toBe(2 ** 31 + 160 - CAPACITY_SAMPLES);
  });
});
