/** How the caller understands what it hears: cut at pauses, transcribed piece by piece, compared with patterns. */
import { describe, expect, it } from 'vitest';
import { cutAtPauses, meetsExpectations, understand } from '../../src/caller/ear.ts';
import { joined, silence, tone } from './tones.ts';

const RATE_HZ = 8000;

describe('cutting at pauses', () => {
  it('leaves a short stretch whole', () => {
    const audio = joined(tone(2000), silence(500), tone(2000));
    expect(cutAtPauses(audio)).toEqual([audio]);
  });

  it('cuts a long stretch in a pause, once a piece is long enough, and loses nothing', () => {
    const audio = joined(tone(3000), silence(300), tone(3000), silence(300), tone(3000));
    const pieces = cutAtPauses(audio);
    expect(joined(...pieces)).toEqual(audio);
    expect(pieces).toHaveLength(2);
    expect((pieces[0]?.length ?? 0) / RATE_HZ).toBeCloseTo(6.38, 2);
  });

  it('cuts hard where there is no pause, so that no piece is longer than the window', () => {
    const audio = tone(25_000);
    const pieces = cutAtPauses(audio);
    expect(pieces.map(({ length }) => length / RATE_HZ)).toEqual([9, 9, 7]);
    expect(joined(...pieces)).toEqual(audio);
  });

  it('leaves out pieces in which nobody speaks', () => {
    expect(cutAtPauses(silence(3000))).toEqual([]);
    expect(cutAtPauses(new Int16Array(0))).toEqual([]);
    expect(cutAtPauses(joined(tone(8900), silence(9000)))).toHaveLength(1);
  });
});

describe('understanding', () => {
  it('joins what each piece holds, in order, without empty ones', async () => {
    const texts = [' one ', '', 'three'];
    const heard = await understand(tone(25_000), async (_samples, rateHz) => {
      expect(rateHz).toBe(RATE_HZ);
      return texts.shift() ?? '';
    });
    expect(heard).toBe('one three');
  });
});

describe('expectations', () => {
  it.each([
    ['We open at NOON!', ['noon'], true],
    ['We open at noon, and close at ten.', ['noon', 'ten'], true],
    ['We open at noon.', ['noon', 'ten'], false],
    ['noon; ten', ['noon ten'], true],
    ["o'clock", ["o'clock"], true],
    ['Goodbye!', ['^goodbye$'], true],
    ['für zwei', ['für zwei'], true],
    ['seventeen', ['^seven'], true],
    ['seventeen', ['\\bseven\\b'], false],
    ['anything', [], true],
    ['', ['.'], false],
  ])('"%s" against %j: %s', (text, expectations, isMet) => {
    expect(meetsExpectations(text, expectations)).toBe(isMet);
  });
});
