/**
 * Collects key presses into one entry: '#' or a pause ends it, '*' clears it. The clock is passed in.
 * Thread: main. Pure. Digits: RFC 4733 section 3.2 (0-9 * # A-D).
 */
import type { DigitConfig } from './turn-config.ts';

export type DigitResult =
  | { readonly kind: 'collecting' | 'cleared' | 'ignored' }
  /** `text` is what the caller would have said: "four two". */
  | { readonly kind: 'entered'; readonly digits: string; readonly text: string };

const WORDS: Readonly<Record<string, string>> = {
  '0': 'zero',
  '1': 'one',
  '2': 'two',
  '3': 'three',
  '4': 'four',
  '5': 'five',
  '6': 'six',
  '7': 'seven',
  '8': 'eight',
  '9': 'nine',
};

/** The entry of one call. */
export class DtmfCollector {
  readonly #config: DigitConfig;
  #digits = '';
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(config: DigitConfig) {
    this.#config = config;
  }

  /** When tick() must be called; Infinity while nothing is being entered. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** One key was pressed. Keys other than 0-9, '*' and '#' are ignored. */
  push(digit: string, nowMs: number): DigitResult {
    if (digit === '*') return this.clear();
    if (digit === '#') return this.#finish();
    if (!/^[0-9]$/u.test(digit)) return { kind: 'ignored' };
    this.#digits += digit;
    this.#deadlineMs = nowMs + this.#config.interDigitMs;
    const isFull = this.#config.isSingleDigit || this.#digits.length >= this.#config.maxDigits;
    return isFull ? this.#finish() : { kind: 'collecting' };
  }

  /** Ends the entry when the pause was long enough. */
  tick(nowMs: number): DigitResult {
    return nowMs >= this.#deadlineMs ? this.#finish() : { kind: 'collecting' };
  }

  clear(): DigitResult {
    this.#digits = '';
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    return { kind: 'cleared' };
  }

  #finish(): DigitResult {
    const digits = this.#digits;
    this.clear();
    return digits === '' ? { kind: 'cleared' } : { kind: 'entered', digits, text: spellDigits(digits) };
  }
}

/** "42" -> "four two". Characters that are not digits are left out. */
export function spellDigits(digits: string): string {
  return [...digits].flatMap((digit) => WORDS[digit] ?? []).join(' ');
}
