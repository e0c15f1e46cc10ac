/**
 * How far a transcript is from what was said: word errors, facts found again, phone numbers. Pure.
 * Word errors are Levenshtein's, by whole words, after plainWords (lower case, no punctuation); nothing else is
 * evened out, but in phone numbers "oh" and "zero" are one digit.
 */

export interface WordCount {
  readonly errors: number;
  readonly words: number;
}

/** Substitutions + deletions + insertions, and how many words were said. */
export function wordErrors(said: string, heard: string): WordCount {
  const wanted = wordsOf(said);
  const got = wordsOf(heard);
  let row = Array.from({ length: got.length + 1 }, (_, column) => column);
  wanted.forEach((word, index) => {
    const next = [index + 1];
    got.forEach((other, column) => {
      const replaced = row[column]! + (word === other ? 0 : 1);
      next.push(Math.min(replaced, row[column + 1]! + 1, next[column]! + 1));
    });
    row = next;
  });
  return { errors: row[got.length]!, words: wanted.length };
}

/** Errors per word said, over many utterances. @returns NaN when nothing was said */
export function errorRate(counts: readonly WordCount[]): number {
  return counts.reduce((sum, { errors }) => sum + errors, 0) / wordsIn(counts);
}

/**
 * How much higher the first error rate is than the second, in standard errors of their difference, were both counts of
 * errors Poisson's with the rate of all words together. Up to 1 is what chance alone does; errors that come several to a
 * sentence spread wider, so that this is rather strict. @returns 0 for equal rates, NaN when nothing was said
 */
export function standardErrorsAbove(counts: readonly WordCount[], others: readonly WordCount[]): number {
  const difference = errorRate(counts) - errorRate(others);
  const perWord = 1 / wordsIn(counts) + 1 / wordsIn(others);
  return difference === 0 ? 0 : difference / Math.sqrt(errorRate([...counts, ...others]) * perWord);
}

function wordsIn(counts: readonly WordCount[]): number {
  return counts.reduce((sum, { words }) => sum + words, 0);
}

/**
 * Which of the facts were heard: the words of each must stand side by side in the transcript, in the place of no
 * other fact. @param facts as spoken, in the order in which they were said: ["two people", "half past seven"]
 */
export function factsHeard(facts: readonly string[], heard: string): boolean[] {
  const got = wordsOf(heard);
  const isTaken = got.map(() => false);
  return facts.map((fact) => {
    const wanted = wordsOf(fact);
    const at = got.findIndex(
      (_, start) =>
        start + wanted.length <= got.length &&
        wanted.every((word, offset) => got[start + offset] === word && !isTaken[start + offset]),
    );
    if (at < 0) return false;
    isTaken.fill(true, at, at + wanted.length);
    return true;
  });
}

/**
 * The words of a fact that say its value: "next thursday" is thursday, "six guests" is six, "seven o'clock in the
 * evening" is seven. Whoever hears these has the fact, whatever else went wrong.
 */
export function coreOf(fact: string): string {
  const words = wordsOf(fact);
  const first = words.findIndex((word) => !NEUTRAL.has(word));
  const last = words.findLastIndex((word) => !NEUTRAL.has(word));
  return first < 0 ? fact : words.slice(first, last + 1).join(' ');
}

/** Around a value they change nothing (training/grammar/slots.py). */
const NEUTRAL = new Set(
  "a on this for next people persons person guests of us pm o'clock in the evening".split(' '),
);

/** Every digit word of a text in normal form, in order: "my number is oh seven" -> ["zero", "seven"]. */
export function digitsIn(text: string): string[] {
  return wordsOf(text)
    .map((word) => (word === 'oh' ? 'zero' : word))
    .filter((word) => DIGITS.has(word));
}

const DIGITS = new Set('zero one two three four five six seven eight nine'.split(' '));

function wordsOf(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}
