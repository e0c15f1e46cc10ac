/**
 * A caller ready to be put through: its mind, its voice and its line. Generated from a plan, reading a script, or
 * playing a recording. Thread: the caller process's main thread.
 */
import type { CallerGrammar } from './caller-grammar.ts';
import { type CallerMind, createCallerMind } from './caller-mind.ts';
import type { CallerPlan } from './caller-plan.ts';
import { callerVoice, outgoingLine, type RenderText } from './caller-voice.ts';
import type { VoicePlan } from './line-and-voice.ts';
import type { CallerScript } from './script.ts';
import { createScriptMind } from './script-mind.ts';
import type { Utterance } from './speechwriter.ts';
import type { OutgoingLine } from './telephone.ts';

export interface LiveCaller {
  readonly mind: CallerMind;
  /** Speech at 8 kHz. */
  readonly render: (utterance: Utterance) => Promise<Int16Array>;
  /** Null: clean. */
  readonly line: OutgoingLine | null;
  /** Whether the agent speaks first. */
  readonly expectsGreeting: boolean;
}

/** Another voice than the agent's tells them apart. */
const SCRIPT_VOICE: VoicePlan = { name: 'am_michael', speed: 1, pitchFactor: 1 };

/** The caller of a plan. Renders what it opens the call with, which its noise is measured against. */
export async function generatedCaller(
  plan: CallerPlan,
  grammar: CallerGrammar,
  render: RenderText,
): Promise<LiveCaller> {
  const speak = callerVoice(plan.voice, render);
  const opening = plan.utterances.open?.[0];
  const speech = opening === undefined ? new Int16Array(0) : await speak(opening);
  const mind = createCallerMind(plan, grammar);
  return { mind, render: speak, line: outgoingLine(plan, speech), expectsGreeting: true };
}

/** A caller of the same plan in a hurry: says what it would open with, takes any answer for good and hangs up. */
export async function briefCaller(
  plan: CallerPlan,
  grammar: CallerGrammar,
  render: RenderText,
): Promise<LiveCaller> {
  const caller = await generatedCaller(plan, grammar, render);
  const say = plan.utterances.open?.[0]?.text ?? 'hello';
  const steps = [{ goal: 'any answer', say, expect: ['.'] }];
  return { ...caller, mind: createScriptMind({ name: 'brief', expectsGreeting: true, choices: {}, steps }) };
}

/** A caller that reads a script. */
export function scriptedCaller(script: CallerScript, render: RenderText): LiveCaller {
  const mind = createScriptMind(script);
  const { expectsGreeting } = script;
  return { mind, render: callerVoice(SCRIPT_VOICE, render), line: null, expectsGreeting };
}

/** A caller that plays a recording as the only thing it says, and takes any answer for good. @param samples 8 kHz */
export function recordedCaller(name: string, samples: Int16Array): LiveCaller {
  const step = { goal: 'an answer to the recording', say: name, expect: ['.'] };
  const mind = createScriptMind({ name, expectsGreeting: true, choices: {}, steps: [step] });
  return { mind, render: async () => samples, line: null, expectsGreeting: true };
}
