/** Cutting: nothing is lost, nothing is too long, the first piece is short exactly when the engine is slow. */
import { describe, expect, it } from 'vitest';
import { cutPhonemes } from '../../../src/workers/tts/phoneme-limit.ts';
import {
  cutIntoPieces,
  LONGEST_PIECE_CHARACTERS,
  LONGEST_REST_MS,
  pieceLimits,
  SHORTEST_PIECE_CHARACTERS,
} from '../../../src/workers/tts/speech-pieces.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

/** For what takes some ms. */
const HANG_MS = 10_000;
const FAST = pieceLimits(0.005);
const SLOW = pieceLimits(0.5);
const LONG_SENTENCE =
  'Your table for four is booked for Thursday at seven, under the name Baker, and we will keep it for a quarter of an hour.';

describe('pieces of a sentence', () => {
  it('a short sentence is spoken whole by a fast engine', () => {
    expect(cutIntoPieces('Yes, of course, madam.', FAST)).toEqual([
      { text: 'Yes, of course, madam.', ending: 'sentence' },
    ]);
  });

  it('a slow engine starts with the first clause', () => {
    expect(cutIntoPieces(LONG_SENTENCE, SLOW).map(({ text }) => text)[0]).toBe(
      'Your table for four is booked for Thursday at seven,',
    );
  });

  it('a very short clause waits for the next', () => {
    const [first] = cutIntoPieces('Hello, this is the automatic assistant, at your service.', SLOW);
    expect(first).toEqual({ text: 'Hello, this is the automatic assistant,', ending: 'clause' });
  });

  it('a sentence without a full stop ends like one all the same, one cut off at a comma does not', () => {
    expect(cutIntoPieces('no full stop', FAST)).toMatchObject([{ ending: 'sentence' }]);
    expect(cutIntoPieces('to be continued,', FAST)).toMatchObject([{ ending: 'clause' }]);
  });

  it('no cut behind a title', () => {
    expect(cutIntoPieces('Dr. Smith is here.', SLOW)).toHaveLength(1);
  });

  it('later pieces may be longer than the first: they are made while it plays', () => {
    const text = Array.from({ length: 12 }, () => 'some words of a clause,').join(' ');
    const lengths = cutIntoPieces(text, SLOW).map((piece) => piece.text.length);
    expect(lengths[0]).toBeLessThan(lengths[2] as number);
  });

  it.each(['', ' ', '...', '?!', ' , , '])('no pieces of %j', (text) => {
    expect(cutIntoPieces(text, FAST)).toEqual([]);
  });

  it('text without any punctuation or space is cut all the same, between characters', () => {
    for (const unit of ['x', '中', '𝔘']) {
      const pieces = cutIntoPieces(unit.repeat(1000), SLOW);
      expect(pieces.map(({ text }) => text).join('')).toBe(unit.repeat(1000));
      expect(pieces.every(({ text }) => text.isWellFormed())).toBe(true);
    }
  });

  it('holds every word in order and keeps the limits, whatever the text', () => {
    const random = new SeededRandom(printedSeed('pieces'));
    for (let turn = 0; turn < 1000; turn++) {
      const text = anyText(random);
      const limits = pieceLimits(random.next());
      const pieces = cutIntoPieces(text, limits);
      expect(wordsOf(pieces.map((piece) => piece.text).join(' '))).toEqual(wordsOf(text));
      for (const piece of pieces) expect(piece.text.length).toBeLessThanOrEqual(LONGEST_PIECE_CHARACTERS + 1);
    }
  });

  it('limits: faster engines get longer first pieces and grow more', () => {
    expect(FAST.firstCharacters).toBeGreaterThan(SLOW.firstCharacters);
    expect(FAST.growth).toBeGreaterThan(SLOW.growth);
    expect(pieceLimits(1000).firstCharacters).toBe(SHORTEST_PIECE_CHARACTERS);
    expect(pieceLimits(0)).toMatchObject({ firstCharacters: LONGEST_PIECE_CHARACTERS, growth: 8 });
  });

  it('does not speak a clause ahead of one that comes much too late', () => {
    const text = `Certainly, ${'word '.repeat(12)}and so on.`;
    expect(cutIntoPieces(text, pieceLimits(0.1))).toHaveLength(2);
    expect(cutIntoPieces(text, pieceLimits(0.5))).toHaveLength(1);
  });

  it('takes a clause back when what follows it has become too long for it', () => {
    const limits = pieceLimits(0.5);
    const [before, between] = ['word word;', 'word word word.'];
    const after = `${'word '.repeat(10).trim()},`;
    expect(cutIntoPieces(`${before} ${between}`, limits)).toHaveLength(2);
    expect(cutIntoPieces(`${before} ${between} ${after}`, limits)).toHaveLength(1);
  });

  it('pieces arrive before the ones before them are played, or a rest later', () => {
    const random = new SeededRandom(printedSeed('in time'));
    for (let turn = 0; turn < 20_000; turn++) {
      const realTimeFactor = 0.02 + 0.5 * random.next();
      const clause = () => `${'word '.repeat(random.integer(1, 8)).trim()}${random.pick([',', '.', ';'])}`;
      const text = Array.from({ length: random.integer(1, 8) }, clause).join(' ');
      const latestMs = longestSilenceMs(text, realTimeFactor);
      if (latestMs > LONGEST_REST_MS) expect(latestMs, text).toBeLessThanOrEqual(LONGEST_REST_MS);
    }
  });

  it('takes long input without a hang', () => {
    for (const unit of ['.', 'x', ' ', 'x ', '. ', ', x', '"', '..x']) {
      const startedAtMs = performance.now();
      cutIntoPieces(unit.repeat(50_000 / unit.length), SLOW);
      expect(performance.now() - startedAtMs, unit).toBeLessThan(HANG_MS);
    }
  });
});

describe('phonemes beyond the model input', () => {
  it('short strings stay whole', () => {
    expect(cutPhonemes('həlˈoʊ.', 510)).toEqual(['həlˈoʊ.']);
    expect(cutPhonemes('', 510)).toEqual([]);
  });

  it('cuts at a sentence rather than at a comma, at a comma rather than at a word', () => {
    expect(cutPhonemes('aaa, bbb. ccc, ddd', 12)).toEqual(['aaa, bbb.', 'ccc, ddd']);
    expect(cutPhonemes('aaa, bbb ccc ddd', 9)).toEqual(['aaa, bbb', 'ccc ddd']);
    expect(cutPhonemes('aaaaaa, bbb ccc', 12)).toEqual(['aaaaaa,', 'bbb ccc']);
  });

  it('loses nothing and keeps the limit, whatever the phonemes', () => {
    const random = new SeededRandom(printedSeed('phonemes'));
    for (let turn = 0; turn < 500; turn++) {
      const phonemes = anyText(random);
      const limit = random.integer(4, 60);
      const parts = cutPhonemes(phonemes, limit);
      expect(parts.join('').replace(/\s/g, '')).toBe(phonemes.replace(/\s/g, ''));
      for (const part of parts) expect(part.length).toBeLessThanOrEqual(limit);
    }
  });
});

/** Of the silences between the pieces of `text`, when each is made after the other. */
function longestSilenceMs(text: string, realTimeFactor: number): number {
  const msPerCharacter = 1000 / 15;
  const pieces = cutIntoPieces(text, pieceLimits(realTimeFactor));
  let [madeAtMs, playedUntilMs, longestMs] = [0, Number.POSITIVE_INFINITY, 0];
  for (const [i, piece] of pieces.entries()) {
    const lengthMs = piece.text.length * msPerCharacter;
    madeAtMs += realTimeFactor * lengthMs;
    if (i > 0) longestMs = Math.max(longestMs, madeAtMs - playedUntilMs);
    playedUntilMs = Math.max(madeAtMs, i === 0 ? madeAtMs : playedUntilMs) + lengthMs;
  }
  return longestMs;
}

function anyText(random: SeededRandom): string {
  const units = ['a', 'word', 'longerword', ' ', ' ', '. ', ', ', '! ', '; ', 'x.y', '"', ') '];
  return Array.from({ length: random.integer(0, 120) }, () => random.pick(units)).join('');
}

function wordsOf(text: string): string {
  return (text.match(/\p{L}/gu) ?? []).join('');
}
