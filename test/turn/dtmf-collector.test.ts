import { describe, expect, test } from 'vitest';
import { DtmfCollector, spellDigits } from '../../src/turn/dtmf-collector.ts';

const CONFIG = { interDigitMs: 2000, maxDigits: 4, isSingleDigit: false };

describe('key presses', () => {
  test('# ends the entry and is not part of it', () => {
    const collector = new DtmfCollector(CONFIG);
    expect(collector.push('4', 0)).toEqual({ kind: 'collecting' });
    expect(collector.push('2', 100)).toEqual({ kind: 'collecting' });
    expect(collector.push('#', 200)).toEqual({ kind: 'entered', digits: '42', text: 'four two' });
    expect(collector.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test('the pause counts from the last key', () => {
    const collector = new DtmfCollector(CONFIG);
    collector.push('1', 0);
    collector.push('0', 1500);
    expect(collector.deadlineMs).toBe(3500);
    expect(collector.tick(3499)).toEqual({ kind: 'collecting' });
    expect(collector.tick(3500)).toEqual({ kind: 'entered', digits: '10', text: 'one zero' });
    expect(collector.tick(9999)).toEqual({ kind: 'collecting' });
  });

  test('* clears; # alone enters nothing', () => {
    const collector = new DtmfCollector(CONFIG);
    collector.push('1', 0);
    expect(collector.push('*', 1)).toEqual({ kind: 'cleared' });
    expect(collector.push('#', 2)).toEqual({ kind: 'cleared' });
  });

  test('the longest entry needs no #', () => {
    const collector = new DtmfCollector(CONFIG);
    for (const digit of '123') collector.push(digit, 0);
    expect(collector.push('4', 0)).toMatchObject({ kind: 'entered', digits: '1234' });
  });

  test('a single key at once, in menus', () => {
    const collector = new DtmfCollector({ ...CONFIG, isSingleDigit: true });
    expect(collector.push('7', 0)).toMatchObject({ text: 'seven' });
  });

  test.each(['A', 'D', '', '12', 'constructor', ' '])('%j is ignored', (key) => {
    const collector = new DtmfCollector(CONFIG);
    expect(collector.push(key, 0)).toEqual({ kind: 'ignored' });
    expect(collector.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test('all digits have a word', () => {
    expect(spellDigits('0123456789')).toBe('zero one two three four five six seven eight nine');
  });
});
