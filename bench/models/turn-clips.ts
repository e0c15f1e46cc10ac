/**
 * The shipped evaluation set of turn-taking (models/evaluation/turns, made by training/turns): callers who pause, with
 * the true end of their turn. Thread: main, at start.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { damaged, EVALUATION_FOLDER, readIndex, readRecording } from './evaluation-files.ts';
import { LINE_RATE_HZ } from './telephone-line.ts';

const FOLDER = join(EVALUATION_FOLDER, 'turns');

const ms = z.int().nonnegative();
const label = z.object({
  file: z.string(),
  kind: z.string(),
  text: z.string(),
  /** The words of each segment. */
  parts: z.array(z.string()).min(1),
  voice: z.string(),
  snrDb: z.number().nullable(),
  /** Where the phonemes lie, [startMs, endMs]. */
  segments: z.array(z.tuple([ms, ms])).min(1),
  pauses: z.array(z.object({ kind: z.string(), startMs: ms, endMs: ms })),
  turnEndMs: ms,
});
const indexShape = z.object({ sampleRateHz: z.literal(LINE_RATE_HZ), clips: z.array(label).min(1) });

/** One caller's turn on his line: silence, speech with its pauses, silence. */
export type TurnClip = z.output<typeof label> & { readonly samples: Int16Array };

/** @throws WildfireError MODEL_MISSING or MODEL_DAMAGED, naming the file */
export function readTurnClips(folder = FOLDER): TurnClip[] {
  const { clips } = readIndex(join(folder, 'index.json'), indexShape);
  return clips.map((clip) => {
    const path = join(folder, clip.file);
    const samples = readRecording(path);
    if (samples.length * 1000 < clip.turnEndMs * LINE_RATE_HZ) throw damaged(path, 'shorter than its turn');
    return { ...clip, samples };
  });
}
