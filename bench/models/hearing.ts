/** What was made of recorded utterances, and the rows about it. Pure. */
import type { Transcript } from '../../src/workers/protocol.ts';
import { type BenchRow, figure, rounded } from '../bench-row.ts';
import type { RecordedUtterance } from './evaluation-data.ts';
import type { Condition } from './telephone-line.ts';
import { coreOf, digitsIn, errorRate, factsHeard, wordErrors } from './transcript-score.ts';
import type { UnseenNoise } from './unseen-noise.ts';

export interface Hearing {
  readonly condition: Condition | UnseenNoise;
  readonly said: RecordedUtterance;
  /** What the recogniser got. */
  readonly samples: Int16Array;
  readonly transcript: Transcript;
  /** Its text as plain words; '' when nothing was heard or the guards rejected it. */
  readonly heard: string;
}

export interface Fact {
  readonly slot: string;
  readonly words: string;
  readonly isHeard: boolean;
}

const MOST_EXAMPLES = 40;

/** Word error rate under one condition, whole and by voice. */
export function errorRow(
  condition: Hearing['condition'],
  hearings: readonly Hearing[],
  seed: number,
): BenchRow {
  const unfixed = hearings.filter(({ said }) => said.split !== 'fixed');
  return figure(`models.wer.${condition}`, 'fraction', rateOf(hearings), {
    utterances: hearings.length,
    exact: rounded(hearings.filter(({ said, heard }) => said.text === heard).length / hearings.length),
    rejected: hearings.filter(({ transcript }) => transcript.rejectedBy !== 'none').length,
    withoutFixed: rounded(rateOf(unfixed)),
    byVoice: Object.fromEntries(
      [...Map.groupBy(hearings, ({ said }) => voiceGroup(said.voice))].map(([voice, own]) => [
        voice,
        { wer: rounded(rateOf(own)), utterances: own.length },
      ]),
    ),
    seed,
    misheard: hearings
      .filter(({ said, heard }) => said.text !== heard)
      .slice(0, MOST_EXAMPLES)
      .map(({ said, heard, transcript }) => ({
        voice: said.voice,
        said: said.text,
        heard,
        ...(transcript.rejectedBy === 'none' ? {} : { rejectedBy: transcript.rejectedBy }),
      })),
  });
}

/**
 * Share of names, numbers, days and times whose words cannot be found in the transcripts; phone numbers apart.
 * `asSpoken` asks for every word of the fact: "six guests" for "six".
 */
export function slotRow(hearings: readonly Hearing[]): BenchRow {
  const facts = hearings.flatMap((hearing) =>
    factsOf(hearing).map((fact) => ({ ...fact, said: hearing.said.text, heard: hearing.heard })),
  );
  const missed = facts.filter(({ isHeard }) => !isHeard);
  const literal = hearings.flatMap(({ said: { utterance }, heard }) =>
    utterance.digits === undefined ? factsHeard(utterance.spokenSlots, heard) : [],
  );
  return figure('models.slotError.clean', 'fraction', missed.length / facts.length, {
    facts: facts.length,
    asSpoken: rounded(literal.filter((isFound) => !isFound).length / literal.length),
    bySlot: Object.fromEntries(
      [...Map.groupBy(facts, ({ slot }) => slot)].map(([slot, own]) => [
        slot,
        { missed: own.filter(({ isHeard }) => !isHeard).length, of: own.length },
      ]),
    ),
    missed: missed.slice(0, MOST_EXAMPLES).map(({ words, said, heard }) => ({ words, said, heard })),
  });
}

/** Share of phone numbers of which every digit was heard, in order, and no other. */
export function phoneRow(hearings: readonly Hearing[]): BenchRow {
  const phones = hearings.filter(({ said }) => said.utterance.digits !== undefined);
  const wrong = phones.filter((hearing) => !isNumberHeard(hearing));
  const right = phones.length - wrong.length;
  return figure('models.phoneExact.clean', 'fraction', right / phones.length, {
    numbers: phones.length,
    right,
    wrong: wrong
      .slice(0, MOST_EXAMPLES)
      .map(({ said, heard }) => ({ voice: said.voice, said: said.text, heard })),
  });
}

/** The facts of an utterance, digits apart, and whether each was heard. */
export function factsOf({ said: { utterance }, heard }: Pick<Hearing, 'said' | 'heard'>): Fact[] {
  const slots = Object.keys(utterance.slots);
  // Digits stand among the spoken slots, but under no slot.
  const words = utterance.digits === undefined ? utterance.spokenSlots : [];
  const isHeard = factsHeard(words.map(coreOf), heard);
  return words.map((spoken, i) => ({ slot: slots[i] ?? 'other', words: spoken, isHeard: isHeard[i]! }));
}

/** True for utterances without digits, too. */
export function isNumberHeard({ said: { utterance }, heard }: Pick<Hearing, 'said' | 'heard'>): boolean {
  return utterance.digits === undefined || utterance.digits.join(' ') === digitsIn(heard).join(' ');
}

/** The variant, whatever its accent: "en-us+klatt3" is espeak klatt3. */
export function voiceGroup(voice: string): string {
  return voice.includes('+') ? `espeak ${voice.split('+')[1]}` : voice;
}

function rateOf(hearings: readonly Hearing[]): number {
  return errorRate(hearings.map(({ said, heard }) => wordErrors(said.text, heard)));
}
