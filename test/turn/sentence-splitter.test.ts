import { describe, expect, test } from 'vitest';
import {
  DEFAULT_SENTENCE_SPLITTER,
  SentenceSplitter,
  type SentenceSplitterOptions,
} from '../../src/turn/sentence-splitter.ts';

/** All at once; no early clause unless asked for. */
function split(text: string, options: Partial<SentenceSplitterOptions> = {}): string[] {
  const splitter = new SentenceSplitter({
    ...DEFAULT_SENTENCE_SPLITTER,
    firstClauseAfterChars: 10_000,
    ...options,
  });
  return [...splitter.push(text), ...splitter.flush()].map((sentence) => sentence.trim());
}

describe('sentence ends', () => {
  test.each([
    ['Hello. How are you? Fine! Bye', ['Hello.', 'How are you?', 'Fine!', 'Bye']],
    ['Dr. Smith will see you. Mr. Jones too.', ['Dr. Smith will see you.', 'Mr. Jones too.']],
    ['We open at 7.30 and close at 10. Come in.', ['We open at 7.30 and close at 10.', 'Come in.']],
    ['Some fruit, e.g. apples, is left. Take it.', ['Some fruit, e.g. apples, is left.', 'Take it.']],
    ['At 7 p.m. we close. Bye.', ['At 7 p.m. we close.', 'Bye.']],
    ['We close at 7 p.m. Come early.', ['We close at 7 p.m.', 'Come early.']],
    ['J. R. Smith is in. OK.', ['J. R. Smith is in.', 'OK.']],
    ['So do I. You too.', ['So do I.', 'You too.']],
    ['Wait... what? Yes.', ['Wait... what?', 'Yes.']],
    ['Wait... What? Yes.', ['Wait...', 'What?', 'Yes.']],
    ['Well… let me see. Here.', ['Well… let me see.', 'Here.']],
    ['She said "Stop." Then she left.', ['She said "Stop."', 'Then she left.']],
    ['Really?! Yes (it is.) Good.', ['Really?!', 'Yes (it is.)', 'Good.']],
    ['1. Milk\n2. Bread\n', ['1. Milk', '2. Bread']],
    ['First line\nsecond line', ['First line', 'second line']],
    ['Apples, pears, etc. are here. Take one.', ['Apples, pears, etc. are here.', 'Take one.']],
    ['It costs 5. We take cards.', ['It costs 5.', 'We take cards.']],
    [
      'Version 2.0.1 is out. Get it at example.com now.',
      ['Version 2.0.1 is out.', 'Get it at example.com now.'],
    ],
    ['你好。今天天气很好！再见', ['你好。', '今天天气很好！', '再见']],
    ['', []],
    [' \n ', []],
    ['...', ['...']],
  ])('%j', (text, sentences) => {
    expect(split(text)).toEqual(sentences);
  });
});

describe('streaming', () => {
  test('a sentence comes as soon as the next word begins', () => {
    const splitter = new SentenceSplitter();
    expect(splitter.push('Hel')).toEqual([]);
    expect(splitter.push('lo.')).toEqual([]);
    expect(splitter.push(' How')).toEqual(['Hello. ']);
    expect(splitter.push(' are you?')).toEqual([]);
    expect(splitter.flush()).toEqual(['How are you?']);
    expect(splitter.flush()).toEqual([]);
  });

  test('an abbreviation waits for the word behind it', () => {
    const splitter = new SentenceSplitter();
    expect(splitter.push('We close at 7 p.m. ')).toEqual([]);
    expect(splitter.push('C')).toEqual(['We close at 7 p.m. ']);
  });

  test('a number cut in two by the stream stays whole', () => {
    const splitter = new SentenceSplitter();
    expect([...splitter.push('It is 7.'), ...splitter.push('30 now. '), ...splitter.flush()]).toEqual([
      'It is 7.30 now. ',
    ]);
  });

  test('after flush the next reply begins anew', () => {
    const splitter = new SentenceSplitter();
    splitter.push('Only this');
    splitter.flush();
    const long = 'I can certainly book that table for you, and I will send a message as well';
    expect(splitter.push(`${long} `)).toEqual(['I can certainly book that table for you, ']);
  });
});

describe('the first clause', () => {
  const long =
    'Well, yes of course I can do that for you, just tell me the day and the hour. Then we go on, of course, as ever.';

  test('is spoken early when the first sentence is long, the others are left whole', () => {
    const splitter = new SentenceSplitter();
    const pieces = [...splitter.push(long), ...splitter.flush()];
    expect(pieces[0]).toBe('Well, yes of course I can do that for you, just tell me the day and the hour. ');
    const streamed = new SentenceSplitter();
    const parts = [...long].flatMap((char) => streamed.push(char));
    expect(parts[0]).toBe('Well, yes of course I can do that for you, ');
    expect(parts[1]).toBe('just tell me the day and the hour. ');
    expect([...parts, ...streamed.flush()]).toHaveLength(3);
  });

  test('a thousands separator is no clause end', () => {
    const splitter = new SentenceSplitter();
    expect(splitter.push('The price of this very good house is 1,250,000 dollars and')).toEqual([]);
  });
});

describe('length', () => {
  test('a text without an end is cut at a clause, else between words, else anywhere', () => {
    const words = Array.from({ length: 200 }, (_, index) => `word${index}`).join(' ');
    const commas = words.replaceAll('0 ', '0, ');
    const solid = 'x'.repeat(1000);
    for (const text of [words, commas, solid, '\u{1F600}'.repeat(400)]) {
      const splitter = new SentenceSplitter();
      const pieces = [...splitter.push(text), ...splitter.flush()];
      expect(pieces.join('')).toBe(text);
      for (const piece of pieces) {
        expect(piece.length).toBeLessThanOrEqual(DEFAULT_SENTENCE_SPLITTER.maxChars + 1);
        expect(piece.isWellFormed()).toBe(true);
      }
    }
    expect(
      split(commas, { maxChars: 100 })
        .slice(0, -1)
        .every((piece) => piece.endsWith(',')),
    ).toBe(true);
  });
});

function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const PIECES = [
  ...[
    'Hello',
    ' ',
    ' ',
    ' ',
    '.',
    '. ',
    '! ',
    '?',
    '…',
    '...',
    ',',
    ', ',
    '; ',
    '\n',
    '\n\n',
    '\t',
    'Dr.',
    'p.m.',
  ],
  ...[
    'e.g.',
    '7.30',
    '1.',
    '"',
    '”',
    ')',
    '(',
    'I',
    'ß',
    '\u{1F600}',
    '。',
    'word word word',
    '—',
    '-',
    '\u00a0',
  ],
  ...['supercalifragilistic', 'x'.repeat(90)],
];

test('nothing is lost, added or reordered, however the text is cut up', () => {
  const baseSeed = 20_261_120;
  for (let round = 0; round < 2000; round += 1) {
    const random = seededRandom(baseSeed + round);
    const splitter = new SentenceSplitter({
      firstClauseAfterChars: Math.floor(80 * random()),
      firstClauseMinChars: Math.floor(40 * random()),
      maxChars: 1 + Math.floor(120 * random()),
    });
    const text = Array.from({ length: Math.floor(60 * random()) }, () => {
      return PIECES[Math.floor(random() * PIECES.length)]!;
    }).join('');
    const pieces: string[] = [];
    for (let at = 0; at < text.length; ) {
      const end = at + 1 + Math.floor(12 * random());
      pieces.push(...splitter.push(text.slice(at, end)));
      at = end;
    }
    pieces.push(...splitter.flush());
    const joined = pieces.join('');
    expect(joined + text.slice(joined.length), `seed ${baseSeed + round}`).toBe(text);
    expect(text.slice(joined.length).trim(), `seed ${baseSeed + round}`).toBe('');
    for (const piece of pieces) expect(piece.trim(), `seed ${baseSeed + round}`).not.toBe('');
  }
});
