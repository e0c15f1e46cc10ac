/**
 * The shipped evaluation data of models/evaluation, read and checked: what the teachers of the speaker said, what the
 * recorded callers may say. Thread: main, at start.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { CallerPlan, Occasion, Utterance } from '../../src/caller/caller-plan.ts';
import { damaged, EVALUATION_FOLDER, readIndex, readRecording } from './evaluation-files.ts';

const position = z.int().nonnegative();
const teacherIndex = z.object({
  clips: z
    .array(
      z.object({
        file: z.string(),
        voice: z.string(),
        student: z.string(),
        text: z.string(),
        written: z.string(),
        startSample: position,
        endSample: position,
      }),
    )
    .min(1),
});

/** An unseen sentence and how its teacher speaks it. */
export type TeacherClip = z.output<typeof teacherIndex>['clips'][number] & { readonly samples: Int16Array };

const span = z.object({ file: z.string(), startSample: position, endSample: position });
const callersIndex = z.object({
  callers: z
    .array(
      z.object({
        /** Written by src/caller/caller-plan.ts itself. */
        plan: z.custom<CallerPlan>(
          (value) => typeof value === 'object' && value !== null && 'utterances' in value,
        ),
        voice: z.string(),
        file: z.string(),
        utterances: z.array(
          z.object({
            occasion: z.string(),
            indexInOccasion: position,
            text: z.string(),
            /** 'fixed': training may have heard these very words. */
            split: z.enum(['heldOut', 'test', 'fixed']),
            startSample: position,
            endSample: position,
          }),
        ),
      }),
    )
    .min(1),
  outside: z.array(span.extend({ voice: z.string(), text: z.string() })),
});

/** Something a recorded caller may say, and how it sounds. */
export interface RecordedUtterance {
  readonly text: string;
  readonly split: 'heldOut' | 'test' | 'fixed';
  readonly utterance: Utterance;
  /** espeak-ng's voice, or flite's. */
  readonly voice: string;
  readonly samples: Int16Array;
}

export interface RecordedCaller {
  readonly plan: CallerPlan;
  readonly voice: string;
  readonly utterances: readonly RecordedUtterance[];
}

/** @throws WildfireError MODEL_MISSING or MODEL_DAMAGED naming the file */
export function readRecordedCallers(): RecordedCaller[] {
  const folder = join(EVALUATION_FOLDER, 'callers');
  const { callers } = readIndex(join(folder, 'index.json'), callersIndex);
  const recordings = new Recordings(folder);
  return callers.map(({ plan, voice, file, utterances }) => ({
    plan,
    voice,
    utterances: utterances.map(({ occasion, indexInOccasion, text, split, ...place }) => {
      const utterance = plan.utterances[occasion as Occasion]?.[indexInOccasion];
      if (utterance?.text !== text) throw damaged(join(folder, file), `its plan does not say "${text}"`);
      return { text, split, utterance, voice, samples: recordings.cut({ file, ...place }) };
    }),
  }));
}

/** English that no model of the pack knows. @throws WildfireError as readRecordedCallers */
export function readOutsideSpeech(): { readonly text: string; readonly samples: Int16Array }[] {
  const folder = join(EVALUATION_FOLDER, 'callers');
  const { outside } = readIndex(join(folder, 'index.json'), callersIndex);
  const recordings = new Recordings(folder);
  return outside.map((entry) => ({ text: entry.text, samples: recordings.cut(entry) }));
}

const dialogueList = z
  .array(
    z.object({
      turns: z
        .array(z.object({ caller: z.string(), reply: z.string(), kind: z.string(), heldOut: z.boolean() }))
        .min(1),
    }),
  )
  .min(1);

/** What a caller says, turn by turn, and what should be replied. */
export type Dialogue = z.output<typeof dialogueList>[number];

/** @throws WildfireError MODEL_MISSING or MODEL_DAMAGED naming the file */
export function readDialogues(): Dialogue[] {
  return readIndex(join(EVALUATION_FOLDER, 'dialogues.json'), dialogueList);
}

/** @throws WildfireError MODEL_MISSING or MODEL_DAMAGED naming the file */
export function readTeacherClips(): TeacherClip[] {
  const folder = join(EVALUATION_FOLDER, 'teacher');
  const { clips } = readIndex(join(folder, 'index.json'), teacherIndex);
  const recordings = new Recordings(folder);
  return clips.map((clip) => ({ ...clip, samples: recordings.cut(clip) }));
}

/** The WAV files of a folder, each read once. */
class Recordings {
  readonly #folder: string;
  readonly #samples = new Map<string, Int16Array>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  cut({
    file,
    startSample,
    endSample,
  }: {
    file: string;
    startSample: number;
    endSample: number;
  }): Int16Array {
    const samples = this.#samples.get(file) ?? this.#read(file);
    if (endSample > samples.length || startSample >= endSample) {
      throw damaged(join(this.#folder, file), `it has no samples ${startSample} to ${endSample}`);
    }
    return samples.slice(startSample, endSample);
  }

  #read(file: string): Int16Array {
    const samples = readRecording(join(this.#folder, file));
    this.#samples.set(file, samples);
    return samples;
  }
}
