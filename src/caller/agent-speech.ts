/**
 * What the agent meant, from what was heard of it: which question it asks, what it confirms, which digits it reads back.
 * Works on transcripts with errors and on several sentences at once; knows nothing but the grammar's agent texts. Pure.
 */
import { type CallerGrammar, plainWords, SLOTS, type Slot, type SlotValues } from './caller-grammar.ts';
import {
  type Gap,
  type GapSpan,
  type Match,
  type MatchOptions,
  matchesOf,
  type Pattern,
} from './fuzzy-match.ts';

/** One thing that the agent said. Slots and digits are in normal form; what was not understood is missing or '?'. */
export type AgentAct =
  | { readonly act: PlainAct }
  | { readonly act: 'ask'; readonly slot: Slot }
  | { readonly act: 'confirm'; readonly slots: SlotValues }
  | { readonly act: 'readBack'; readonly digits: readonly string[] }
  | { readonly act: 'askCancel'; readonly name: string | null }
  | { readonly act: 'info'; readonly topic: string };

export const PLAIN_ACTS = [
  ...(['greeting', 'apology', 'noInputPrompt', 'goodbye', 'anythingElse', 'howCanIHelp'] as const),
  ...(['whatToChange', 'askPhone', 'askBookingName', 'callBack', 'cancelled', 'notCancelled'] as const),
  ...(['booked', 'handover', 'takeYourTime', 'iHearYou'] as const),
] as const;
/** `isThatCorrect`: the end that confirmation and read-back share, heard without what it is about. */
export type PlainAct = (typeof PLAIN_ACTS)[number] | 'isThatCorrect';

export type UnderstandAgent = (heard: string, options?: MatchOptions) => AgentAct[];

interface Sentence {
  readonly text: string;
  readonly pattern: Pattern;
  readonly meaning: (values: Match['values']) => AgentAct;
}

interface Found {
  readonly match: Match;
  readonly sentence: Sentence;
  readonly worth: number;
}

/** Edits allowed per word, and how much of a sentence must be there. */
const ALLOWED_EDITS = 0.34;
const LEAST_SHARE = 0.5;
/** Words that must be there to the letter. */
const LEAST_SHARE_EXACT = 0.4;
const LEAST_WORDS_OF_PARTIAL = 4;
/** More words than any reply has; a recogniser gone wild must not cost seconds. */
const MAX_WORDS = 150;
const MAX_DIGITS = 16;
/** Words that may stand where a slot is expected and no known one is. */
const UNKNOWN_SLOT_WORDS = 3;
const UNKNOWN_SLOT = 0.6;
const FURTHER_UNKNOWN_WORD = 0.3;
const SHORTENED_SLOT = 0.3;

const compiled = new WeakMap<CallerGrammar, UnderstandAgent>();

/** Compiles the agent's texts into a function that understands it. The acts come in the order in which they were heard. */
export function agentUnderstanding(grammar: CallerGrammar): UnderstandAgent {
  const known = compiled.get(grammar);
  if (known !== undefined) return known;
  const sentences = sentencesOf(grammar);
  const understand: UnderstandAgent = (heard, options = {}) => {
    const words = plainWords(heard).split(' ').filter(Boolean).slice(0, MAX_WORDS);
    const distinct = new Set(words);
    const possible = sentences.filter(({ pattern }) => mayBeIn(distinct, pattern, options));
    const found = possible.flatMap((sentence) => foundIn(words, sentence, options));
    return bestCover(found, words.length).map(({ sentence, match }) => sentence.meaning(match.values));
  };
  compiled.set(grammar, understand);
  return understand;
}

/** Whether it is worth looking: enough of the sentence's words are there, gaps counted as found. */
function mayBeIn(words: ReadonlySet<string>, pattern: Pattern, { isPartial = false }: MatchOptions): boolean {
  const there = pattern.filter((token) => typeof token !== 'string' || words.has(token)).length;
  return there > 0 && (isPartial || there >= pattern.length * LEAST_SHARE_EXACT);
}

function foundIn(words: readonly string[], sentence: Sentence, options: MatchOptions): Found[] {
  const isLongEnough = ({ matched }: Match): boolean =>
    matched >= sentence.pattern.length * LEAST_SHARE ||
    (options.isPartial === true && matched >= LEAST_WORDS_OF_PARTIAL);
  return matchesOf(sentence.pattern, words, options)
    .filter((match) => isLongEnough(match))
    .filter(({ cost, matched }) => cost <= ALLOWED_EDITS * Math.max(matched, sentence.pattern.length))
    .map((match) => ({ match, sentence, worth: match.matched - match.cost }));
}

/** The matches that together explain most of the words, none overlapping another. */
function bestCover(found: readonly Found[], length: number): Found[] {
  const byEnd = Map.groupBy(found, ({ match }) => match.end);
  const best: { worth: number; last: Found | null; before: number }[] = [{ worth: 0, last: null, before: 0 }];
  for (let end = 1; end <= length; end++) {
    let choice = { worth: best[end - 1]!.worth, last: null as Found | null, before: end - 1 };
    for (const one of byEnd.get(end) ?? []) {
      const worth = best[one.match.start]!.worth + one.worth;
      if (worth > choice.worth) choice = { worth, last: one, before: one.match.start };
    }
    best.push(choice);
  }
  const chosen: Found[] = [];
  for (let end = length; end > 0; ) {
    const { last, before } = best[end]!;
    if (last !== null) chosen.unshift(last);
    end = before;
  }
  return chosen;
}

/** Every sentence of the agent with its meaning. A sentence that several texts share belongs to the one that is only it. */
function sentencesOf(grammar: CallerGrammar): Sentence[] {
  const gaps = gapsOf(grammar);
  const all = textsOf(grammar).flatMap(({ text, meaning }) => {
    const parts = splitAtStops(text);
    return parts.map((part) => ({ text: part, meaning, isWhole: parts.length === 1 }));
  });
  const texts = [...new Set(all.map(({ text }) => text))];
  const sentences: Sentence[] = [];
  for (const text of texts) {
    const owners = all.filter((one) => one.text === text);
    const owner = owners.find(({ isWhole }) => isWhole) ?? (owners.length === 1 ? owners[0] : undefined);
    const isPartOfAnother = texts.some((other) => other !== text && ` ${other} `.includes(` ${text} `));
    if (owner !== undefined && isPartOfAnother && !owner.isWhole) continue;
    const meaning = owner?.meaning ?? ((): AgentAct => ({ act: 'isThatCorrect' }));
    sentences.push({ text, pattern: patternOf(text, gaps), meaning });
  }
  return sentences;
}

interface AgentText {
  readonly text: string;
  readonly meaning: Sentence['meaning'];
}

function textsOf({ agent }: CallerGrammar): AgentText[] {
  const plain = PLAIN_ACTS.map((act) => ({ text: agent[act], meaning: (): AgentAct => ({ act }) }));
  const questions = SLOTS.map((slot) => ({
    text: agent.ask[slot],
    meaning: (): AgentAct => ({ act: 'ask', slot }),
  }));
  const answers = Object.entries(agent.info).map(([topic, text]) => ({
    text,
    meaning: (): AgentAct => ({ act: 'info', topic }),
  }));
  return [
    ...plain,
    ...questions,
    ...answers,
    { text: agent.confirm, meaning: (values) => ({ act: 'confirm', slots: slotsFrom(values) }) },
    {
      text: agent.readBack,
      meaning: ({ digits }) => ({ act: 'readBack', digits: (digits ?? '').split(' ').filter(Boolean) }),
    },
    { text: agent.askCancel, meaning: ({ name }) => ({ act: 'askCancel', name: name ?? null }) },
  ];
}

function slotsFrom(values: Match['values']): SlotValues {
  const slots: SlotValues = {};
  for (const slot of SLOTS) {
    const value = values[slot];
    if (value !== null && value !== undefined) slots[slot] = value;
  }
  return slots;
}

function splitAtStops(text: string): string[] {
  return text
    .split(/(?<=[.?!])\s+/)
    .map((sentence) => sentence.replace(/\{(\w+)\}/g, ' gap$1gap '))
    .map(plainWords)
    .map((sentence) => sentence.replace(/gap(\w+?)gap/g, '{$1}'))
    .filter((sentence) => sentence !== '');
}

function patternOf(text: string, gaps: Readonly<Record<string, Gap>>): Pattern {
  return text.split(' ').map((word) => gaps[word] ?? word);
}

function gapsOf({ agent, slots, digits }: CallerGrammar): Record<string, Gap> {
  const timesAndNames = (list: readonly { readonly normal: string }[]): Record<string, string> =>
    Object.fromEntries(list.map(({ normal }) => [normal, normal]));
  return {
    '{day}': slotGap('day', agent.sayDay),
    '{party}': slotGap('party', agent.sayParty),
    '{time}': slotGap('time', timesAndNames(slots.time)),
    '{name}': slotGap('name', timesAndNames(slots.name)),
    '{digits}': digitsGap(
      new Map(digits.flatMap(({ normal, spoken }) => spoken.map((word) => [word, normal]))),
    ),
  };
}

/** A gap for one of the values, or for a few words that are none of them. @param said normal form -> as the agent says it */
function slotGap(name: Slot, said: Readonly<Record<string, string>>): Gap {
  const values = Object.entries(said).flatMap(([normal, text]) => [
    { normal, words: plainWords(text).split(' '), cost: 0 },
    { normal, words: normal.split(' '), cost: SHORTENED_SLOT }, // "on friday" of which "friday" was heard
  ]);
  const byFirstWord = Map.groupBy(values, ({ words }) => words[0]);
  return {
    name,
    spans: (words, at) => {
      const known = (byFirstWord.get(words[at]) ?? [])
        .filter((value) => value.words.every((word, i) => words[at + i] === word))
        .map((value): GapSpan => ({ words: value.words.length, cost: value.cost, value: value.normal }));
      const unknown = Array.from({ length: UNKNOWN_SLOT_WORDS }, (_, i): GapSpan => {
        return { words: i + 1, cost: UNKNOWN_SLOT + i * FURTHER_UNKNOWN_WORD, value: null };
      });
      return [...known, ...unknown];
    },
  };
}

/** A gap for digits; a word among them that is none becomes '?'. */
function digitsGap(normals: ReadonlyMap<string, string>): Gap {
  return {
    name: 'digits',
    spans: (words, at) => {
      const spans: GapSpan[] = [];
      const heard: string[] = [];
      let cost = 0;
      for (const word of words.slice(at, at + MAX_DIGITS)) {
        const digit = normals.get(word);
        if (digit === undefined && heard.length === 0) break;
        if (digit === undefined) cost += 1;
        heard.push(digit ?? '?');
        if (digit !== undefined) spans.push({ words: heard.length, cost, value: heard.join(' ') });
      }
      return spans;
    },
  };
}
