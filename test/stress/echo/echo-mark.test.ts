/** Marks come back as they were written, or are no marks. */
import { describe, expect, it } from 'vitest';
import { decodeUlaw, encodeUlaw, g711Codec } from '../../../src/audio/g711.ts';
import { FRAME_BYTES, MAX_LINES, NO_MARK, readMark, writeMark } from '../../../src/stress/echo/echo-mark.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

/** Quieter packets may be left out by a jitter buffer that holds too much. */
const LEFT_OUT_PEAK = 256;

function marked(frame: number, line: number): Uint8Array {
  const payload = new Uint8Array(FRAME_BYTES);
  writeMark(payload, frame, line);
  return payload;
}

describe('a mark', () => {
  it.each([
    [0, 0],
    [1, 7],
    [0xab_cd_ef, MAX_LINES - 1],
    [2 ** 24 - 1, 1234],
  ])('of frame %i on line %i is read again, wherever it lies', (frame, line) => {
    const datagram = new Uint8Array(12 + FRAME_BYTES + 3);
    datagram.set(marked(frame, line), 12);
    expect(readMark(datagram, 12, 12 + FRAME_BYTES, line)).toBe(frame);
  });

  it.each(['ulaw', 'alaw'] as const)('survives decoding and encoding as %s, and is loud', (law) => {
    const codec = g711Codec(law);
    const payload = marked(123_456, 78);
    const samples = new Int16Array(FRAME_BYTES);
    codec.decode(payload, samples, FRAME_BYTES);
    const again = new Uint8Array(FRAME_BYTES);
    codec.encode(samples, again, FRAME_BYTES);
    expect(again).toEqual(payload);
    if (law === 'ulaw') expect(Math.min(...samples.map(Math.abs))).toBeGreaterThan(LEFT_OUT_PEAK);
  });

  it('of another line, length or content is none', () => {
    const payload = marked(5, 6);
    expect(readMark(payload, 0, FRAME_BYTES, 7)).toBe(NO_MARK);
    expect(readMark(payload, 0, FRAME_BYTES - 1, 6)).toBe(NO_MARK);
    expect(readMark(new Uint8Array(FRAME_BYTES).fill(0xff), 0, FRAME_BYTES, 6)).toBe(NO_MARK);
  });

  it('is none when any one byte was changed', () => {
    const random = new SeededRandom(printedSeed('one byte of a mark'));
    for (let at = 0; at < FRAME_BYTES; at += 1) {
      const payload = marked(4321, 99);
      payload[at] = (payload[at]! + 1 + Math.floor(random.next() * 255)) & 0xff;
      expect(readMark(payload, 0, FRAME_BYTES, 99), `byte ${at}`).toBe(NO_MARK);
    }
  });

  it('is none when it went through concealment', () => {
    const samples = new Int16Array(FRAME_BYTES);
    decodeUlaw(marked(9, 9), samples, FRAME_BYTES);
    const faded = samples.map((sample) => sample * 0.8);
    const payload = new Uint8Array(FRAME_BYTES);
    encodeUlaw(faded, payload, FRAME_BYTES);
    expect(readMark(payload, 0, FRAME_BYTES, 9)).toBe(NO_MARK);
  });
});
