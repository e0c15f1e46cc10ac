/**
 * Finds a sentence inside a transcript that has errors: words replaced, missing, added, a beginning or an end cut off.
 * The sentence may have gaps (a day, a name, digits) that are read off the transcript. Pure.
 */

/** What fills a gap from a certain word on. */
export interface GapSpan {
  /** Words of the transcript. */
  readonly words: number;
  readonly cost: number;
  /** Null: something stands there, but nothing known. */
  readonly value: string | null;
}

export interface Gap {
  readonly name: string;
  /** Everything that may fill it from `words[at]` on. */
  readonly spans: (words: readonly string[], at: number) => readonly GapSpan[];
}

/** Words and gaps. */
export type Pattern = readonly (string | Gap)[];

export interface Match {
  /** First word, and the word after the last. */
  readonly start: number;
  readonly end: number;
  /** Edits that lead from the pattern to these words. */
  readonly cost: number;
  /** Words of the transcript that the pattern accounts for. */
  readonly matched: number;
  /** By the gap's name; null when nothing known stands there, absent when it was cut off. */
  readonly values: Readonly<Record<string, string | null>>;
}

export interface MatchOptions {
  /** The transcript may stop before the sentence does. Default false: it may, at a small cost. */
  readonly isPartial?: boolean;
}

interface Cell {
  readonly cost: number;
  readonly matched: number;
  readonly start: number;
  readonly values: Readonly<Record<string, string | null>>;
}

const EDIT = 1;
/** A word that looks like the right one. */
const NEAR_WORD = 0.4;
const NEAR_SIMILARITY = 0.6;
/** A word of the pattern beyond the ends of the transcript. */
const CUT_OFF = 0.3;
const CUT_OFF_PARTIAL = 0.02;

/** The cheapest match for each word at which one can end; a match has at least one word. */
export function matchesOf(pattern: Pattern, words: readonly string[], options: MatchOptions = {}): Match[] {
  let row: (Cell | null)[] = words.map((_, start) => emptyCell(start));
  row.push(emptyCell(words.length));
  const cutOffCost = options.isPartial === true ? CUT_OFF_PARTIAL : CUT_OFF;
  let cutOff: Cell | null = null; // the pattern so far fits up to the end of the transcript, the rest is missing
  for (const token of pattern) {
    row = typeof token === 'string' ? afterWord(token, row, words) : afterGap(token, row, words);
    cutOff = cheaper(row[words.length] ?? null, cutOff === null ? null : plus(cutOff, cutOffCost));
  }
  row[words.length] = cheaper(row[words.length] ?? null, cutOff);
  return row.flatMap((cell, end) => (cell === null || cell.matched === 0 ? [] : [{ ...cell, end }]));
}

/** 1 for equal words, 0 for words without anything in common; by Levenshtein distance. */
export function similarity(first: string, second: string): number {
  if (first === second) return 1;
  let row = Array.from({ length: second.length + 1 }, (_, i) => i);
  for (let i = 1; i <= first.length; i++) {
    const next = [i];
    for (let j = 1; j <= second.length; j++) {
      const replaced = row[j - 1]! + (first[i - 1] === second[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return 1 - row[second.length]! / Math.max(first.length, second.length, 1);
}

function emptyCell(start: number): Cell {
  return { cost: 0, matched: 0, start, values: {} };
}

function afterWord(token: string, row: readonly (Cell | null)[], words: readonly string[]): (Cell | null)[] {
  const next: (Cell | null)[] = [];
  for (let end = 0; end <= words.length; end++) {
    const isAtStart = row[end]?.start === 0 && row[end]?.matched === 0;
    let best = plus(row[end] ?? null, isAtStart ? CUT_OFF : EDIT);
    if (end > 0) {
      const cost = replacementCost(token, words[end - 1]!);
      best = cheaper(best, plus(row[end - 1] ?? null, cost, cost < EDIT ? 1 : 0));
      best = cheaper(best, plus(next[end - 1] ?? null, EDIT));
    }
    next.push(best);
  }
  return next;
}

function afterGap(gap: Gap, row: readonly (Cell | null)[], words: readonly string[]): (Cell | null)[] {
  const next: (Cell | null)[] = row.map((cell) => {
    const isAtStart = cell?.start === 0 && cell.matched === 0;
    return plus(cell, isAtStart ? CUT_OFF : EDIT);
  });
  for (const [at, cell] of row.entries()) {
    if (cell === null) continue;
    for (const span of gap.spans(words, at)) {
      const filled = plus(cell, span.cost, span.words, { [gap.name]: span.value });
      const end = at + span.words;
      if (end <= words.length) next[end] = cheaper(next[end] ?? null, filled);
    }
  }
  return next;
}

function replacementCost(token: string, word: string): number {
  if (token === word) return 0;
  return similarity(token, word) >= NEAR_SIMILARITY ? NEAR_WORD : EDIT;
}

function plus(cell: Cell | null, cost: number, matched = 0, values?: Cell['values']): Cell | null {
  if (cell === null) return null;
  return {
    cost: cell.cost + cost,
    matched: cell.matched + matched,
    start: cell.start,
    values: values === undefined ? cell.values : { ...cell.values, ...values },
  };
}

function cheaper(first: Cell | null, second: Cell | null): Cell | null {
  if (first === null || second === null) return first ?? second;
  if (first.cost !== second.cost) return first.cost < second.cost ? first : second;
  return first.matched >= second.matched ? first : second;
}
