/**
 * The words of a pack's domain as callers need them (`callers/grammar.json`, written by training/grammar): slots with
 * what is said for them, phrases with {placeholders}, and what the agent says. Pure but for reading the file.
 * Thread: any.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { messageOf, WildfireError } from '../errors.ts';

export const SLOTS = ['day', 'time', 'party', 'name'] as const;
export type Slot = (typeof SLOTS)[number];
/** Slots with their normal form: { day: 'friday', party: 'two' }. */
export type SlotValues = Partial<Record<Slot, string>>;

/** Which phrases a caller uses: those that the models were trained on, or those kept for measuring. */
export const PHRASINGS = ['trained', 'heldOut'] as const;
export type Phrasing = (typeof PHRASINGS)[number];

/** Phrase lists that every grammar has, besides `info.<topic>` for each topic. */
const PHRASE_KEYS = [
  ...['hello', 'hesitation', 'politeness', 'book', 'bookWith', 'cancel', 'cancelNamed', 'callback'],
  ...['answer.day', 'answer.time', 'answer.party', 'answer.name', 'answer.day+time'],
  ...['change.day', 'change.time', 'change.party', 'change.name', 'phone', 'phoneAgain'],
  ...['yes', 'no', 'noMore', 'bye', 'repeat', 'hold', 'stillHere', 'human', 'junk'],
] as const;

const PLACEHOLDERS = ['day', 'on', 'time', 'party', 'people', 'name', 'digits'];

const words = z.string().min(1);
const spoken = z.array(words).min(1);
const template = z.string().refine(hasKnownPlaceholders, `placeholders are {${PLACEHOLDERS.join('}, {')}}`);
const phraseList = z.object({ trained: z.array(template).min(1), heldOut: z.array(template).default([]) });

const agentSchema = z.object({
  ...textsNamed(['greeting', 'apology', 'noInputPrompt', 'goodbye', 'anythingElse', 'howCanIHelp']),
  ...textsNamed(['whatToChange', 'askPhone', 'askBookingName', 'callBack', 'cancelled', 'notCancelled']),
  ...textsNamed(['booked', 'handover', 'takeYourTime', 'iHearYou']),
  ask: z.object({ day: words, time: words, party: words, name: words }),
  confirm: words.refine(hasAll(['{party}', '{day}', '{time}', '{name}']), 'needs all four slots'),
  readBack: words.refine(hasAll(['{digits}']), 'needs {digits}'),
  askCancel: words.refine(hasAll(['{name}']), 'needs {name}'),
  sayDay: z.record(z.string(), words),
  sayParty: z.record(z.string(), words),
  info: z.record(z.string(), words),
});

const grammarSchema = z
  .object({
    schemaVersion: z.literal(1),
    slots: z.object({
      day: z.array(z.object({ normal: words, spoken, on: spoken })).min(2),
      time: z.array(z.object({ normal: words, spoken })).min(2),
      party: z.array(z.object({ normal: words, spoken, people: spoken })).min(2),
      name: z.array(z.object({ normal: words, spoken })).min(2),
    }),
    digits: z.array(z.object({ normal: words, spoken })).length(10),
    phrases: z.record(z.string(), phraseList),
    agent: agentSchema,
  })
  .superRefine(({ phrases, agent, slots }, context) => {
    const keys = [...PHRASE_KEYS, ...Object.keys(agent.info).map((topic) => `info.${topic}`)];
    for (const key of keys.filter((key) => phrases[key] === undefined)) {
      context.addIssue({ code: 'custom', path: ['phrases'], message: `has no "${key}"` });
    }
    for (const { normal } of slots.day.filter(({ normal }) => agent.sayDay[normal] === undefined)) {
      context.addIssue({ code: 'custom', path: ['agent', 'sayDay'], message: `has no "${normal}"` });
    }
    for (const { normal } of slots.party.filter(({ normal }) => agent.sayParty[normal] === undefined)) {
      context.addIssue({ code: 'custom', path: ['agent', 'sayParty'], message: `has no "${normal}"` });
    }
  });

export type CallerGrammar = z.output<typeof grammarSchema>;
/** The pack's file of it. */
export const GRAMMAR_FILE = 'callers/grammar.json';

/**
 * Reads and validates a grammar.
 * @throws WildfireError USAGE_INVALID naming the file and every mistake
 */
export function readCallerGrammar(file: string): CallerGrammar {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new WildfireError('USAGE_INVALID', `cannot read the caller grammar ${file}: ${messageOf(error)}`);
  }
  return parseCallerGrammar(document, file);
}

/**
 * Validates a grammar.
 * @param source named in the error
 * @throws WildfireError USAGE_INVALID with every mistake on a line of its own
 */
export function parseCallerGrammar(document: unknown, source: string): CallerGrammar {
  const result = grammarSchema.safeParse(document);
  if (result.success) return result.data;
  const mistakes = result.error.issues.map((issue) => `${source}: ${issue.path.join('.')}: ${issue.message}`);
  throw new WildfireError('USAGE_INVALID', mistakes.join('\n'));
}

/** Lower-case words with single spaces; punctuation goes, apostrophes stay: "Yes, on Friday." -> "yes on friday". */
export function plainWords(text: string): string {
  return text
    .toLowerCase()
    .replace(/[’]/g, "'")
    .replace(/[^\p{L}\p{N}']+/gu, ' ')
    .trim();
}

function textsNamed<const Name extends string>(names: readonly Name[]): Record<Name, typeof words> {
  return Object.fromEntries(names.map((name) => [name, words])) as Record<Name, typeof words>;
}

function hasAll(parts: readonly string[]): (text: string) => boolean {
  return (text) => parts.every((part) => text.includes(part));
}

function hasKnownPlaceholders(text: string): boolean {
  return [...text.matchAll(/\{([^}]*)\}/g)].every(([, name]) => PLACEHOLDERS.includes(name ?? ''));
}
