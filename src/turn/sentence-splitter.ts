/**
 * Cuts a streamed reply into sentences for the TTS, so that the first is spoken while the rest is still being
 * written. Thread: main. Pure. Walk "One turn": step 7.
 *
 * A sentence ends at . ! ? … (and their CJK forms) followed by white space, or at a line break; not after an
 * abbreviation, an initial, a list number, or before a word in small letters. Nothing is lost or reordered: the
 * pieces joined are the input, save for white space at the very end.
 */

export interface SentenceSplitterOptions {
  /** The first piece may end at a comma, once this much text waits without a sentence end ... */
  readonly firstClauseAfterChars: number;
  /** ... and if the clause itself has at least this much, since a very short one sounds chopped. */
  readonly firstClauseMinChars: number;
  /** No piece is longer; cut at a clause, else between words. Kokoro takes 510 phonemes. */
  readonly maxChars: number;
}

export const DEFAULT_SENTENCE_SPLITTER: SentenceSplitterOptions = {
  firstClauseAfterChars: 48,
  firstClauseMinChars: 20,
  maxChars: 240,
};

/** Abbreviations that never end a sentence: a name or number follows. */
const TITLES = new Set(
  'mr mrs ms mx dr prof st sr jr rev gen col sgt capt lt gov sen rep hon no nos vs fig vol approx dept est ext'.split(
    ' ',
  ),
);
/** Abbreviations that end a sentence only when a capital follows. */
const SOFT_ABBREVIATIONS = new Set('etc inc ltd corp co ave blvd rd apt am pm al'.split(' '));

const SENTENCE_END = /[.!?…。！？]+["'”’)\]»]*(?=\s)|[。！？]+["'”’)\]»]*|\n+/gu;
const CLAUSE_END = /[,;:—–]["'”’)\]»]*(?=\s)/gu;

/** One per reply. */
export class SentenceSplitter {
  readonly #options: SentenceSplitterOptions;
  #pending = '';
  #isFirst = true;

  constructor(options: SentenceSplitterOptions = DEFAULT_SENTENCE_SPLITTER) {
    this.#options = options;
  }

  /** Takes the next piece of the reply. @returns sentences that are complete, oldest first, often none */
  push(text: string): string[] {
    this.#pending += text;
    const sentences: string[] = [];
    for (let end = this.#nextEnd(); end > 0; end = this.#nextEnd()) sentences.push(this.#take(end));
    return sentences;
  }

  /** The reply is complete. @returns what is left; empty when that is only white space */
  flush(): string[] {
    const sentences: string[] = [];
    for (let end = this.#lastEnd(); end > 0; end = this.#lastEnd()) sentences.push(this.#take(end));
    this.#pending = '';
    this.#isFirst = true;
    return sentences;
  }

  #take(end: number): string {
    const sentence = this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end);
    this.#isFirst = false;
    return sentence;
  }

  /** Characters of the first complete piece, white space behind it included; 0 when there is none yet. */
  #nextEnd(): number {
    const sentenceEnd = findSentenceEnd(this.#pending, false);
    if (sentenceEnd > 0 && sentenceEnd <= this.#options.maxChars) return sentenceEnd;
    const clauseEnd = this.#isFirst ? this.#firstClauseEnd() : 0;
    if (clauseEnd > 0) return clauseEnd;
    return this.#pending.trimEnd().length > this.#options.maxChars ? this.#forcedEnd() : 0;
  }

  #lastEnd(): number {
    if (this.#pending.trim() === '') return 0;
    const sentenceEnd = findSentenceEnd(this.#pending, true);
    const wholeEnd = sentenceEnd > 0 ? sentenceEnd : this.#pending.length;
    return wholeEnd > this.#options.maxChars ? this.#forcedEnd() : wholeEnd;
  }

  #firstClauseEnd(): number {
    const { firstClauseAfterChars, firstClauseMinChars, maxChars } = this.#options;
    if (this.#pending.trim().length < firstClauseAfterChars) return 0;
    for (const match of this.#pending.matchAll(CLAUSE_END)) {
      const end = match.index + match[0].length;
      if (this.#pending.slice(0, end).trim().length >= firstClauseMinChars && end < maxChars) {
        return withWhiteSpace(this.#pending, end);
      }
    }
    return 0;
  }

  // The last clause end within the limit, else the last gap between words, else the limit itself.
  #forcedEnd(): number {
    const leading = this.#pending.length - this.#pending.trimStart().length;
    const head = this.#pending.slice(0, leading + this.#options.maxChars);
    const clause = [...head.matchAll(CLAUSE_END)].at(-1);
    if (clause !== undefined && clause.index * 2 > head.length) {
      return withWhiteSpace(head, clause.index + clause[0].length);
    }
    const gap = head.trimEnd().search(/\s\S*$/u);
    if (head.slice(0, gap + 1).trim() !== '') return gap + 1;
    return endsInsidePair(head) ? head.length + 1 : head.length;
  }
}

/** The sentences of a whole text, as they would come if it were streamed. */
export function splitSentences(text: string): string[] {
  const splitter = new SentenceSplitter();
  return [...splitter.push(text), ...splitter.flush()];
}

/** Characters up to the end of the first sentence, white space included; 0 when it may not be over yet. */
function findSentenceEnd(text: string, isComplete: boolean): number {
  for (const match of text.matchAll(SENTENCE_END)) {
    const end = match.index + match[0].length;
    if (text.slice(0, end).trim() === '') continue;
    const verdict = judgeEnd(text, match.index, end, isComplete);
    if (verdict === 'end') return withWhiteSpace(text, end);
    if (verdict === 'wait') return 0;
  }
  return 0;
}

function judgeEnd(text: string, at: number, end: number, isComplete: boolean): 'end' | 'inside' | 'wait' {
  const mark = text.slice(at, end);
  if (!/^[.…]/u.test(mark)) return 'end';
  const word = /\S*$/u.exec(text.slice(0, at))?.[0] ?? '';
  const isEllipsis = mark.startsWith('..') || mark.startsWith('…');
  if (!isEllipsis && neverEnds(text.slice(0, at), word)) return 'inside';
  if (!isEllipsis && !isSoftAbbreviation(word)) return 'end';
  const following = text.slice(end).trimStart();
  if (following === '') return isComplete ? 'end' : 'wait';
  return /^[\p{Lu}\p{N}"'“‘(]/u.test(following) ? 'end' : 'inside';
}

/** Titles ("Dr."), initials ("J."), and the number of a list item ("1. Milk"). */
function neverEnds(before: string, word: string): boolean {
  const bare = word.replace(/^[^\p{L}\p{N}]+/u, '');
  if (TITLES.has(bare.toLowerCase())) return true;
  if (/^\p{Lu}$/u.test(bare) && bare !== 'I') return true;
  return /^\d+$/u.test(bare) && /(^|\n)\s*\d+$/u.test(before);
}

/** "p.m.", "e.g.", "etc.": the dot belongs to the word. */
function isSoftAbbreviation(word: string): boolean {
  const bare = word.toLowerCase().replace(/^[^\p{L}\p{N}]+/u, '');
  return SOFT_ABBREVIATIONS.has(bare) || /^(\p{L}\.)+\p{L}$/u.test(bare);
}

function withWhiteSpace(text: string, end: number): number {
  const rest = text.slice(end);
  return end + (rest.length - rest.trimStart().length);
}

/** Whether the last UTF-16 unit is the first half of a pair. */
function endsInsidePair(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}
