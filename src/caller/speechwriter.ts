/** Turns phrases of the grammar into the words of one caller: slots filled in, manners added. Seeded, pure. */
import type { CallerGrammar, Phrasing, Slot, SlotValues } from './caller-grammar.ts';
import type { Draw } from './seeded-random.ts';

/** Something that a caller may say. */
export interface Utterance {
  /** Lower-case words. */
  readonly text: string;
  /** The slots in it, normal forms. */
  readonly slots: SlotValues;
  /** The digits in it, normal forms. */
  readonly digits?: readonly string[];
  /** The words that carry slots and digits, as spoken, in order: "half past seven". */
  readonly spokenSlots: readonly string[];
  /** Silences inside it, each after so many words. */
  readonly pauses: readonly { readonly afterWords: number; readonly ms: number }[];
}

export interface Facts {
  readonly slots: SlotValues;
  readonly digits?: readonly string[];
}

export interface SpeechwriterOptions {
  /** Plain words: of each list only the first few, which are the usual ones; no hesitations. Default false. */
  readonly isPlain?: boolean;
}

/** How an utterance may begin and end besides its phrase. */
type Manner = 'bare' | 'greeting' | 'answer';

const SLOT_OF_PLACEHOLDER: Readonly<Record<string, Slot>> = {
  day: 'day',
  on: 'day',
  time: 'time',
  party: 'party',
  people: 'party',
  name: 'name',
};
const NO_FACTS: Facts = { slots: {} };
/** Tries to find a wording that was not used before. */
const ATTEMPTS = 6;
const USUAL_PHRASES = 6;
const HESITATES = 0.12;
const IS_POLITE = 0.15;
const PAUSES = 0.12;
/** Most pauses are breaths; some are longer than what agents wait for. */
const LONG_PAUSE = 0.1;

export class Speechwriter {
  readonly #grammar: CallerGrammar;
  readonly #draw: Draw;
  readonly #phrasing: Phrasing;
  readonly #isPlain: boolean;

  constructor(
    grammar: CallerGrammar,
    draw: Draw,
    phrasing: Phrasing,
    { isPlain = false }: SpeechwriterOptions = {},
  ) {
    this.#grammar = grammar;
    this.#draw = draw;
    this.#phrasing = phrasing;
    this.#isPlain = isPlain;
  }

  /** `count` wordings of what a call is opened with, the first one greeting now and then. */
  openings(key: string, facts: Facts = NO_FACTS, count = 2): Utterance[] {
    return this.#several(key, facts, count, 'greeting');
  }

  /** `count` wordings that answer a question or correct an answer. */
  answers(key: string, facts: Facts, count = 2): Utterance[] {
    return this.#several(key, facts, count, 'answer');
  }

  /** `count` wordings as they stand in the grammar. */
  phrases(key: string, count = 1): Utterance[] {
    return this.#several(key, NO_FACTS, count, 'bare');
  }

  #several(key: string, facts: Facts, count: number, manner: Manner): Utterance[] {
    const made: Utterance[] = [];
    for (let attempt = 0; made.length < count && attempt < count + ATTEMPTS; attempt++) {
      const utterance = this.#utterance(key, facts, manner);
      const isLast = attempt >= ATTEMPTS;
      if (isLast || made.every((other) => this.#isReworded(utterance, other))) made.push(utterance);
    }
    return made;
  }

  // Who was not understood says it in other words, the facts too where there are others: "half past seven".
  #isReworded(utterance: Utterance, other: Utterance): boolean {
    if (utterance.text === other.text) return false;
    const facts = ({ spokenSlots }: Utterance): string => spokenSlots.join(' ');
    return this.#isPlain || utterance.spokenSlots.length === 0 || facts(utterance) !== facts(other);
  }

  #utterance(key: string, facts: Facts, manner: Manner): Utterance {
    const template = this.#phrase(key);
    const slots: SlotValues = {};
    const spokenSlots: string[] = [];
    const filled = template.replace(/\{(\w+)\}/g, (_whole, placeholder: string) => {
      const slot = SLOT_OF_PLACEHOLDER[placeholder];
      if (slot !== undefined) slots[slot] = facts.slots[slot] ?? '';
      const spoken = this.#spoken(placeholder, facts);
      spokenSlots.push(spoken);
      return spoken;
    });
    const text = this.#withManners(filled, manner).replace(/\s+/g, ' ').trim();
    const hasDigits = template.includes('{digits}') && facts.digits !== undefined;
    return {
      text,
      slots,
      ...(hasDigits ? { digits: facts.digits } : {}),
      spokenSlots,
      pauses: manner === 'bare' ? [] : this.#pauses(text),
    };
  }

  #phrase(key: string): string {
    const lists = this.#grammar.phrases[key];
    const wanted = lists?.[this.#phrasing] ?? [];
    const known = wanted.length > 0 ? wanted : (lists?.trained ?? ['']);
    return this.#draw.pick(this.#isPlain ? known.slice(0, USUAL_PHRASES) : known);
  }

  #spoken(placeholder: string, { slots, digits = [] }: Facts): string {
    const { day, time, party, name } = this.#grammar.slots;
    const draw = this.#draw;
    const forms: Readonly<Record<string, () => readonly string[] | undefined>> = {
      day: () => day.find(({ normal }) => normal === slots.day)?.spoken,
      on: () => day.find(({ normal }) => normal === slots.day)?.on,
      time: () => time.find(({ normal }) => normal === slots.time)?.spoken,
      party: () => party.find(({ normal }) => normal === slots.party)?.spoken,
      people: () => party.find(({ normal }) => normal === slots.party)?.people,
      name: () => name.find(({ normal }) => normal === slots.name)?.spoken,
      digits: () => [digits.map((digit) => this.#spokenDigit(digit)).join(' ')],
    };
    return draw.pick(forms[placeholder]?.() ?? ['']);
  }

  #spokenDigit(normal: string): string {
    const spoken = this.#grammar.digits.find((digit) => digit.normal === normal)?.spoken ?? [normal];
    return this.#draw.pick(spoken);
  }

  #withManners(text: string, manner: Manner): string {
    if (this.#isPlain || manner === 'bare') return text;
    if (manner === 'greeting') return `${this.#phrase('hello')} ${text}`;
    const begun = this.#draw.isTrue(HESITATES) ? `${this.#phrase('hesitation')} ${text}` : text;
    const isPolite = /\b(please|thank|thanks|sorry|if)\b/.test(text) || text.startsWith('no ');
    return !isPolite && this.#draw.isTrue(IS_POLITE) ? `${begun} ${this.#phrase('politeness')}` : begun;
  }

  #pauses(text: string): Utterance['pauses'] {
    const words = text.split(' ').length;
    if (this.#isPlain || words < 2 || !this.#draw.isTrue(PAUSES)) return [];
    const isLong = this.#draw.isTrue(LONG_PAUSE);
    const ms = this.#draw.integer(isLong ? 400 : 150, isLong ? 700 : 350);
    return [{ afterWords: this.#draw.integer(1, words - 1), ms }];
  }
}
