/**
 * Scripts of the built-in caller: what to say or key in, step by step, and what the answer must contain. Words in
 * {braces} are drawn from `choices` with a seed, so that one script gives many conversations.
 * Thread: the caller process's main thread. Pure but for reading the file.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { messageOf, WildfireError } from '../errors.ts';
import { seededRandom } from './seeded-random.ts';

const stepSchema = z
  .strictObject({
    /** What the step is for, in a few words. */
    goal: z.string().min(1),
    /** Spoken by the caller's voice. */
    say: z.string().optional(),
    /** Keys sent as RFC 4733 events. */
    dtmf: z
      .string()
      .regex(/^[0-9*#A-D]+$/)
      .optional(),
    /** Speak over the agent, this long after its reply to the step before began. */
    bargeInAfterMs: z.int().min(0).optional(),
    /** Regular expressions (case ignored) that what the agent says aloud must all match. */
    expect: z.array(z.string().refine(isPattern, 'not a regular expression')).default([]),
  })
  .refine((step) => (step.say === undefined) !== (step.dtmf === undefined), 'needs either "say" or "dtmf"');

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false; // what is wrong with it is not worth more words than "not a regular expression"
  }
}

const scriptSchema = z.strictObject({
  name: z.string().min(1),
  /** Whether the agent speaks first. */
  expectsGreeting: z.boolean().default(true),
  choices: z.record(z.string(), z.array(z.string()).min(1)).default({}),
  steps: z.array(stepSchema).min(1),
});

export type CallerStep = z.output<typeof stepSchema>;
export type CallerScript = z.output<typeof scriptSchema>;

/**
 * Reads and validates a script.
 * @throws WildfireError USAGE_INVALID naming the file and every mistake
 */
export function readScript(file: string): CallerScript {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new WildfireError('USAGE_INVALID', `cannot read the caller script ${file}: ${messageOf(error)}`);
  }
  const result = scriptSchema.safeParse(parsed);
  if (!result.success) {
    const mistakes = result.error.issues.map((issue) => `${file}: ${issue.path.join('.')}: ${issue.message}`);
    throw new WildfireError('USAGE_INVALID', mistakes.join('\n'));
  }
  return result.data;
}

/** The script with every {word} replaced by one of its choices, the same one everywhere. */
export function drawScript(script: CallerScript, seed: number): CallerScript {
  const random = seededRandom(seed);
  const drawn = Object.fromEntries(
    Object.entries(script.choices).map(([word, options]) => [
      word,
      options[Math.floor(random() * options.length)] ?? '',
    ]),
  );
  const fill = (text: string, written = (choice: string): string => choice): string =>
    text.replace(/\{(\w+)\}/g, (whole, word: string) =>
      drawn[word] === undefined ? whole : written(drawn[word]),
    );
  return {
    ...script,
    steps: script.steps.map((step) => ({
      ...step,
      ...(step.say === undefined ? {} : { say: fill(step.say) }),
      expect: step.expect.map((pattern) => fill(pattern, asPattern)),
    })),
  };
}

/** A pattern that matches this text and nothing else. */
function asPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
