/** Writes the pattern to a ring in blocks of random length until so many samples are through. */
import { parentPort, workerData } from 'node:worker_threads';
import type { RingHandle } from '../../../src/ring-buffers/layout.ts';
import { RingWriter } from '../../../src/ring-buffers/ring.ts';
import { SeededRandom } from '../../seeded-random.ts';
import { fillPattern } from './pattern.ts';

export interface RingWriterJob {
  readonly handle: RingHandle;
  readonly seed: number;
  readonly totalSamples: number;
}

const job = workerData as RingWriterJob;
const random = new SeededRandom(job.seed);
const writer = new RingWriter(job.handle, 0);
const block = new Int16Array(480);
let writtenSamples = 0;
let refusedSamples = 0;
while (writtenSamples < job.totalSamples) {
  const lengthSamples = Math.min(random.integer(1, block.length), job.totalSamples - writtenSamples);
  const samples = block.subarray(0, lengthSamples);
  fillPattern(samples, writer.writeIndex);
  const takenSamples = writer.write(samples);
  writtenSamples += takenSamples;
  refusedSamples += lengthSamples - takenSamples;
}
parentPort?.postMessage({ writtenSamples, refusedSamples });
