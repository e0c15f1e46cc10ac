/**
 * Cuts a sentence into the pieces that are synthesized one after the other, so that the first samples do not
 * wait for the last word. A cut is made only at punctuation (where a voice rests anyway), except in text that
 * is too long for the model. Pure. Thread: TTS worker, once per sentence. Walk: turn step 8.
 */

export interface SpeechPiece {
  readonly text: string;
  /** What ends it: decides how long the voice rests after it. */
  readonly ending: 'sentence' | 'clause' | 'none';
}

export interface PieceLimits {
  /** A first piece of about this many characters is spoken alone; the whole sentence when it is not longer. */
  readonly firstCharacters: number;
  /** A later piece may be this many times as long as all before it: while those play, it is computed. */
  readonly growth: number;
  /** And so much longer still: what is computed in a silence that passes for a rest. */
  readonly restCharacters: number;
}

/** Longest piece, whatever the speed: keeps one model run (which cannot be cancelled) and its memory short. */
export const LONGEST_PIECE_CHARACTERS = 240;
/** A piece below this is too little for a voice model: "Yes," waits for the words after it, "Certainly," does not. */
export const SHORTEST_PIECE_CHARACTERS = 8;

/** Characters of English said in one second at speed 1, about; relates text length to time. */
const CHARACTERS_PER_SECOND = 15;
/** Compute time that the first piece may take when the sentence offers a place to cut. */
const FIRST_PIECE_BUDGET_MS = 20;
/** Part of the playing time of earlier pieces that computing the next one may use up. */
const PLAYING_TIME_SHARE = 0.6;
/** A clause is spoken ahead of one that is not ready in time only if the silence between them is no longer. */
export const LONGEST_REST_MS = 300;

/**
 * Limits for an engine of this speed: a fast one speaks sentences whole, a slow one starts with a clause.
 * @param realTimeFactor compute time / audio time as measured, 0 < x.
 */
export function pieceLimits(realTimeFactor: number): PieceLimits {
  const computeMsPerCharacter = (1000 / CHARACTERS_PER_SECOND) * Math.max(realTimeFactor, 1e-4);
  return {
    firstCharacters: clamp(
      FIRST_PIECE_BUDGET_MS / computeMsPerCharacter,
      SHORTEST_PIECE_CHARACTERS,
      LONGEST_PIECE_CHARACTERS,
    ),
    growth: clamp(timesPlayed(realTimeFactor), 1, 8),
    restCharacters: LONGEST_REST_MS / computeMsPerCharacter,
  };
}

/** How many times as long as what plays is what can be made while it does. */
export function timesPlayed(realTimeFactor: number): number {
  return PLAYING_TIME_SHARE / Math.max(realTimeFactor, 1e-4);
}

/** The pieces in order; together they hold every word of `text`. Empty for text without words. */
export function cutIntoPieces(text: string, limits: PieceLimits): SpeechPiece[] {
  const spoken = new Pieces(limits);
  let open = '';
  for (const clause of clausesOf(text)) {
    if (open !== '' && spoken.mayEnd(open, clause)) {
      spoken.push(open);
      open = '';
    }
    open = spoken.takeBackFor(open === '' ? clause : `${open} ${clause}`);
  }
  if (open !== '') spoken.push(open);
  return spoken.texts.map((piece, index) => ({
    text: piece,
    ending: endingOf(piece, index === spoken.texts.length - 1),
  }));
}

/** The pieces found so far, and how much of what follows can be computed while they play. */
class Pieces {
  readonly texts: string[] = [];
  readonly #limits: PieceLimits;
  #characters = 0;

  constructor(limits: PieceLimits) {
    this.#limits = limits;
  }

  push(piece: string): void {
    this.texts.push(piece);
    this.#characters += piece.length;
  }

  /** Whether `open` is long enough, and long enough to be heard while `clause`, which follows, is computed. */
  mayEnd(open: string, clause: string): boolean {
    const length = open.length + 1 + clause.length;
    if (length > LONGEST_PIECE_CHARACTERS) return true;
    const { firstCharacters, growth } = this.#limits;
    const limit = this.texts.length === 0 ? firstCharacters : growth * this.#characters;
    if (length <= Math.max(limit, SHORTEST_PIECE_CHARACTERS)) return false;
    return open.length >= SHORTEST_PIECE_CHARACTERS && clause.length <= this.#covered(open.length);
  }

  /** `open`, behind the pieces before it that it has become too long for: those would end in silence. */
  takeBackFor(open: string): string {
    let whole = open;
    for (;;) {
      const before = this.texts.at(-1);
      if (before === undefined || whole.length <= this.#covered(0)) return whole;
      if (before.length + 1 + whole.length > LONGEST_PIECE_CHARACTERS) return whole;
      this.texts.pop();
      this.#characters -= before.length;
      whole = `${before} ${whole}`;
    }
  }

  /** Longest piece that can be computed in time when `moreCharacters` are spoken beside the pieces so far. */
  #covered(moreCharacters: number): number {
    return this.#limits.growth * (this.#characters + moreCharacters) + this.#limits.restCharacters;
  }
}

/** Clauses with their punctuation; those longer than a piece may be are cut at spaces, at worst anywhere. */
function clausesOf(text: string): string[] {
  const clauses = text.match(/.+?(?:[,;:.!?…—]{1,8}["')\]]{0,8}(?=\s|$)|[。！？；，、]+|$)/gs) ?? [];
  return clauses
    .map((clause) => clause.trim())
    .filter((clause) => /[\p{L}\p{N}]/u.test(clause))
    .flatMap(cutLong);
}

function cutLong(clause: string): string[] {
  const parts: string[] = [];
  let rest = clause;
  while (rest.length > LONGEST_PIECE_CHARACTERS) {
    const space = rest.lastIndexOf(' ', LONGEST_PIECE_CHARACTERS);
    const end = space > 0 ? space : wholeCharactersUpTo(rest, LONGEST_PIECE_CHARACTERS);
    parts.push(rest.slice(0, end));
    rest = rest.slice(end).trim();
  }
  if (rest !== '') parts.push(rest);
  return parts;
}

// Never between the two halves of a surrogate pair.
function wholeCharactersUpTo(text: string, end: number): number {
  const isLowSurrogate = (text.charCodeAt(end) & 0xfc00) === 0xdc00;
  return isLowSurrogate ? end - 1 : end;
}

// The last piece ends the sentence also when its writer left it without a full stop.
function endingOf(text: string, isLast: boolean): SpeechPiece['ending'] {
  if (/[.!?…。！？]["')\]]*$/.test(text)) return 'sentence';
  if (/[,;:—；，、]["')\]]*$/.test(text)) return 'clause';
  return isLast ? 'sentence' : 'none';
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
