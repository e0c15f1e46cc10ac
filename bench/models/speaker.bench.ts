/**
 * The speaker: models.tts.wer (read back by the recogniser over a telephone, beside the recordings of its teachers),
 * models.tts.errorsAboveTeacher (how much worse than them it is; the margin is one standard error of the difference, which
 * follows from the number of words), models.tts.realTimeFactor, models.tts.peakDbfs, models.tts.silenceDbfs (between the
 * sentences of a reply, in the ring), models.tts.voiceDistance. Sentences and teachers: models/evaluation/teacher.
 * Run: node bench/main.ts models/speaker [--pack PACK] [--limit SENTENCES]
 */
import { peak } from '../../src/audio/level.ts';
import { plainWords } from '../../src/caller/caller-grammar.ts';
import { loadPack, type ModelPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import { TtsClient } from '../../src/workers/tts/tts-client.ts';
import type { WhisperClient } from '../../src/workers/whisper/whisper-client.ts';
import {
  against,
  type BenchOptions,
  type BenchResult,
  type BenchRow,
  figure,
  quantiles,
} from '../bench-row.ts';
import { mapAtOnce, packMachine, recogniserMachine, startRecogniser } from './engines.ts';
import { readTeacherClips, type TeacherClip } from './evaluation-data.ts';
import { type Joint, jointsOf } from './reply-silence.ts';
import { judged } from './targets.ts';
import { LINE_RATE_HZ, throughUlaw, withRests } from './telephone-line.ts';
import { errorRate, standardErrorsAbove, type WordCount, wordErrors } from './transcript-score.ts';
import { medianPitchHz, semitonesBetween } from './voice-pitch.ts';

/** What the network makes, before the line. */
const MODEL_RATE_HZ = 24_000;
/** Fixes where the speaker cuts long sentences, so that equal text gives equal samples on any machine. */
const ASSUMED_REAL_TIME_FACTOR = 0.02;

interface Reading {
  readonly clip: TeacherClip;
  readonly realTimeFactor: number;
  readonly peakDbfs: number;
  readonly pitchHz: number;
  readonly line: Int16Array;
}

export async function benchRows(options: BenchOptions): Promise<BenchResult> {
  const pack = await loadPack(packFolderOf(options.pack));
  const all = readTeacherClips();
  // Every n-th, so that a limited run has both voices.
  const clips = options.limit === null ? all : everyNth(all, options.limit);
  const { readings, joints } = await spoken(pack, clips);
  const recogniser = await startRecogniser(pack);
  try {
    const read = await readBack(recogniser, readings);
    const rows = [...readBackRows(read), ...soundRows(readings), silenceRow(joints)];
    return { rows: rows.map(judged), machine: { ...packMachine(pack), ...recogniserMachine(recogniser) } };
  } finally {
    await recogniser.close();
  }
}

/** Every sentence in the voice that learned it, on one thread, before the recogniser takes any. */
async function spoken(
  pack: ModelPack,
  clips: readonly TeacherClip[],
): Promise<{ readings: Reading[]; joints: Joint[] }> {
  const speaker = await TtsClient.start({
    ...pack.tts,
    threads: 1,
    intraOpThreads: 1,
    niceIncrement: 0,
    cacheBytes: 0,
    assumedRealTimeFactor: ASSUMED_REAL_TIME_FACTOR,
  });
  try {
    const readings: Reading[] = [];
    for (const clip of clips) readings.push(await read(speaker, clip));
    const voices = [...new Set(clips.map(({ student }) => student))];
    const joints: Joint[] = [];
    for (const voice of voices) joints.push(...(await jointsOf(speaker, voice)));
    return { readings, joints };
  } finally {
    await speaker.close();
  }
}

async function read(speaker: TtsClient, clip: TeacherClip): Promise<Reading> {
  const voice = clip.student;
  const startedAtMs = performance.now();
  const { samples: line } = await speaker.render(clip.written, { voice, rateHz: LINE_RATE_HZ });
  const tookMs = performance.now() - startedAtMs;
  const { samples } = await speaker.render(clip.written, { voice, rateHz: MODEL_RATE_HZ });
  return {
    clip,
    line,
    realTimeFactor: tookMs / ((line.length * 1000) / LINE_RATE_HZ),
    peakDbfs: 20 * Math.log10(Math.max(peak(samples), peak(line)) / 32_768),
    pitchHz: medianPitchHz(line, LINE_RATE_HZ),
  };
}

interface ReadBack {
  readonly voice: string;
  readonly said: string;
  /** What the recogniser made of each of them. */
  readonly student: string;
  readonly teacher: string;
  readonly counts: { readonly student: WordCount; readonly teacher: WordCount };
}

function readBack(recogniser: WhisperClient, readings: readonly Reading[]): Promise<ReadBack[]> {
  const hear = async (speech: Int16Array): Promise<string> => {
    const heard = await recogniser.transcribeSamples(withRests(speech), LINE_RATE_HZ);
    return plainWords(heard.text);
  };
  return mapAtOnce(readings, { atOnce: 8, label: 'speaker' }, async ({ clip, line }) => {
    const [student, teacher] = [await hear(throughUlaw(line)), await hear(clip.samples)];
    return {
      voice: clip.student,
      said: clip.text,
      student,
      teacher,
      counts: { student: wordErrors(clip.text, student), teacher: wordErrors(clip.text, teacher) },
    };
  });
}

function readBackRows(scored: readonly ReadBack[]): BenchRow[] {
  const countsOf = (who: 'student' | 'teacher', voice?: string): WordCount[] =>
    scored.filter((one) => voice === undefined || one.voice === voice).map((one) => one.counts[who]);
  const rateOf = (...of: Parameters<typeof countsOf>): number => errorRate(countsOf(...of));
  const voices = [...new Set(scored.map(({ voice }) => voice))];
  const details = {
    sentences: scored.length,
    exact: scored.filter(({ said, student }) => said === student).length,
    byVoice: Object.fromEntries(
      voices.map((voice) => [
        voice,
        { student: rateOf('student', voice), teacher: rateOf('teacher', voice) },
      ]),
    ),
    misheard: scored
      .filter(({ said, student }) => said !== student)
      .map(({ voice, said, student, teacher }) => ({ voice, said, student, teacher })),
  };
  const teacher = { name: 'teacher', p50: rateOf('teacher') };
  const above = standardErrorsAbove(countsOf('student'), countsOf('teacher'));
  return [
    against(figure('models.tts.wer', 'fraction', rateOf('student'), details), teacher),
    figure('models.tts.errorsAboveTeacher', 'standard errors', above, {
      words: countsOf('student').reduce((sum, { words }) => sum + words, 0),
      remark: 'word errors over those of the teacher',
    }),
  ];
}

function soundRows(readings: readonly Reading[]): BenchRow[] {
  const voices = [...new Set(readings.map(({ clip }) => clip.student))];
  const pitches = voices.map((voice) =>
    readings.filter(({ clip }) => clip.student === voice).map((one) => one.pitchHz),
  );
  const medians = pitches.map((values) => quantiles('', '', values).p50);
  const [low = 0, high = 0] = medians.toSorted((a, b) => a - b);
  const border = Math.sqrt(low * high);
  const apart = pitches.flatMap((values, i) => values.map((hz) => hz < border === medians[i]! < border));
  const louder = Math.max(...readings.map(({ peakDbfs }) => peakDbfs));
  return [
    quantiles(
      'models.tts.realTimeFactor',
      'ratio',
      readings.map(({ realTimeFactor }) => realTimeFactor),
      { remark: 'one thread, 24 to 8 kHz included' },
    ),
    figure('models.tts.peakDbfs', 'dBFS', louder, { sentences: readings.length }),
    figure('models.tts.voiceDistance', 'semitones', semitonesBetween(low, high), {
      medianPitchHz: Object.fromEntries(voices.map((voice, i) => [voice, medians[i]])),
      toldApart: apart.filter((isRight) => isRight).length / apart.length,
      remark: 'between the median pitches of the voices',
    }),
  ];
}

function silenceRow(joints: readonly Joint[]): BenchRow {
  const loudest = Math.max(...joints.map(({ silenceDbfs }) => silenceDbfs));
  const stepDbfs = Math.max(...joints.map((joint) => joint.stepDbfs));
  return figure('models.tts.silenceDbfs', 'dBFS', loudest, { joints: joints.length, stepDbfs });
}

function everyNth<Item>(items: readonly Item[], count: number): Item[] {
  const step = Math.max(1, items.length / count);
  return Array.from({ length: Math.min(count, items.length) }, (_, i) => items[Math.floor(i * step)]!);
}
