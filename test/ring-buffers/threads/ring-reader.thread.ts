/** Reads a ring in frames of random length and checks every sample, the silence behind it and the guards. */
import { parentPort, workerData } from 'node:worker_threads';
import type { RingHandle } from '../../../src/ring-buffers/layout.ts';
import { RingReader } from '../../../src/ring-buffers/ring.ts';
import { SeededRandom } from '../../seeded-random.ts';
import { guardedFrame } from './canaries.ts';
import { countWrong } from './pattern.ts';

export interface RingReaderJob {
  readonly handle: RingHandle;
  readonly seed: number;
  readonly totalSamples: number;
}

export interface RingReaderResult {
  readonly wrongSamples: number;
  readonly loudSilence: number;
  readonly touchedOutside: number;
  readonly shortFrames: number;
}

const job = workerData as RingReaderJob;
const random = new SeededRandom(job.seed);
const reader = new RingReader(job.handle);
const tally = { wrongSamples: 0, loudSilence: 0, touchedOutside: 0, shortFrames: 0 };
const frames = Array.from({ length: 320 }, (_, index) => guardedFrame(index + 1));
for (let readSamples = 0; readSamples < job.totalSamples; ) {
  const { frame, guardsAlive } = random.pick(frames);
  const index = reader.readIndex;
  const heardSamples = reader.read(frame);
  readSamples += heardSamples;
  tally.wrongSamples += countWrong(frame, heardSamples, index);
  if (heardSamples < frame.length) tally.shortFrames++;
  for (let i = heardSamples; i < frame.length; i++) if (frame[i] !== 0) tally.loudSilence++;
  if (!guardsAlive()) tally.touchedOutside++;
}
parentPort?.postMessage(tally satisfies RingReaderResult);
