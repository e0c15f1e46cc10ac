/** Tokens to text that may be spoken: UTF-8, stop texts, hidden thoughts. */
import { describe, expect, it } from 'vitest';
import { ReplyFilter, type ReplyRules, TokenDecoder } from '../../../src/workers/llama/reply-text.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

const NO_RULES: ReplyRules = { stopTexts: [], hiddenSections: [], startsInside: null };

/** A vocabulary of single bytes, the worst case for UTF-8. */
function bytesToText(tokens: readonly number[]): string {
  return Buffer.from(tokens).toString('utf8');
}

function decodeBytes(bytes: Uint8Array): string[] {
  const decoder = new TokenDecoder((tokens) => bytesToText(tokens));
  return [...bytes].map((byte) => decoder.push(byte));
}

/** Pushes text in the given pieces and says what was spoken, and whether the reply was ended. */
function speak(rules: Partial<ReplyRules>, pieces: readonly string[]) {
  const filter = new ReplyFilter({ ...NO_RULES, ...rules });
  const spoken = pieces.map((piece) => filter.push(piece)).join('') + filter.flush();
  return { spoken, isStopped: filter.isStopped };
}

describe('TokenDecoder', () => {
  it('gives characters of several tokens only when they are whole', () => {
    const text = 'Café, 10 € – ja 👍🏽!';
    const pieces = decodeBytes(Buffer.from(text));
    expect(pieces.join('')).toBe(text);
    expect(pieces.every((piece) => !piece.includes('\uFFFD'))).toBe(true);
  });

  it('gives up on bytes that never become a character', () => {
    const pieces = decodeBytes(Uint8Array.from([0xe2, 0xe2, 0xe2, 0xe2, 0xe2, 0xe2, 0xe2, 0xe2, 0x41]));
    expect(pieces.join('').endsWith('A')).toBe(true);
  });

  it('shows the detokeniser the tokens before, for vocabularies that mark a space on the next word', () => {
    const words = ['hello', 'there', 'caller'];
    const seen: number[][] = [];
    const decoder = new TokenDecoder((tokens, recent) => {
      seen.push([...recent]);
      return (recent.length > 0 ? ' ' : '') + tokens.map((token) => words[token]).join(' ');
    });
    expect([0, 1, 2].map((token) => decoder.push(token)).join('')).toBe('hello there caller');
    expect(seen).toEqual([[], [0], [0, 1]]);
  });

  it('decodes random text whole (seeded)', () => {
    const random = new SeededRandom(printedSeed('TokenDecoder'));
    for (let round = 0; round < 200; round += 1) {
      const points = Array.from({ length: random.integer(1, 30) }, () =>
        random.pick([random.integer(32, 126), random.integer(0xa0, 0x7ff), random.integer(0x1f300, 0x1f5ff)]),
      );
      const text = String.fromCodePoint(...points);
      expect(decodeBytes(Buffer.from(text)).join('')).toBe(text);
    }
  });
});

describe('ReplyFilter', () => {
  const stops = { stopTexts: ['<|im_end|>', '### Human'] };

  it('speaks ordinary text at once', () => {
    const filter = new ReplyFilter({ ...NO_RULES, ...stops });
    expect(filter.push('Good ')).toBe('Good ');
    expect(filter.push('evening.')).toBe('evening.');
    expect(filter.flush()).toBe('');
  });

  it('ends before a stop text that comes in pieces', () => {
    expect(speak(stops, ['Good evening.<', '|im', '_end', '|>', 'more'])).toEqual({
      spoken: 'Good evening.',
      isStopped: true,
    });
  });

  it('speaks what only looked like a stop text', () => {
    expect(speak(stops, ['a <|im', 'portant> ', '### Hum', 'ble'])).toEqual({
      spoken: 'a <|important> ### Humble',
      isStopped: false,
    });
    expect(speak(stops, ['5 <'])).toEqual({ spoken: '5 <', isStopped: false });
  });

  it('takes thoughts out, also unfinished ones', () => {
    const thoughts = { hiddenSections: [{ open: '<think>', close: '</think>' }], ...stops };
    expect(speak(thoughts, ['<thi', 'nk>he wants </thi', 'nk>Yes.'])).toEqual({
      spoken: 'Yes.',
      isStopped: false,
    });
    expect(speak(thoughts, ['<think>', 'hmm <|im_end|>'])).toEqual({ spoken: '', isStopped: false });
    expect(speak(thoughts, ['<think>a</think>b<think>c</think>d'])).toEqual({
      spoken: 'bd',
      isStopped: false,
    });
  });

  it('knows templates that open the thought themselves', () => {
    expect(speak({ startsInside: '</think>' }, ['he wants', '</think>', 'Yes.']).spoken).toBe('Yes.');
  });

  it('answers the same however the text is cut (seeded)', () => {
    const random = new SeededRandom(printedSeed('ReplyFilter'));
    const rules = { stopTexts: ['<end>', 'User:'], hiddenSections: [{ open: '<t>', close: '</t>' }] };
    const words = ['<', 'end', '<end>', 'User', ':', '<t>', '</t>', 'a ', 'e', '>', '<t', '/'];
    for (let round = 0; round < 500; round += 1) {
      const text = Array.from({ length: random.integer(1, 12) }, () => random.pick(words)).join('');
      const pieces: string[] = [];
      for (let at = 0; at < text.length; ) {
        const length = random.integer(1, 4);
        pieces.push(text.slice(at, at + length));
        at += length;
      }
      expect(speak(rules, pieces)).toEqual(speak(rules, [text]));
    }
  });
});
