/** What a turn of a caller is for, in words, and whether the reply that was heard to it was what it was for. Pure. */
import type { AgentAct } from './agent-speech.ts';
import { SLOTS, type Slot, type SlotValues } from './caller-grammar.ts';
import type { CallerGoal, CallerKind, Interlude, MannerPlan, Occasion } from './caller-plan.ts';

/** What was heard, and what it must be understood by. */
export interface HeardReply {
  readonly acts: readonly AgentAct[];
  /** What the agent had asked before. */
  readonly question: AgentAct | null;
  readonly interlude: Interlude | null;
}

export interface Wish {
  readonly kind: CallerKind;
  readonly goal: CallerGoal;
}

const SLOT_WORDS: Readonly<Record<Slot, string>> = {
  day: 'the day',
  time: 'the time',
  party: 'the number of people',
  name: 'the name',
};
const OPENINGS: Readonly<Record<CallerKind, string>> = {
  book: 'asks what it needs for a booking',
  cancel: 'asks whose booking to cancel',
  callback: 'asks for the number to call back',
  info: 'answers the question',
};
const AGREEMENTS: Readonly<Record<CallerKind, string>> = {
  book: 'books',
  cancel: 'cancels',
  callback: 'promises to call back',
  info: 'goes on',
};
const INTERLUDES: Readonly<Record<Interlude['kind'], string>> = {
  info: 'answers a question',
  repeat: 'repeats its question',
  hold: 'waits',
};

/** "takes the day and goes on". */
export function purposeOf(occasion: Occasion, plan: Wish & { readonly manner: MannerPlan }): string {
  const [what, slot] = occasion.split('.') as [string, Slot | undefined];
  if (what === 'answer' && slot !== undefined) return `takes ${SLOT_WORDS[slot]}`;
  if (what === 'change' && slot !== undefined) return `corrects ${SLOT_WORDS[slot]}`;
  const purposes: Readonly<Record<string, string>> = {
    open: OPENINGS[plan.kind],
    interlude: INTERLUDES[plan.manner.interlude?.kind ?? 'info'],
    phone: 'reads the number back',
    phoneAgain: 'corrects the number',
    yes: AGREEMENTS[plan.kind],
    no: 'asks what is wrong',
    noMore: 'says goodbye',
    bye: 'says goodbye',
    repeat: 'says it again',
    stillHere: 'goes on',
  };
  return purposes[occasion] ?? occasion;
}

/** @param wish its slots as the caller wants them by now */
export function isReplyGood(occasion: Occasion, heard: HeardReply, wish: Wish): boolean {
  const { acts } = heard;
  const has = (...names: AgentAct['act'][]): boolean => acts.some(({ act }) => names.includes(act));
  const [what, slot] = occasion.split('.') as [string, Slot | undefined];
  if (slot !== undefined) return isSlotTaken(what, slot, acts, wish);
  const judges: Readonly<Record<string, () => boolean>> = {
    open: () => isOpeningTaken(acts, wish),
    interlude: () => isInterludeAnswered(heard),
    phone: () => hasReadBack(acts, wish.goal),
    phoneAgain: () => hasReadBack(acts, wish.goal),
    yes: () => has('booked', 'cancelled', 'callBack'),
    no: () => has('whatToChange', 'askPhone', 'askBookingName', 'notCancelled'),
    noMore: () => has('goodbye'),
    bye: () => has('goodbye'),
    repeat: () => acts.length > 0 && !has('apology'),
    stillHere: () => acts.length > 0 && !has('apology'),
  };
  return judges[what]?.() ?? false;
}

function isSlotTaken(what: string, slot: Slot, acts: readonly AgentAct[], { kind, goal }: Wish): boolean {
  if (kind === 'cancel') return acts.some((act) => act.act === 'askCancel' && act.name === goal.slots.name);
  return acts.some((act) => {
    if (act.act === 'confirm') return act.slots[slot] === goal.slots[slot];
    return what === 'answer' && act.act === 'ask' && act.slot !== slot;
  });
}

function isOpeningTaken(acts: readonly AgentAct[], { kind, goal }: Wish): boolean {
  const isTaken: Readonly<Record<CallerKind, (act: AgentAct) => boolean>> = {
    book: ({ act }) => act === 'ask' || act === 'confirm',
    cancel: ({ act }) => act === 'askBookingName' || act === 'askCancel',
    callback: ({ act }) => act === 'askPhone' || act === 'readBack',
    info: (act) => act.act === 'info' && act.topic === goal.topic,
  };
  return acts.some(isTaken[kind]);
}

function isInterludeAnswered({ acts, question, interlude }: HeardReply): boolean {
  if (interlude?.kind === 'hold') return acts.some(({ act }) => act === 'takeYourTime');
  if (interlude?.kind === 'repeat') return acts.some(({ act }) => act === question?.act);
  return acts.some((act) => act.act === 'info' && act.topic === interlude?.topic);
}

function hasReadBack(acts: readonly AgentAct[], { digits }: CallerGoal): boolean {
  return acts.some((act) => act.act === 'readBack' && act.digits.join(' ') === digits?.join(' '));
}

/** Whether all slots that are wanted were heard. */
export function hasAllOf(heard: SlotValues | null, wanted: SlotValues): boolean {
  return heard !== null && SLOTS.every((slot) => wanted[slot] === undefined || heard[slot] === wanted[slot]);
}
