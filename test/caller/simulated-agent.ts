/**
 * An agent for tests of callers: understands what a caller meant (never its words), follows the grammar's dialogue, and
 * makes the mistakes it is told to make.
 */

import type { CallerGrammar, Slot, SlotValues } from '../../src/caller/caller-grammar.ts';
import type { CallerAction } from '../../src/caller/caller-mind.ts';
import { keyOf } from '../../src/caller/caller-plan.ts';

export interface AgentFaults {
  /** Takes this slot for another value, the first time it is given. */
  readonly swaps?: Slot;
  /** Gets the last digit wrong, the first time. */
  readonly swapsDigit?: boolean;
  /** Confirms another name than the caller's, always. */
  readonly confirmsWrongAlways?: boolean;
  /** Takes a correction for a yes. */
  readonly booksAnyway?: boolean;
  /** Whether to apologise instead of answering this turn. */
  readonly apologises?: () => boolean;
}

type Said = Exclude<CallerAction, { kind: 'hangUp' }>;

export class SimulatedAgent {
  readonly #grammar: CallerGrammar;
  readonly #faults: AgentFaults;
  #task: 'none' | 'book' | 'cancel' | 'callback' = 'none';
  #slots: SlotValues = {};
  #digits: string[] = [];
  #swapsLeft: number;
  #pending: string;

  constructor(grammar: CallerGrammar, faults: AgentFaults = {}) {
    this.#grammar = grammar;
    this.#faults = faults;
    this.#swapsLeft = 1;
    this.#pending = grammar.agent.howCanIHelp;
  }

  get greeting(): string {
    return this.#grammar.agent.greeting;
  }

  /** The reply to one turn of the caller. @param kind what a caller of a plan opens with */
  reply(
    said: Said,
    plan: { readonly kind: string; readonly interlude: { kind: string; topic?: string } | null },
  ): string {
    const { agent } = this.#grammar;
    if (this.#faults.apologises?.() === true) return agent.apology;
    const [what, slot] = said.occasion.split('.') as [string, Slot | undefined];
    const replies: Record<string, () => string> = {
      open: () => this.#open(said, plan.kind),
      answer: () => this.#take(said, slot as Slot),
      change: () => (this.#faults.booksAnyway === true ? this.#agree() : this.#take(said, slot as Slot)),
      phone: () => this.#takeDigits(said),
      phoneAgain: () => this.#takeDigits(said),
      interlude: () => this.#interlude(plan.interlude),
      yes: () => this.#agree(),
      no: () => this.#disagree(),
      noMore: () => agent.goodbye,
      bye: () => agent.goodbye,
      repeat: () => this.#pending,
      stillHere: () => this.#pending,
    };
    return replies[what]?.() ?? agent.apology;
  }

  #ask(text: string, before = ''): string {
    this.#pending = text;
    return `${before} ${text}`.trim();
  }

  #open(said: Said, kind: string): string {
    const { agent } = this.#grammar;
    if (kind === 'info') return this.#ask(agent.anythingElse, agent.info[topicOf(said, this.#grammar)]);
    this.#task = kind as 'book';
    if (kind === 'callback') return this.#ask(agent.askPhone);
    if (kind === 'cancel' && slotsOf(said).name === undefined) return this.#ask(agent.askBookingName);
    return this.#take(said, 'day', 'With pleasure.');
  }

  #take(said: Said, slot: Slot, before = 'Okay.'): string {
    const given = said.kind === 'key' ? { [slot]: this.#wordOf(said.digits) } : slotsOf(said);
    for (const [name, value] of Object.entries(given) as [Slot, string][])
      this.#slots[name] = this.#mistaken(name, value);
    return this.#ask(this.#nextQuestion(), before);
  }

  #nextQuestion(): string {
    const { agent } = this.#grammar;
    const { day, time, party, name } = this.#slots;
    if (this.#task === 'cancel') return agent.askCancel.replace('{name}', name ?? '');
    const missing = (['day', 'time', 'party', 'name'] as const).find(
      (slot) => this.#slots[slot] === undefined,
    );
    if (missing !== undefined) return agent.ask[missing];
    const wrong = this.#grammar.slots.name.find(({ normal }) => normal !== name)?.normal ?? '';
    return agent.confirm
      .replace('{party}', agent.sayParty[party ?? ''] ?? '')
      .replace('{day}', agent.sayDay[day ?? ''] ?? '')
      .replace('{time}', time ?? '')
      .replace('{name}', this.#faults.confirmsWrongAlways === true ? wrong : (name ?? ''));
  }

  #mistaken(slot: Slot, value: string): string {
    if (this.#faults.swaps !== slot || this.#swapsLeft === 0) return value;
    this.#swapsLeft -= 1;
    return this.#grammar.slots[slot].find(({ normal }) => normal !== value)?.normal ?? value;
  }

  #takeDigits(said: Said): string {
    const keyed =
      said.kind === 'key' ? [...said.digits.replace('#', '')].map((key) => this.#wordOf(key)) : [];
    this.#digits = said.kind === 'key' ? keyed : [...(said.utterance.digits ?? [])];
    if (this.#faults.swapsDigit === true && this.#swapsLeft > 0) {
      this.#swapsLeft -= 1;
      this.#digits.push(this.#digits.pop() === 'nine' ? 'one' : 'nine');
    }
    return this.#ask(this.#grammar.agent.readBack.replace('{digits}', this.#digits.join(' ')));
  }

  #wordOf(digits: string): string {
    const all = [...this.#grammar.digits, ...this.#grammar.slots.party].map(({ normal }) => normal);
    return all.find((normal) => keyOf(normal) === digits.replace('#', '')) ?? '';
  }

  #interlude(interlude: { kind: string; topic?: string } | null): string {
    const { agent } = this.#grammar;
    if (interlude?.kind === 'hold') return agent.takeYourTime;
    const pending = this.#task === 'none' ? agent.anythingElse : this.#pending;
    if (interlude?.kind === 'repeat') return pending;
    return this.#ask(pending, agent.info[interlude?.topic ?? '']);
  }

  #agree(): string {
    const { agent } = this.#grammar;
    const done = {
      book: agent.booked,
      cancel: agent.cancelled,
      callback: agent.callBack,
      none: agent.apology,
    }[this.#task];
    return this.#ask(agent.anythingElse, done.replace(agent.anythingElse, '').trim());
  }

  #disagree(): string {
    const { agent } = this.#grammar;
    if (this.#task === 'callback') return this.#ask(agent.askPhone, 'Sorry.');
    return this.#task === 'cancel' ? agent.notCancelled : this.#ask(agent.whatToChange);
  }
}

function slotsOf(said: Said): SlotValues {
  return said.kind === 'say' ? said.utterance.slots : {};
}

function topicOf(said: Said, { phrases }: CallerGrammar): string {
  const text = said.kind === 'say' ? said.utterance.text : '';
  const keys = Object.keys(phrases).filter((key) => key.startsWith('info.'));
  const key = keys.find((one) =>
    [...phrases[one]!.trained, ...phrases[one]!.heldOut].some((phrase) => text.includes(phrase)),
  );
  return key?.slice('info.'.length) ?? '';
}
