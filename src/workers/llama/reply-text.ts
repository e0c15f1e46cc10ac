/**
 * From generated tokens to text that may be spoken: whole UTF-8 characters only, nothing of the chat template,
 * nothing of the model's private thinking. Text that might still turn out to be the start of a stop text is held
 * back until it is decided.
 * Thread: llama. Pure.
 */

/** Tokens of one character at most; a longer run of undecodable tokens is given out as it is. */
const LONGEST_CHARACTER_TOKENS = 8;
const REPLACEMENT_CHARACTER = '\uFFFD';
/** Tokens before the pending ones that the detokeniser is shown, for models that mark spaces on the next token. */
const RECENT_TOKENS = 4;

/** Turns tokens into text; see LanguageModel.detokenize. */
export type Detokenize = (tokens: readonly number[], recentTokens: readonly number[]) => string;

/** Tokens in, whole characters out. */
export class TokenDecoder {
  readonly #detokenize: Detokenize;
  #pending: number[] = [];
  #recent: number[] = [];

  constructor(detokenize: Detokenize) {
    this.#detokenize = detokenize;
  }

  /** @returns the text that became complete with this token; empty while a character is still in parts. */
  push(token: number): string {
    this.#pending.push(token);
    const text = this.#detokenize(this.#pending, this.#recent);
    const isPartial = text.endsWith(REPLACEMENT_CHARACTER) && this.#pending.length < LONGEST_CHARACTER_TOKENS;
    if (isPartial) return '';
    this.#recent = [...this.#recent, ...this.#pending].slice(-RECENT_TOKENS);
    this.#pending = [];
    return text;
  }
}

export interface ReplyRules {
  /** The reply ends before any of these. */
  readonly stopTexts: readonly string[];
  /** Sections that are not spoken: a reasoning model's thoughts. */
  readonly hiddenSections: readonly { readonly open: string; readonly close: string }[];
  /** The reply begins inside a hidden section that this text closes; null = it does not. */
  readonly startsInside: string | null;
}

/** Cuts the reply at stop texts and takes hidden sections out, holding back what is still undecided. */
export class ReplyFilter {
  readonly #rules: ReplyRules;
  #held = '';
  /** The text that ends the hidden section we are in. */
  #closing: string | null;
  #isStopped = false;

  constructor(rules: ReplyRules) {
    this.#closing = rules.startsInside;
    this.#rules = {
      ...rules,
      stopTexts: rules.stopTexts.filter((text) => text.length > 0),
      hiddenSections: rules.hiddenSections.filter(({ open, close }) => open.length > 0 && close.length > 0),
    };
  }

  /** A stop text was seen: the reply is over. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** @returns text that may be spoken now. */
  push(text: string): string {
    if (this.#isStopped) return '';
    this.#held += text;
    let spoken = '';
    while (!this.#isStopped) {
      const step = this.#closing === null ? this.#takeSpoken() : this.#skipHidden(this.#closing);
      if (step === null) break;
      spoken += step;
    }
    if (this.#isStopped || this.#closing !== null) return spoken;
    const undecided = this.#undecidedLength();
    spoken += this.#held.slice(0, this.#held.length - undecided);
    this.#held = this.#held.slice(this.#held.length - undecided);
    return spoken;
  }

  /** Generation ended by itself. @returns text that was held back and may be spoken after all. */
  flush(): string {
    const rest = this.#isStopped || this.#closing !== null ? '' : this.#held;
    this.#held = '';
    return rest;
  }

  // Text before the next marker, which is consumed; null when no marker is complete.
  #takeSpoken(): string | null {
    const stop = earliest(this.#held, this.#rules.stopTexts);
    const section = earliest(
      this.#held,
      this.#rules.hiddenSections.map(({ open }) => open),
    );
    if (stop !== null && (section === null || stop.index <= section.index)) {
      this.#isStopped = true;
      return this.#held.slice(0, stop.index);
    }
    if (section === null) return null;
    const before = this.#held.slice(0, section.index);
    this.#closing = this.#rules.hiddenSections.find(({ open }) => open === section.text)?.close ?? null;
    this.#held = this.#held.slice(section.index + section.text.length);
    return before;
  }

  #skipHidden(closing: string): string | null {
    const index = this.#held.indexOf(closing);
    if (index < 0) {
      this.#held = this.#held.slice(-closing.length);
      return null;
    }
    this.#held = this.#held.slice(index + closing.length);
    this.#closing = null;
    return '';
  }

  // Length of the longest end of the held text that begins one of the markers.
  #undecidedLength(): number {
    const markers = [...this.#rules.stopTexts, ...this.#rules.hiddenSections.map(({ open }) => open)];
    return Math.max(0, ...markers.map((marker) => overlap(this.#held, marker)));
  }
}

function earliest(text: string, markers: readonly string[]): { index: number; text: string } | null {
  let found: { index: number; text: string } | null = null;
  for (const marker of markers) {
    const index = text.indexOf(marker);
    if (index >= 0 && (found === null || index < found.index)) found = { index, text: marker };
  }
  return found;
}

function overlap(text: string, marker: string): number {
  for (let length = Math.min(text.length, marker.length - 1); length > 0; length -= 1) {
    if (marker.startsWith(text.slice(-length))) return length;
  }
  return 0;
}
