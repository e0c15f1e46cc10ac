/**
 * What the shipped models have to reach, by result name: one table, so that the bench, its printed table and the
 * model card cannot disagree. Pure. The card (models/embedded/README.md) has the measured figures.
 */
import { aimedAt, type BenchRow, type Target } from '../bench-row.ts';

export const MODEL_TARGETS: Readonly<Record<string, Target>> = {
  'models.wer.clean': { atMost: 0.04 },
  'models.wer.snr15': { atMost: 0.08 },
  'models.wer.noisy': { atMost: 0.12 },
  'models.wer.loss3': { atMost: 0.08 },
  'models.slotError.clean': { atMost: 0.04 },
  'models.phoneExact.clean': { atLeast: 0.9 },
  'models.hallucinatedWords': { atMost: 0 },
  'models.turns.true': { atLeast: 0.99 },
  'models.confirmations.true': { atLeast: 0.97 },
  'models.readBack.true': { atLeast: 0.95 },
  'models.dialogue.true': { atLeast: 0.95 },
  'models.dialogue.recognised': { atLeast: 0.9 },
  'models.tts.wer': { atMost: 0.04 },
  /** No worse than its teachers, sampling aside. */
  'models.tts.errorsAboveTeacher': { atMost: 1 },
  'models.tts.realTimeFactor': { atMost: 0.03 },
  'models.tts.peakDbfs': { atMost: -1 },
  /** A minor third: nobody takes one voice for the other. */
  'models.tts.voiceDistance': { atLeast: 3 },
  'models.tts.silenceDbfs': { atMost: -60 },
  'models.callers.goalsMet': { atLeast: 0.9 },
  /** 30 MB. */
  'models.sizeMiB': { atMost: 28.6 },
  'models.coldStartMs': { atMost: 5000 },
};

/** The row with the target of its name, if there is one. */
export function judged(row: BenchRow): BenchRow {
  const target = MODEL_TARGETS[row.name];
  return target === undefined ? row : aimedAt(row, target);
}
