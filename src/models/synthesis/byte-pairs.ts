/**
 * A byte-level BPE vocabulary of any size, made of letter groups in the order of their frequency in English: no model
 * learnt it, but text falls into about twice as many tokens as with the real one, and every token can be read out.
 * Pure. Source of the byte characters: GPT-2 encoder.py, `bytes_to_unicode`.
 */

export interface BytePairs {
  /** By id: the 256 bytes, then what the merges make. */
  readonly tokens: readonly string[];
  /** In order of rank. */
  readonly merges: readonly (readonly [string, string])[];
}

const LETTERS = [...'etaoinshrdlcumwfgypbvkjxqz'];
/** How GPT-2 writes the space in front of a word. */
const SPACE = 'Ġ';

/** @param size number of tokens, at least 256; @throws RangeError when letters do not suffice for it. */
export function makeBytePairs(size: number): BytePairs {
  const tokens = byteCharacters();
  const merges: (readonly [string, string])[] = [];
  for (const [one, other] of merged()) {
    if (tokens.length >= size) return { tokens: tokens.slice(0, size), merges };
    tokens.push(one + other);
    merges.push([one, other]);
  }
  throw new RangeError(`no vocabulary of ${size} tokens can be made`);
}

// Beginnings of words first: otherwise the letters behind the first would pair up without it.
function* merged(): Generator<readonly [string, string]> {
  const pairs = byRank(LETTERS);
  for (const letter of LETTERS) yield [SPACE, letter];
  for (const [one, other] of pairs) yield [SPACE + one, other];
  yield* pairs;
  for (const [head, tail] of byRank(pairs.map((pair) => pair.join('')))) {
    yield [SPACE + head, tail];
    yield [head, tail];
  }
}

/** All pairs of `parts`, those of two frequent parts first. */
function byRank(parts: readonly string[]): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let sum = 0; sum <= 2 * (parts.length - 1); sum++) {
    for (let one = Math.max(0, sum - parts.length + 1); one <= Math.min(sum, parts.length - 1); one++) {
      pairs.push([parts[one] as string, parts[sum - one] as string]);
    }
  }
  return pairs;
}

/** Printable bytes as themselves, in order, then the other 68 as the characters from U+0100 on. */
function byteCharacters(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const printable = bytes.filter(isPrintable).map((byte) => String.fromCodePoint(byte));
  const others = bytes.filter((byte) => !isPrintable(byte)).map((_, i) => String.fromCodePoint(0x100 + i));
  return [...printable, ...others];
}
