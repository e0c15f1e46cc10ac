/** Writes the pattern to a tape in blocks of random length, as fast as it can, until the readers are done. */
import { parentPort, workerData } from 'node:worker_threads';
import type { TapeHandle } from '../../../src/ring-buffers/layout.ts';
import { TapeWriter } from '../../../src/ring-buffers/tape.ts';
import { SeededRandom } from '../../seeded-random.ts';
import { fillPattern } from './pattern.ts';

export interface TapeWriterJob {
  readonly handle: TapeHandle;
  readonly seed: number;
  readonly maxBlockSamples: number;
  /** Word 0: readers still at work. */
  readonly control: Int32Array;
}

const job = workerData as TapeWriterJob;
const random = new SeededRandom(job.seed);
const writer = new TapeWriter(job.handle);
const block = new Int16Array(job.maxBlockSamples);
let writtenSamples = 0;
while (Atomics.load(job.control, 0) > 0) {
  const samples = block.subarray(0, random.integer(1, job.maxBlockSamples));
  fillPattern(samples, writer.positionSamples);
  writer.write(samples);
  writtenSamples += samples.length;
}
parentPort?.postMessage({ writtenSamples });
