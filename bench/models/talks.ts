/** Conversations of generated and of recorded callers with the models, and the rows about them. Thread: main. */
import type { AgentPersona } from '../../src/call/call-dependencies.ts';
import { type CallerGrammar, plainWords } from '../../src/caller/caller-grammar.ts';
import { createCallerMind } from '../../src/caller/caller-mind.ts';
import { type CallerPlan, planCaller } from '../../src/caller/caller-plan.ts';
import type { LlamaClient } from '../../src/workers/llama/llama-client.ts';
import type { WhisperClient } from '../../src/workers/whisper/whisper-client.ts';
import { type BenchRow, figure } from '../bench-row.ts';
import { converse, type Talk, TalkingAgent } from './agent-talk.ts';
import { mapAtOnce } from './engines.ts';
import type { RecordedCaller } from './evaluation-data.ts';
import { endsRight } from './final-slots.ts';
import { type Condition, heardOver, LINE_RATE_HZ, saidAgain } from './telephone-line.ts';

export interface Stage {
  readonly llama: LlamaClient;
  readonly grammar: CallerGrammar;
  readonly persona: AgentPersona;
  readonly atOnce: number;
}

export interface JudgedTalk extends Talk {
  readonly plan: CallerPlan;
  /** Goal met by what was heard, and the agent's last confirmation has the goal's facts. */
  readonly isRight: boolean;
  /** Of the recording; '' for text. */
  readonly voice: string;
}

/** Apart from the seeds of the recorded callers and of the callers bench. */
const FIRST_SEED = 710_000;
const LINE_SEED = 41_000;
const FEWEST_TURNS = 4;
const MOST_TURNS = 10;
const MOST_EXAMPLES = 30;

let nextCallId = 1_000_000;

/** Callers that hear and are heard without fault. */
export function generatedTalks(stage: Stage, count: number): Promise<JudgedTalk[]> {
  const seeds = Array.from({ length: count }, (_, i) => FIRST_SEED + i);
  return mapAtOnce(seeds, { atOnce: stage.atOnce, label: 'true transcripts' }, (seed) => {
    const plan = planCaller({ grammar: stage.grammar, seed, phrasing: 'heldOut' });
    return talk(stage, { plan, voice: '' }, async ({ utterance }) => utterance.text);
  });
}

/** Recorded callers, heard over a line. Who says the same again says it a little louder or softer. */
export function recordedTalks(
  stage: Stage,
  recogniser: WhisperClient,
  { callers, condition }: { readonly callers: readonly RecordedCaller[]; readonly condition: Condition },
): Promise<JudgedTalk[]> {
  const label = `recognised, ${condition}`;
  return mapAtOnce(callers, { atOnce: stage.atOnce, label }, (caller, index) => {
    const sounds = new Map(caller.utterances.map(({ text, samples }) => [text, samples]));
    const timesSaid = new Map<string, number>();
    return talk(stage, caller, async ({ utterance: { text } }) => {
      const samples = sounds.get(text);
      if (samples === undefined) return '';
      const times = timesSaid.get(text) ?? 0;
      timesSaid.set(text, times + 1);
      const seed = LINE_SEED + 100 * index + times;
      const said = times === 0 ? samples : saidAgain(samples, seed);
      const heard = await recogniser.transcribeSamples(heardOver(condition, said, seed), LINE_RATE_HZ);
      return plainWords(heard.text);
    });
  });
}

async function talk(
  { llama, grammar, persona }: Stage,
  { plan, voice }: { readonly plan: CallerPlan; readonly voice: string },
  hear: Parameters<typeof converse>[2]['hear'],
): Promise<JudgedTalk> {
  const agent = new TalkingAgent(llama, persona, nextCallId++);
  try {
    const mind = createCallerMind(plan, grammar);
    const made = await converse(mind, agent, { greeting: persona.greeting, hear });
    const replies = made.turns.map(({ reply }) => reply);
    return { ...made, plan, voice, isRight: made.goalMet && endsRight(plan, replies, grammar) };
  } finally {
    await agent.close();
  }
}

/**
 * Share of conversations that ended right.
 * @param which 'fourToTen': a right one counts when it took 4 to 10 turns; shorter right ones are left out, and whatever
 * went wrong or took longer counts as wrong
 */
export function talkRow(name: string, talks: readonly JudgedTalk[], which: 'all' | 'fourToTen'): BenchRow {
  const isShort = ({ turns, isRight }: JudgedTalk): boolean => isRight && turns.length < FEWEST_TURNS;
  const isGood = ({ turns, isRight }: JudgedTalk): boolean =>
    isRight && (which === 'all' || turns.length <= MOST_TURNS);
  const counted = which === 'all' ? talks : talks.filter((one) => !isShort(one));
  const good = counted.filter(isGood);
  const turns = counted.map((one) => one.turns.length);
  return figure(name, 'fraction', good.length / counted.length, {
    dialogues: counted.length,
    right: good.length,
    tooShort: talks.length - counted.length,
    meanTurns: Number((turns.reduce((sum, count) => sum + count, 0) / counted.length).toFixed(1)),
    byKind: byGroup(counted, isGood, ({ plan }) => plan.kind),
    ...(counted.some(({ voice }) => voice !== '')
      ? {
          bySpeaker: byGroup(counted, isGood, ({ voice }) =>
            voice.startsWith('flite') ? voice : 'espeak-ng',
          ),
        }
      : {}),
    firstSeed: talks[0]?.plan.seed,
    failed: counted
      .filter((one) => !isGood(one))
      .slice(0, MOST_EXAMPLES)
      .map(({ plan, voice, why, goalMet, turns: said }) => ({
        seed: plan.seed,
        kind: plan.kind,
        goal: plan.goal,
        ...(voice === '' ? {} : { voice }),
        goalMet,
        why,
        turns: said,
      })),
  });
}

function byGroup(
  talks: readonly JudgedTalk[],
  isGood: (one: JudgedTalk) => boolean,
  groupOf: (one: JudgedTalk) => string,
): Record<string, { right: number; of: number }> {
  return Object.fromEntries(
    [...Map.groupBy(talks, groupOf)].map(([group, own]) => [
      group,
      { right: own.filter(isGood).length, of: own.length },
    ]),
  );
}
