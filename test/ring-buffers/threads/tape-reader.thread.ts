/** Reads random stretches of a tape while it is written, most of them at the edge of being overwritten. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  FIXED_WORD,
  SAMPLES_OFFSET_BYTES,
  type SharedAudio,
  TAPE_WORD,
  type TapeHandle,
} from '../../../src/ring-buffers/layout.ts';
import { advance, signedDistance } from '../../../src/ring-buffers/position.ts';
import { copyOut } from '../../../src/ring-buffers/sample-area.ts';
import { TapeReader, type TapeReadResult } from '../../../src/ring-buffers/tape.ts';
import { SeededRandom } from '../../seeded-random.ts';
import { guardedFrame } from './canaries.ts';
import { countWrong } from './pattern.ts';

export interface TapeReaderJob {
  readonly handle: TapeHandle;
  readonly seed: number;
  readonly reads: number;
  /** 'trusting' is the broken one: it does not look again after the copy. */
  readonly protocol: 'wildfire' | 'trusting';
  readonly control: Int32Array;
}

export interface TapeReaderResult {
  readonly ok: number;
  readonly lapped: number;
  readonly ahead: number;
  readonly wrongSamples: number;
  /** Answers that the indices around the read contradict. */
  readonly wrongAnswers: number;
  readonly touchedOutside: number;
}

const UNTOUCHED = 4321;
const job = workerData as TapeReaderJob;
const random = new SeededRandom(job.seed);
const reader = new TapeReader(job.handle);
const words = new Int32Array(job.handle.buffer, 0, SAMPLES_OFFSET_BYTES / 4);
const capacity = reader.capacitySamples;
const tally = { ok: 0, lapped: 0, ahead: 0, wrongSamples: 0, wrongAnswers: 0, touchedOutside: 0 };

for (let i = 0; i < job.reads; i++) readOnce();
Atomics.sub(job.control, 0, 1);
parentPort?.postMessage(tally satisfies TapeReaderResult);

function readOnce(): void {
  const { frame, guardsAlive } = guardedFrame(random.integer(1, 512));
  frame.fill(UNTOUCHED);
  const headBefore = reader.positionSamples;
  const from = random.isTrue(0.7)
    ? advance(headBefore, random.integer(-64, 512) - capacity)
    : advance(headBefore, random.integer(-2 * frame.length, 16));
  const answer = job.protocol === 'wildfire' ? reader.read(from, frame) : readTrusting(from, frame);
  tally[answer]++;
  if (!isPlausible(answer, from, frame, headBefore)) tally.wrongAnswers++;
  if (!guardsAlive()) tally.touchedOutside++;
  if (answer === 'ok') tally.wrongSamples += countWrong(frame, frame.length, from);
}

function isPlausible(answer: TapeReadResult, from: number, frame: Int16Array, headBefore: number): boolean {
  if (answer === 'ahead') {
    return signedDistance(from, headBefore) < frame.length && frame.every((sample) => sample === UNTOUCHED);
  }
  if (answer === 'lapped') {
    const isBeforeStart = signedDistance(words[FIXED_WORD.startPosition]!, from) < 0;
    return isBeforeStart || signedDistance(from, words[TAPE_WORD.claimed]!) > capacity;
  }
  return true;
}

function readTrusting(from: number, target: Int16Array): TapeReadResult {
  const tape: Pick<SharedAudio, 'samples'> = {
    samples: new Int16Array(job.handle.buffer, SAMPLES_OFFSET_BYTES, capacity),
  };
  const writtenSamples = signedDistance(from, reader.positionSamples);
  if (writtenSamples < target.length) return 'ahead';
  if (writtenSamples > capacity) return 'lapped';
  copyOut(tape.samples, from, target, target.length);
  return 'ok';
}
