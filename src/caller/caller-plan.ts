/**
 * Draws a caller: what it wants, everything it may ever say, its voice, its line and its manners. The same grammar, seed
 * and phrasing give the same caller; a plan is plain data, so that its words can be recorded beforehand. Pure.
 */
import { type CallerGrammar, type Phrasing, SLOTS, type Slot, type SlotValues } from './caller-grammar.ts';
import { CLEAN_LINE, drawLine, drawVoice, type LinePlan, type VoicePlan } from './line-and-voice.ts';
import { Draw } from './seeded-random.ts';
import { Speechwriter, type Utterance } from './speechwriter.ts';

export type { LinePlan, VoicePlan } from './line-and-voice.ts';
export type { Utterance } from './speechwriter.ts';

export const CALLER_KINDS = ['book', 'cancel', 'callback', 'info'] as const;
export type CallerKind = (typeof CALLER_KINDS)[number];

/** What a caller says something for; `CallerPlan.utterances` has a list for each that it may need. */
export type Occasion =
  | 'open'
  | `answer.${Slot}`
  | `change.${Slot}`
  | 'phone'
  | 'phoneAgain'
  | 'interlude'
  | 'yes'
  | 'no'
  | 'noMore'
  | 'bye'
  | 'repeat'
  | 'stillHere';

export interface CallerGoal {
  /** What must be booked (all four) or cancelled (the name), normal forms. */
  readonly slots: SlotValues;
  /** The number to call back, normal forms. */
  readonly digits?: readonly string[];
  /** What is asked about. */
  readonly topic?: string;
}

/** The question at which a caller says something else first. */
export type InterludeAt = 'open' | Slot | 'phone' | 'bookingName';

export interface Interlude {
  readonly at: InterludeAt;
  /** Asks about a topic, wants to hear the question again, or asks to wait. */
  readonly kind: 'info' | 'repeat' | 'hold';
  /** Of kind info. */
  readonly topic?: string;
}

export interface MannerPlan {
  /** Time from the end of what the agent said to the answer, at the least; used in order, cyclically. */
  readonly thinkMs: readonly number[];
  /** Answers a wrong confirmation with a plain "no" before it says what is wrong. */
  readonly saysNoFirst: boolean;
  /** Talks over the confirmation, this long after it began, with a correction or with "yes". */
  readonly bargeIn: { readonly kind: 'change' | 'yes'; readonly afterMs: number } | null;
  /** What is given by keys instead of words. */
  readonly dtmf: readonly ('party' | 'digits')[];
  /** Says `from` at first, and what is in the goal once everything is confirmed. */
  readonly changeOfMind: { readonly slot: Slot; readonly from: string } | null;
  readonly interlude: Interlude | null;
}

export interface CallerPlan {
  readonly seed: number;
  readonly phrasing: Phrasing;
  readonly kind: CallerKind;
  readonly goal: CallerGoal;
  /** Each list is used in order, cyclically. */
  readonly utterances: Partial<Record<Occasion, readonly Utterance[]>>;
  readonly voice: VoicePlan;
  readonly line: LinePlan;
  readonly manner: MannerPlan;
}

export interface PlanOptions {
  readonly grammar: CallerGrammar;
  readonly seed: number;
  readonly phrasing: Phrasing;
  /** Kinds to draw from. Default: all, with their usual shares. */
  readonly kinds?: readonly CallerKind[];
}

interface Desk {
  readonly grammar: CallerGrammar;
  readonly draw: Draw;
  readonly writer: Speechwriter;
}

type Wish = Pick<CallerPlan, 'goal' | 'utterances' | 'manner'>;

const KIND_SHARES: Readonly<Record<CallerKind, number>> = {
  book: 0.4,
  callback: 0.25,
  cancel: 0.2,
  info: 0.15,
};
const WISHES: Readonly<Record<CallerKind, (desk: Desk) => Wish>> = {
  book: drawBooking,
  cancel: drawCancelling,
  callback: drawCallBack,
  info: drawQuestion,
};
const THINK_TIMES = 8;
const DIGIT_COUNTS = [5, 6, 6, 6, 7, 7, 8];
/** One key each; more people are spoken. */
const KEYS_BY_WORD = 'zero one two three four five six seven eight nine'.split(' ');
/** The demo asks about one of these. */
const SHOWCASE_TOPICS = ['hours', 'address', 'parking', 'card'];

/** Draws a caller of one of the kinds. */
export function planCaller({ grammar, seed, phrasing, kinds = CALLER_KINDS }: PlanOptions): CallerPlan {
  const draw = new Draw(seed);
  const kind = draw.weighted(kinds.map((name) => [name, KIND_SHARES[name]] as const));
  const desk = { grammar, draw, writer: new Speechwriter(grammar, draw, phrasing) };
  return { seed, phrasing, kind, ...WISHES[kind](desk), voice: drawVoice(draw), line: drawLine(draw) };
}

/**
 * The caller of the demo: asks a question, books slot by slot, keys the number of people, interrupts the confirmation
 * to change it, agrees, says goodbye. On a clean line, without hesitations.
 */
export function planShowcase({ grammar, seed, phrasing }: Omit<PlanOptions, 'kinds'>): CallerPlan {
  const draw = new Draw(seed);
  const writer = new Speechwriter(grammar, draw, phrasing, { isPlain: true });
  const desk = { grammar, draw, writer };
  const slots = drawSlots(desk);
  const others = grammar.slots.party.filter(({ normal }) => normal !== slots.party && keyOf(normal) !== null);
  const changeOfMind = { slot: 'party', from: draw.pick(others).normal } as const;
  const topic = draw.pick(SHOWCASE_TOPICS.filter((name) => name in grammar.agent.info));
  const interlude = { at: 'open', kind: 'info', topic } as const;
  return {
    seed,
    phrasing,
    kind: 'book',
    goal: { slots },
    utterances: {
      ...smallTalk(writer),
      ...interludeWords(writer, interlude),
      ...bookingWords(writer, { first: { ...slots, party: changeOfMind.from }, slots }),
      open: writer.openings('book'),
    },
    voice: { name: 'am_michael', speed: 1, pitchFactor: 1 },
    line: CLEAN_LINE,
    manner: {
      thinkMs: [0],
      saysNoFirst: false,
      bargeIn: { kind: 'change', afterMs: 1200 },
      dtmf: ['party'],
      changeOfMind,
      interlude,
    },
  };
}

/** The key of a digit word or of a number of people; null where one key does not say it. */
export function keyOf(normal: string): string | null {
  const key = KEYS_BY_WORD.indexOf(normal);
  return key < 0 ? null : String(key);
}

function drawBooking(desk: Desk): Wish {
  const { draw, writer } = desk;
  const slots = drawSlots(desk);
  const changeOfMind = draw.isTrue(0.25) ? drawChange(desk, slots) : null;
  const first = changeOfMind === null ? slots : { ...slots, [changeOfMind.slot]: changeOfMind.from };
  const interlude = drawInterlude(desk, ['open', ...SLOTS]);
  const isKeyed = keyOf(first.party ?? '') !== null && draw.isTrue(0.15);
  const utterances = {
    ...smallTalk(writer),
    ...interludeWords(writer, interlude),
    ...bookingWords(writer, { first, slots }),
    open: writer.openings(draw.isTrue(0.45) ? 'bookWith' : 'book', { slots: first }),
  };
  const timeIsSaid = utterances.open.some((utterance) => utterance.slots.time !== undefined);
  if (draw.isTrue(0.3) && !timeIsSaid) {
    utterances['answer.day'] = writer.answers('answer.day+time', { slots: first });
  }
  const bargeIn = drawBargeIn(draw, changeOfMind !== null);
  const manner = { ...drawManner(draw), bargeIn, changeOfMind, interlude };
  return { goal: { slots }, utterances, manner: { ...manner, dtmf: isKeyed ? ['party'] : [] } };
}

function drawCancelling(desk: Desk): Wish {
  const { draw, writer } = desk;
  const slots = { name: draw.pick(desk.grammar.slots.name).normal };
  const interlude = drawInterlude(desk, ['open', 'bookingName']);
  return {
    goal: { slots },
    utterances: {
      ...smallTalk(writer),
      ...interludeWords(writer, interlude),
      open: writer.openings(draw.isTrue(0.35) ? 'cancelNamed' : 'cancel', { slots }),
      'answer.name': writer.answers('answer.name', { slots }),
      'change.name': writer.answers('change.name', { slots }),
    },
    manner: { ...drawManner(draw), interlude },
  };
}

function drawCallBack(desk: Desk): Wish {
  const { draw, grammar, writer } = desk;
  const count = draw.pick(DIGIT_COUNTS);
  const digits = Array.from({ length: count }, () => draw.pick(grammar.digits).normal);
  const interlude = drawInterlude(desk, ['open', 'phone']);
  return {
    goal: { slots: {}, digits },
    utterances: {
      ...smallTalk(writer),
      ...interludeWords(writer, interlude),
      open: writer.openings('callback'),
      phone: writer.answers('phone', { slots: {}, digits }),
      phoneAgain: writer.answers('phoneAgain', { slots: {}, digits }),
    },
    manner: { ...drawManner(draw), dtmf: draw.isTrue(0.2) ? ['digits'] : [], interlude },
  };
}

function drawQuestion({ draw, grammar, writer }: Desk): Wish {
  const topic = draw.pick(Object.keys(grammar.agent.info));
  return {
    goal: { slots: {}, topic },
    utterances: { ...smallTalk(writer), open: writer.openings(`info.${topic}`, undefined, 3) },
    manner: drawManner(draw),
  };
}

function drawSlots({ draw, grammar: { slots } }: Desk): Record<Slot, string> {
  const [day, time] = [draw.pick(slots.day).normal, draw.pick(slots.time).normal];
  return { day, time, party: draw.pick(slots.party).normal, name: draw.pick(slots.name).normal };
}

function drawChange({ draw, grammar }: Desk, slots: SlotValues): MannerPlan['changeOfMind'] {
  const slot = draw.pick(SLOTS);
  const others = grammar.slots[slot].filter(({ normal }) => normal !== slots[slot]);
  return { slot, from: draw.pick(others).normal };
}

function drawInterlude({ draw, grammar }: Desk, at: readonly InterludeAt[]): Interlude | null {
  if (!draw.isTrue(0.2)) return null;
  const kind = draw.weighted([
    ['info', 0.6],
    ['repeat', 0.25],
    ['hold', 0.15],
  ] as const);
  const place = draw.pick(at);
  // Before anything was asked there is nothing to repeat and nothing to wait for.
  if (kind === 'info' || place === 'open') {
    return { at: place, kind: 'info', topic: draw.pick(Object.keys(grammar.agent.info)) };
  }
  return { at: place, kind };
}

function drawBargeIn(draw: Draw, changesMind: boolean): MannerPlan['bargeIn'] {
  if (changesMind) return draw.isTrue(0.5) ? { kind: 'change', afterMs: draw.integer(900, 2500) } : null;
  return draw.isTrue(0.1) ? { kind: 'yes', afterMs: draw.integer(4000, 5500) } : null;
}

function drawManner(draw: Draw): MannerPlan {
  return {
    thinkMs: Array.from({ length: THINK_TIMES }, () => draw.integer(200, 1200)),
    saysNoFirst: draw.isTrue(0.25),
    bargeIn: null,
    dtmf: [],
    changeOfMind: null,
    interlude: null,
  };
}

type Words = Partial<Record<Occasion, Utterance[]>>;

/** What every caller may need. */
function smallTalk(writer: Speechwriter): Words {
  return {
    yes: writer.phrases('yes', 2),
    no: writer.phrases('no'),
    noMore: writer.phrases('noMore'),
    bye: writer.phrases('bye'),
    repeat: writer.phrases('repeat', 2),
    stillHere: writer.phrases('stillHere'),
  };
}

/** Answers with what is said at first, changes with what is wanted in the end. */
function bookingWords(
  writer: Speechwriter,
  { first, slots }: { first: SlotValues; slots: SlotValues },
): Words {
  const words: Words = {};
  for (const slot of SLOTS) {
    words[`answer.${slot}`] = writer.answers(`answer.${slot}`, { slots: first });
    words[`change.${slot}`] = writer.answers(`change.${slot}`, { slots });
  }
  return words;
}

function interludeWords(writer: Speechwriter, interlude: Interlude | null): Words {
  if (interlude === null) return {};
  if (interlude.kind === 'info') return { interlude: writer.phrases(`info.${interlude.topic}`) };
  return { interlude: writer.phrases(interlude.kind) };
}
