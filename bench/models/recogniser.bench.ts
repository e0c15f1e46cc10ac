/**
 * The recogniser on recorded callers of held-out phrasings and voices (models/evaluation/callers), as the runtime runs
 * it, through G.711: models.wer.clean, .snr15, .noisy, .loss3, and .unseenBabble, .unseenStreet (noise of recipes that no
 * training has); models.slotError.clean, models.phoneExact.clean, models.lowConfidence.*, models.recogniser.utteranceMs.
 * What the guards throw away counts as not heard.
 * Run: node bench/main.ts models/recogniser [--pack PACK] [--limit UTTERANCES]
 */
import { plainWords } from '../../src/caller/caller-grammar.ts';
import { loadPack, type ModelPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import type { Transcript } from '../../src/workers/protocol.ts';
import type { WhisperClient } from '../../src/workers/whisper/whisper-client.ts';
import { type BenchOptions, type BenchResult, type BenchRow, quantiles } from '../bench-row.ts';
import { confidenceRows, outsideRow } from './confidence.ts';
import { mapAtOnce, packMachine, recogniserMachine, startRecogniser } from './engines.ts';
import { type RecordedUtterance, readOutsideSpeech, readRecordedCallers } from './evaluation-data.ts';
import { errorRow, type Hearing, phoneRow, slotRow } from './hearing.ts';
import { judged } from './targets.ts';
import { CONDITIONS, heardOver, LINE_RATE_HZ, withRests } from './telephone-line.ts';
import { type Crowd, crowdOf, heardUnder, UNSEEN_NOISES } from './unseen-noise.ts';

const SEED = 20_250;
/** Utterances on their way at once: enough to keep every thread busy. */
const AT_ONCE = 8;

export async function benchRows(options: BenchOptions): Promise<BenchResult> {
  const pack = await loadPack(packFolderOf(options.pack));
  const all = readRecordedCallers().flatMap(({ utterances }) => utterances);
  const chosen = options.limit === null ? all : spread(all, options.limit);
  const { hearings, unseen, outside, machine } = await hearAll(pack, chosen, crowdOf(all));
  const clean = hearings.filter(({ condition }) => condition === 'clean');
  const rows: BenchRow[] = [
    ...errorRows([...hearings, ...unseen]),
    slotRow(clean),
    phoneRow(clean),
    quantiles(
      'models.recogniser.utteranceMs',
      'ms',
      clean.map(({ transcript }) => transcript.computeMs),
      { remark: 'one inference thread, all cores busy' },
    ),
    ...(await confidenceRows(pack, hearings)),
    outsideRow(outside),
    ...(await confidenceRows(pack, unseen, 'UnseenNoise')),
  ];
  return { rows: rows.map(judged), machine };
}

function errorRows(hearings: readonly Hearing[]): BenchRow[] {
  return [...Map.groupBy(hearings, ({ condition }) => condition)].map(([condition, own]) =>
    errorRow(condition, own, SEED),
  );
}

interface Heard {
  readonly hearings: readonly Hearing[];
  /** Under noise of recipes that no training has. */
  readonly unseen: readonly Hearing[];
  readonly outside: readonly Transcript[];
  readonly machine: Record<string, string>;
}

async function hearAll(
  pack: ModelPack,
  utterances: readonly RecordedUtterance[],
  crowd: Crowd,
): Promise<Heard> {
  const recogniser = await startRecogniser(pack);
  try {
    const hearings: Hearing[] = [];
    for (const condition of CONDITIONS) {
      const line = ({ samples }: RecordedUtterance, seed: number) => heardOver(condition, samples, seed);
      hearings.push(...(await hear(recogniser, utterances, { condition, line })));
    }
    const unseen: Hearing[] = [];
    for (const condition of UNSEEN_NOISES) {
      const line = (said: RecordedUtterance, seed: number) => heardUnder(condition, said, { crowd, seed });
      unseen.push(...(await hear(recogniser, utterances, { condition, line })));
    }
    const strange = readOutsideSpeech().slice(0, utterances.length);
    const outside = await mapAtOnce(strange, { atOnce: AT_ONCE, label: 'outside' }, ({ samples }) =>
      recogniser.transcribeSamples(withRests(samples), LINE_RATE_HZ),
    );
    const machine = { ...packMachine(pack), ...recogniserMachine(recogniser) };
    return { hearings, unseen, outside, machine };
  } finally {
    await recogniser.close();
  }
}

interface Over {
  readonly condition: Hearing['condition'];
  readonly line: (said: RecordedUtterance, seed: number) => Int16Array;
}

function hear(
  recogniser: WhisperClient,
  utterances: readonly RecordedUtterance[],
  { condition, line }: Over,
): Promise<Hearing[]> {
  return mapAtOnce(utterances, { atOnce: AT_ONCE, label: condition }, async (said, index) => {
    const samples = line(said, SEED + index);
    const transcript = await recogniser.transcribeSamples(samples, LINE_RATE_HZ);
    return { condition, said, samples, transcript, heard: plainWords(transcript.text) };
  });
}

/** `count` of them, evenly over all callers. */
function spread<Item>(items: readonly Item[], count: number): Item[] {
  const step = Math.max(1, items.length / count);
  return Array.from({ length: Math.min(count, items.length) }, (_, i) => items[Math.floor(i * step)]!);
}
