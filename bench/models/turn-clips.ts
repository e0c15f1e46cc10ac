/**
 * The shipped evaluation set of turn-taking (models/evaluation/turns, made by training/turns): callers who pause, with
 * the true end of their turn. Thread: main, at start.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { parseWav } from '../../src/audio/wav.ts';
import { messageOf, WildfireError } from '../../src/errors.ts';

const FOLDER = fileURLToPath(new URL('../../models/evaluation/turns/', import.meta.url));
const LINE_RATE_HZ = 8000;

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
  const index = join(folder, 'index.json');
  const { clips } = named(index, () => indexShape.parse(JSON.parse(readFileSync(index, 'utf8'))));
  return clips.map((clip) => {
    const path = join(folder, clip.file);
    return { ...clip, samples: named(path, () => samplesOf(path, clip.turnEndMs)) };
  });
}

function samplesOf(path: string, turnEndMs: number): Int16Array {
  const { rateHz, channels } = parseWav(readFileSync(path));
  const [samples] = channels;
  const isMono = samples !== undefined && channels.length === 1;
  if (rateHz !== LINE_RATE_HZ || !isMono) throw new Error('not mono at 8 kHz');
  if (samples.length * 1000 < turnEndMs * LINE_RATE_HZ) throw new Error('shorter than its turn');
  return samples;
}

function named<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const code = isMissing ? 'MODEL_MISSING' : 'MODEL_DAMAGED';
    throw new WildfireError(code, `evaluation data ${path}: ${messageOf(error)}`, { cause: error });
  }
}
