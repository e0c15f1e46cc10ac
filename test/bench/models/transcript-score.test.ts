/** The scores of the models bench: word errors, facts, digits. */
import { describe, expect, it } from 'vitest';
import {
  coreOf,
  digitsIn,
  errorRate,
  factsHeard,
  standardErrorsAbove,
  wordErrors,
} from '../../../bench/models/transcript-score.ts';

describe('word errors', () => {
  it.each([
    ['nothing wrong', 'a table for two', 'a table for two', 0],
    ['a word replaced', 'a table for two', 'a table for four', 1],
    ['a word lost', 'a table for two', 'a table two', 1],
    ['a word invented', 'a table', 'a big table', 1],
    ['all lost', 'a table for two', '', 4],
    ['all replaced, and more', 'yes', 'no thank you', 3],
    ['a swap is two', 'on friday at seven', 'friday on at seven', 2],
  ])('%s', (_name, said, heard, errors) => {
    expect(wordErrors(said, heard)).toEqual({ errors, words: said.split(' ').length });
  });

  it('weighs long utterances by their words', () => {
    expect(
      errorRate([wordErrors('yes', 'no'), wordErrors('a table for two people', 'a table for two')]),
    ).toBe(2 / 6);
  });
});

describe('one error rate beside another', () => {
  it('is as many standard errors above as the number of words says', () => {
    const few = [{ errors: 12, words: 1000 }];
    const fewer = [{ errors: 4, words: 1000 }];
    expect(standardErrorsAbove(few, fewer)).toBeCloseTo(8 / Math.sqrt(16), 6);
    expect(standardErrorsAbove(fewer, few)).toBeCloseTo(-8 / Math.sqrt(16), 6);
    const manyWords = { few: [{ errors: 48, words: 4000 }], fewer: [{ errors: 16, words: 4000 }] };
    expect(standardErrorsAbove(manyWords.few, manyWords.fewer)).toBeCloseTo(4, 6);
  });

  it('is not above without errors, and unknown without words', () => {
    expect(standardErrorsAbove([{ errors: 0, words: 9 }], [{ errors: 0, words: 9 }])).toBe(0);
    expect(standardErrorsAbove([], [])).toBeNaN();
  });
});

describe('facts', () => {
  it.each([
    ['in any carrier', ['half past seven'], 'at half past seven please', [true]],
    ['broken up', ['half past seven'], 'half past the seven', [false]],
    ['one of two lost', ['two people', 'friday'], 'for two on friday', [false, true]],
    ['the same words twice', ['two', 'two'], 'two at two', [true, true]],
    ['the same words, heard once', ['two', 'two'], 'two at ten', [true, false]],
    ['nothing heard', ['baker'], '', [false]],
    ['part of a longer word', ['one'], 'someone', [false]],
  ])('%s', (_name, facts, heard, found) => {
    expect(factsHeard(facts, heard)).toEqual(found);
  });
});

it.each([
  ['next thursday', 'thursday'],
  ['six guests', 'six'],
  ['four of us', 'four'],
  ["seven o'clock in the evening", 'seven'],
  ['a quarter to ten pm', 'quarter to ten'],
  ['half past seven', 'half past seven'],
  ['me and my wife', 'me and my wife'],
  ['just the two of us', 'just the two'],
  ['baker', 'baker'],
])('the value in "%s" is "%s"', (fact, core) => {
  expect(coreOf(fact)).toBe(core);
});

it('reads digits, however zero is said', () => {
  expect(digitsIn("it's oh seven zero ten nine")).toEqual(['zero', 'seven', 'zero', 'nine']);
});
