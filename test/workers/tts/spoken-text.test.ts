/** Text normalisation: every number a word, nothing that cannot be spoken, no input that throws. */
import { describe, expect, it } from 'vitest';
import { cardinalWords, digitWords, ordinalWords, yearWords } from '../../../src/workers/tts/number-words.ts';
import { spokenText } from '../../../src/workers/tts/spoken-text.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

/** For what takes some ms. */
const HANG_MS = 10_000;

describe('number words', () => {
  it.each([
    [0, 'zero'],
    [13, 'thirteen'],
    [40, 'forty'],
    [99, 'ninety nine'],
    [100, 'one hundred'],
    [101, 'one hundred and one'],
    [1000, 'one thousand'],
    [1001, 'one thousand and one'],
    [1_234_567, 'one million two hundred and thirty four thousand five hundred and sixty seven'],
    [999_999_999_999, /^nine hundred and ninety nine billion .* ninety nine$/],
  ])('cardinal %i', (value, words) => {
    expect(cardinalWords(value)).toMatch(words);
  });

  it.each([
    [1, 'first'],
    [12, 'twelfth'],
    [20, 'twentieth'],
    [22, 'twenty second'],
    [100, 'one hundredth'],
    [15, 'fifteenth'],
  ])('ordinal %i', (value, words) => {
    expect(ordinalWords(value)).toBe(words);
  });

  it.each([
    [1984, 'nineteen eighty four'],
    [1905, 'nineteen oh five'],
    [1900, 'nineteen hundred'],
    [2000, 'two thousand'],
    [2005, 'two thousand five'],
    [2026, 'twenty twenty six'],
  ])('year %i', (value, words) => {
    expect(yearWords(value)).toBe(words);
  });

  it('digits one by one', () => {
    expect(digitWords('0-12 5')).toBe('zero one two five');
  });
});

describe('spoken text', () => {
  it.each([
    ['Hello 😀 world', 'Hello world'],
    ['👨‍👩‍👧 👍🏽 🇬🇧 5️⃣', 'five'],
    ['Your number is 555-0123.', 'Your number is five five five, zero one two three.'],
    ['+1 (555) 010-2233', 'plus one, five five five, zero one zero, two two three three'],
    ['Ring 5550123 now', 'Ring five five five, zero one two three now'],
    [
      '$5.50, £1 and €1,200.05',
      'five dollars and fifty cents, one pound and one thousand two hundred euros and five cents',
    ],
    ['$3 million', 'three million dollars'],
    ['At 7:30pm or 19:05 or 7:00.', "At seven thirty p m or nineteen oh five or seven o'clock."],
    ['9:05 a.m. today', 'nine oh five a m today'],
    ['We close at 7 pm.', 'We close at seven p m.'],
    ['3.14 and .5', 'three point one four and zero point five'],
    ['3.1415926535', 'three point one four one five nine two six five three five'],
    ['1,234,567 of 1500000', /^one million two hundred .* sixty seven of one million five hundred thousand$/],
    ['code 00123', 'code zero zero one two three'],
    ['order 90211', 'order nine zero two one one'],
    ['25000 people', 'twenty five thousand people'],
    ['the 1980s, the 22nd', 'the nineteen eighties, the twenty second'],
    ['3-4 people at -5°', 'three to four people at minus five degrees'],
    ['50% & 20 °C', 'fifty percent and twenty degrees Celsius'],
    ['2½ cups, ¼ pint, 24/7', 'two and a half cups, a quarter pint, twenty four seven'],
    ['<speak>Hi <break time="1s"/>there &amp; you</speak>', 'Hi there and you'],
    ['**Bold**, `code` and # 5', 'Bold, code and number five'],
    ['me@example.com', 'me at example.com'],
    ['１２ full width', 'twelve full width'],
    ['It costs $1. Then', 'It costs one dollar. Then'],
    ['lone \ud800 surrogate', 'lone surrogate'],
    ['你好', '你好'],
  ])('%s', (written, spoken) => {
    expect(spokenText(written)).toMatch(typeof spoken === 'string' ? exactly(spoken) : spoken);
  });

  it.each(['', '   ', '...', '😀😀', '<break/>', '"—"', '\u0000\u200d', '?!'])(
    'nothing to say in %j',
    (written) => {
      expect(spokenText(written)).toBe('');
    },
  );

  it('leaves no digit and no markup, and is done after one pass, whatever the text', () => {
    const random = new SeededRandom(printedSeed('spoken text'));
    for (let turn = 0; turn < 2000; turn++) {
      const spoken = spokenText(anyText(random));
      expect(spoken).not.toMatch(/[0-9<>{}*_#]/);
      expect(spokenText(spoken)).toBe(spoken);
    }
  });

  it('takes a long run of anything without a hang', () => {
    for (const unit of [
      '1',
      '1 ',
      '-',
      '.',
      '<',
      '$1,',
      'a@',
      ':',
      '(1) ',
      '😀',
      ' ',
      '\n',
      '&',
      '1.',
      'a.',
    ]) {
      const startedAtMs = performance.now();
      spokenText(unit.repeat(100_000 / unit.length));
      expect(performance.now() - startedAtMs, unit).toBeLessThan(HANG_MS);
    }
  });
});

const UNITS = [
  'word',
  '1',
  '23',
  '4567',
  '00',
  '.',
  ',',
  ':',
  '-',
  ' ',
  '$',
  '%',
  '/',
  '(',
  ')',
  '+',
  '&',
  '<b>',
  '😀',
  'pm',
  'th',
  '½',
  '\n',
  'é',
  '中',
];

function anyText(random: SeededRandom): string {
  return Array.from({ length: random.integer(0, 24) }, () => random.pick(UNITS)).join('');
}

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}
