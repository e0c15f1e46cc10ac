/**
 * The mind of a generated caller: hears what the agent says, as text, and decides what to say, key or whether to hang
 * up. One table (phase x what the agent wants -> intent); the goal counts as met by what was heard alone: the right
 * confirmation, then that it was done. Pure; the same plan and the same hearing give the same talk.
 */
import { type AgentAct, agentUnderstanding, type UnderstandAgent } from './agent-speech.ts';
import { type CallerGrammar, SLOTS, type Slot, type SlotValues } from './caller-grammar.ts';
import {
  INTENTS,
  type Intent,
  type Phase,
  promptOf,
  QUESTIONS,
  TROUBLES,
  wantsAnswer,
} from './caller-intents.ts';
import { type CallerPlan, type InterludeAt, keyOf, type Occasion, type Utterance } from './caller-plan.ts';
import { hasAllOf, isReplyGood, purposeOf } from './turn-purpose.ts';

export interface CallerOutcome {
  readonly goalMet: boolean;
  /** Why not, or what was reached. */
  readonly why: string;
}

interface Turn {
  /** What the turn is for, in a few words. */
  readonly purpose: string;
  /** Pause from the end of what the agent said, at the least. */
  readonly thinkMs: number;
  /** The reply to this may be talked over: ask `interrupt` this long after it began. */
  readonly bargeInAfterMs?: number;
}

export type CallerAction =
  | (Turn & { readonly kind: 'say'; readonly occasion: string; readonly utterance: Utterance })
  | (Turn & { readonly kind: 'key'; readonly occasion: string; readonly digits: string })
  | ({ readonly kind: 'hangUp' } & CallerOutcome);

/** What drives a conversation: a generated caller or a script. */
export interface CallerMind {
  /** @param greetingHeard what the agent said first, '' when it said nothing */
  begin(greetingHeard: string): CallerAction;
  /** @param agentHeard the whole reply to what was said or keyed last, '' when none came */
  next(agentHeard: string): CallerAction;
  /** A reply is under way. @returns what to say into it, or null to hear it to its end */
  interrupt(heardSoFar: string): CallerAction | null;
  /** Whether what was heard wants an answer; if not, the agent may be about to go on. */
  wantsAnswer(agentHeard: string): boolean;
  /** Whether the reply heard last was what the turn before it was for. */
  readonly wasReplyGood: boolean;
  /** As of now; final once the call is over. */
  readonly outcome: CallerOutcome;
}

/** Turns after which a caller hangs up in any case. */
export const MAX_TURNS = 16;
/** Misunderstandings in a row after which a caller gives up. */
const MAX_TROUBLES = 5;
/** Times a caller says goodbye again. */
const MAX_GOODBYES = 2;

/** The mind of this caller. */
export function createCallerMind(plan: CallerPlan, grammar: CallerGrammar): CallerMind {
  return new GeneratedMind(plan, agentUnderstanding(grammar));
}

class GeneratedMind implements CallerMind {
  readonly #plan: CallerPlan;
  readonly #understand: UnderstandAgent;
  readonly #timesSaid = new Map<Occasion, number>();
  /** What the caller wants just now: differs from the goal until it has changed its mind. */
  #wanted: SlotValues;
  #phase: Phase = 'seeking';
  #given: SlotValues = {};
  #confirmed: SlotValues | null = null;
  #digitsReadBack: readonly string[] | null = null;
  #nameReadBack: string | null = null;
  #question: AgentAct | null = null;
  #last: Occasion | null = null;
  /** The last turn that was more than asking to hear something again. */
  #lastContent: { readonly occasion: Occasion; readonly isKeyed: boolean } | null = null;
  #turns = 0;
  #troubles = 0;
  #goodbyes = 0;
  #hasInterluded = false;
  #mayBargeIn: boolean;
  #keysTried = 0;
  #wasReplyGood = false;
  #outcome: CallerOutcome = { goalMet: false, why: 'the goal was not reached' };

  constructor(plan: CallerPlan, understand: UnderstandAgent) {
    this.#plan = plan;
    this.#understand = understand;
    const { changeOfMind, bargeIn } = plan.manner;
    this.#wanted = { ...plan.goal.slots };
    if (changeOfMind !== null) this.#wanted[changeOfMind.slot] = changeOfMind.from;
    this.#mayBargeIn = bargeIn !== null;
  }

  get wasReplyGood(): boolean {
    return this.#wasReplyGood;
  }

  get outcome(): CallerOutcome {
    return this.#outcome;
  }

  begin(greetingHeard: string): CallerAction {
    const acts = this.#understand(greetingHeard);
    return acts.some(({ act }) => act === 'handover') ? this.#hangUp() : this.#open();
  }

  next(agentHeard: string): CallerAction {
    const acts = this.#understand(agentHeard);
    this.#wasReplyGood = this.#isGood(acts);
    for (const act of acts) this.#note(act);
    const prompt = promptOf(acts);
    this.#troubles = TROUBLES.includes(prompt?.act ?? '') ? this.#troubles + 1 : 0;
    if (this.#troubles >= MAX_TROUBLES) return this.#giveUp(`misunderstood ${MAX_TROUBLES} times in a row`);
    if (agentHeard.trim() === '') return this.#phase === 'leaving' ? this.#hangUp() : this.#sayAgain();
    const intent = INTENTS[this.#phase][prompt?.act ?? ''];
    if (prompt !== null && QUESTIONS.includes(prompt.act)) this.#question = prompt;
    return this.#act(intent);
  }

  interrupt(heardSoFar: string): CallerAction | null {
    const { bargeIn } = this.#plan.manner;
    const acts = this.#understand(heardSoFar, { isPartial: true });
    const confirm = acts.findLast((act) => act.act === 'confirm');
    if (!this.#mayBargeIn || bargeIn === null || confirm === undefined) return null;
    if (bargeIn.kind === 'yes' && !this.#isRight(confirm.slots)) return null;
    this.#mayBargeIn = false;
    this.#wasReplyGood = true;
    this.#note(confirm);
    this.#question = confirm;
    return bargeIn.kind === 'yes' ? this.#say('yes') : this.#changeMind();
  }

  wantsAnswer(agentHeard: string): boolean {
    return wantsAnswer(this.#understand(agentHeard));
  }

  #act(intent: Intent): CallerAction {
    const actions: Readonly<Record<Intent, () => CallerAction>> = {
      open: () => this.#open(),
      answer: () => this.#answer(),
      giveNumber: () => this.#giveNumber(),
      giveBookingName: () => this.#giveBookingName(),
      judge: () => this.#judge(),
      tellWhatIsWrong: () => this.#tellWhatIsWrong(),
      sayAgain: () => this.#sayAgain(),
      askAgain: () => (this.#troubles % 2 === 1 ? this.#say('repeat') : this.#sayAgain()),
      goOn: () => this.#goOn(),
      showPresence: () => (this.#troubles % 2 === 1 ? this.#sayAgain() : this.#say('stillHere')),
      finish: () => this.#finish(),
      bye: () => this.#bye(),
      hangUp: () => this.#hangUp(),
    };
    return actions[intent]();
  }

  // What was heard, in its order: the goal is met when the right thing was confirmed, and then done.
  #note(act: AgentAct): void {
    if (act.act === 'confirm') this.#confirmed = act.slots;
    else if (act.act === 'readBack') this.#digitsReadBack = act.digits;
    else if (act.act === 'askCancel') this.#nameReadBack = act.name;
    else if (this.#phase === 'seeking') this.#noteDone(act);
  }

  #noteDone(act: AgentAct): void {
    const { kind, goal } = this.#plan;
    if (act.act === 'booked' && kind === 'book') {
      this.#settle(hasAllOf(this.#confirmed, goal.slots), `booked as ${JSON.stringify(this.#confirmed)}`);
    } else if (act.act === 'cancelled' && kind === 'cancel') {
      this.#settle(this.#nameReadBack === goal.slots.name, `cancelled the booking of ${this.#nameReadBack}`);
    } else if (act.act === 'callBack' && kind === 'callback') {
      const digits = this.#digitsReadBack?.join(' ') ?? 'no number';
      this.#settle(digits === goal.digits?.join(' '), `will call back ${digits}`);
    } else if (act.act === 'info' && kind === 'info') {
      if (act.topic === goal.topic) this.#settle(true, `told about ${act.topic}`);
    }
  }

  #settle(goalMet: boolean, what: string): void {
    this.#phase = 'done';
    this.#outcome = { goalMet, why: what };
  }

  #isGood(acts: readonly AgentAct[]): boolean {
    if (this.#last === null) return true;
    const { goal, kind, manner } = this.#plan;
    const heard = { acts, question: this.#question, interlude: manner.interlude };
    return isReplyGood(this.#last, heard, { kind, goal: { ...goal, slots: this.#wanted } });
  }

  #isRight(heard: SlotValues | null): boolean {
    return hasAllOf(heard, this.#wanted);
  }

  #open(): CallerAction {
    return this.#interlude('open') ?? this.#say('open');
  }

  #answer(): CallerAction {
    if (this.#plan.kind !== 'book' || this.#question?.act !== 'ask') return this.#open();
    const { slot } = this.#question;
    const interlude = this.#interlude(slot);
    if (interlude !== null) return interlude;
    const { changeOfMind, dtmf } = this.#plan.manner;
    if (slot === changeOfMind?.slot && this.#wanted[slot] !== changeOfMind.from)
      return this.#say(`change.${slot}`);
    const key = slot === 'party' && dtmf.includes('party') ? keyOf(this.#wanted.party ?? '') : null;
    return key !== null && this.#keysTried < 2
      ? this.#key(`answer.${slot}`, key)
      : this.#say(`answer.${slot}`);
  }

  #giveNumber(): CallerAction {
    const { goal, manner } = this.#plan;
    if (goal.digits === undefined) return this.#open();
    const interlude = this.#interlude('phone');
    if (interlude !== null) return interlude;
    if (!manner.dtmf.includes('digits') || this.#keysTried >= 2) return this.#say('phone');
    return this.#key('phone', goal.digits.map((digit) => keyOf(digit) ?? '').join(''));
  }

  #giveBookingName(): CallerAction {
    if (this.#plan.kind !== 'cancel') return this.#open();
    return this.#interlude('bookingName') ?? this.#say('answer.name');
  }

  #judge(): CallerAction {
    const { kind, goal } = this.#plan;
    const question = this.#question?.act;
    if (question === 'confirm' && kind === 'book') return this.#judgeConfirmation();
    if (question === 'readBack' && kind === 'callback') {
      const heard = this.#digitsReadBack ?? [];
      if (heard.join(' ') === goal.digits?.join(' ')) return this.#say('yes');
      if (heard.includes('?') && this.#last !== 'repeat') return this.#say('repeat');
      return this.#say(this.#saysNo() ? 'no' : 'phoneAgain');
    }
    if (question === 'askCancel' && kind === 'cancel') {
      if (this.#nameReadBack === goal.slots.name) return this.#say('yes');
      if (this.#nameReadBack === null && this.#last !== 'repeat') return this.#say('repeat');
      return this.#say('change.name');
    }
    return this.#say('no'); // the agent is about something else altogether
  }

  #judgeConfirmation(): CallerAction {
    if (this.#isRight(this.#confirmed)) {
      return this.#plan.manner.changeOfMind === null || this.#hasChangedMind()
        ? this.#say('yes')
        : this.#changeMind();
    }
    const isUnclear = SLOTS.some((slot) => this.#confirmed?.[slot] === undefined);
    if (isUnclear && this.#last !== 'repeat') return this.#say('repeat');
    return this.#saysNo() ? this.#say('no') : this.#tellWhatIsWrong();
  }

  #saysNo(): boolean {
    return this.#plan.manner.saysNoFirst && this.#last !== 'no';
  }

  #tellWhatIsWrong(): CallerAction {
    const { kind } = this.#plan;
    if (kind === 'callback') return this.#giveNumber();
    if (kind === 'cancel') return this.#say('change.name');
    if (kind !== 'book') return this.#open();
    const wrong = SLOTS.filter((slot) => this.#confirmed?.[slot] !== this.#wanted[slot]);
    const slot = wrong.find((one) => this.#confirmed?.[one] !== undefined) ?? wrong[0];
    return slot === undefined || slot === this.#plan.manner.changeOfMind?.slot
      ? this.#changeMind(slot)
      : this.#say(`change.${slot}`);
  }

  #hasChangedMind(): boolean {
    return hasAllOf(this.#wanted, this.#plan.goal.slots);
  }

  #changeMind(slot: Slot = this.#plan.manner.changeOfMind?.slot ?? 'day'): CallerAction {
    this.#wanted = { ...this.#plan.goal.slots };
    return this.#say(`change.${slot}`);
  }

  #goOn(): CallerAction {
    return this.#question === null ? this.#open() : this.#act(INTENTS[this.#phase][this.#question.act]);
  }

  #sayAgain(): CallerAction {
    if (this.#lastContent === null) return this.#open();
    const { occasion, isKeyed } = this.#lastContent;
    // What was only said in between is not worth a second misunderstanding.
    if (occasion === 'interlude' && (this.#timesSaid.get(occasion) ?? 0) > 1) return this.#goOn();
    if (isKeyed && occasion === 'answer.party') return this.#answer();
    if (isKeyed) return this.#giveNumber();
    return this.#say(occasion);
  }

  #finish(): CallerAction {
    this.#phase = 'leaving';
    return this.#say('noMore');
  }

  #bye(): CallerAction {
    this.#goodbyes += 1;
    return this.#goodbyes > MAX_GOODBYES ? this.#hangUp() : this.#say('bye');
  }

  #hangUp(): CallerAction {
    return { kind: 'hangUp', ...this.#outcome };
  }

  #giveUp(why: string): CallerAction {
    if (this.#phase === 'seeking') this.#outcome = { goalMet: false, why };
    return this.#hangUp();
  }

  #interlude(at: InterludeAt): CallerAction | null {
    if (this.#hasInterluded || this.#plan.manner.interlude?.at !== at) return null;
    this.#hasInterluded = true;
    return this.#say('interlude');
  }

  #key(occasion: Occasion, digits: string): CallerAction {
    this.#keysTried += 1;
    if (occasion === 'answer.party') this.#given.party = this.#wanted.party ?? '';
    const turn = this.#turn(occasion, true);
    return turn === null ? this.#tooLong() : { kind: 'key', occasion, digits: `${digits}#`, ...turn };
  }

  #say(occasion: Occasion): CallerAction {
    const wordings = this.#plan.utterances[occasion];
    if (wordings === undefined || wordings.length === 0)
      return this.#giveUp(`has no words for "${occasion}"`);
    const times = this.#timesSaid.get(occasion) ?? 0;
    this.#timesSaid.set(occasion, times + 1);
    const utterance = wordings[times % wordings.length]!;
    Object.assign(this.#given, utterance.slots);
    const turn = this.#turn(occasion, false);
    return turn === null ? this.#tooLong() : { kind: 'say', occasion, utterance, ...turn };
  }

  #turn(occasion: Occasion, isKeyed: boolean): Turn | null {
    if (this.#turns >= MAX_TURNS) return null;
    const { kind, goal, manner } = this.#plan;
    this.#last = occasion;
    if (occasion !== 'repeat' && occasion !== 'stillHere') this.#lastContent = { occasion, isKeyed };
    const thinkMs = manner.thinkMs[this.#turns % manner.thinkMs.length] ?? 0;
    this.#turns += 1;
    const expectsConfirmation = SLOTS.every((slot) => this.#given[slot] !== undefined);
    const bargesIn = this.#mayBargeIn && this.#phase === 'seeking' && expectsConfirmation && kind === 'book';
    return {
      purpose: purposeOf(occasion, { kind, goal, manner }),
      thinkMs,
      ...(bargesIn && manner.bargeIn !== null ? { bargeInAfterMs: manner.bargeIn.afterMs } : {}),
    };
  }

  #tooLong(): CallerAction {
    return this.#giveUp(`${MAX_TURNS} turns were not enough`);
  }
}
