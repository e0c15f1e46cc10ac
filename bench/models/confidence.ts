/**
 * models.lowConfidence.*: whether the recogniser says so when it does not know. What the guards rejected is
 * transcribed once more without them, to see whether it would have been right or wrong. Thread: main.
 * These rows have no target: the shipped pack's limit was chosen on the very recordings that they are made of (only the
 * noise of the UnseenNoise ones is new to it), so that what they say of it promises nothing.
 */
import { plainWords } from '../../src/caller/caller-grammar.ts';
import type { ModelPack } from '../../src/models/pack.ts';
import type { Transcript } from '../../src/workers/protocol.ts';
import { type BenchRow, figure } from '../bench-row.ts';
import { mapAtOnce, startRecogniser } from './engines.ts';
import { factsOf, type Hearing, isNumberHeard } from './hearing.ts';
import { LINE_RATE_HZ } from './telephone-line.ts';
import { wordErrors } from './transcript-score.ts';

/** Guards that let everything pass. */
const NO_GUARDS = {
  silenceDbfs: -1000,
  noSpeechCertain: 2,
  noSpeechLikely: 2,
  minMeanLogProbability: Number.NEGATIVE_INFINITY,
};
/** An utterance without facts is taken for another when more of its words than this are wrong. */
const MOST_WRONG_WORDS = 0.5;

/**
 * Rows of the shares that were flagged: of transcripts that would have misled the conversation and, to be kept low, of
 * transcripts right to the word. @param suffix of their names
 */
export async function confidenceRows(
  pack: ModelPack,
  hearings: readonly Hearing[],
  suffix = '',
): Promise<BenchRow[]> {
  const unguarded = await withoutGuards(pack, hearings);
  const wrong = unguarded.filter(isMisleading);
  const right = unguarded.filter(({ said, heard }) => said.text === heard);
  return [
    flaggedRow(`wrongFlagged${suffix}`, wrong, 'wrong facts, numbers or intents, all conditions'),
    flaggedRow(`rightFlagged${suffix}`, right, 'transcripts right to the word; less is better'),
  ];
}

/** The share that was flagged of speech that is nothing the models know. */
export function outsideRow(outside: readonly Transcript[]): BenchRow {
  return figure(
    'models.lowConfidence.outsideFlagged',
    'fraction',
    outside.filter(({ text }) => text === '').length / outside.length,
    {
      utterances: outside.length,
      remark: 'speech from outside the domain',
      taken: outside.filter(({ text }) => text !== '').map(({ text }) => plainWords(text)),
    },
  );
}

/** Every hearing with what the model wrote, rejected or not. */
async function withoutGuards(pack: ModelPack, hearings: readonly Hearing[]): Promise<Hearing[]> {
  const rejected = hearings.filter(({ transcript }) => transcript.rejectedBy !== 'none');
  if (rejected.length === 0) return [...hearings];
  const recogniser = await startRecogniser({ ...pack, whisper: { ...pack.whisper, guards: NO_GUARDS } });
  try {
    const texts = await mapAtOnce(rejected, { atOnce: 8, label: 'rejected' }, async ({ samples }) =>
      plainWords((await recogniser.transcribeSamples(samples, LINE_RATE_HZ)).text),
    );
    const textOf = new Map(rejected.map((hearing, i) => [hearing, texts[i]!]));
    return hearings.map((hearing) => ({ ...hearing, heard: textOf.get(hearing) ?? hearing.heard }));
  } finally {
    await recogniser.close();
  }
}

/** A conversation would have gone on with something that was not said. */
function isMisleading(hearing: Hearing): boolean {
  const facts = factsOf(hearing);
  if (facts.length > 0) return facts.some(({ isHeard }) => !isHeard);
  if (!isNumberHeard(hearing)) return true;
  const { errors, words } = wordErrors(hearing.said.text, hearing.heard);
  return errors / words > MOST_WRONG_WORDS;
}

function flaggedRow(name: string, hearings: readonly Hearing[], remark: string): BenchRow {
  const flagged = hearings.filter(({ transcript }) => transcript.rejectedBy !== 'none').length;
  return figure(`models.lowConfidence.${name}`, 'fraction', flagged / Math.max(1, hearings.length), {
    flagged,
    utterances: hearings.length,
    remark,
  });
}
