/** Speaks one reply after the other: a new writer for each epoch it sees, or now and then nothing at all. */
import { parentPort, workerData } from 'node:worker_threads';
import { RING_WORD } from '../../../src/ring-buffers/layout.ts';
import { RingWriter } from '../../../src/ring-buffers/ring.ts';
import { SeededRandom } from '../../seeded-random.ts';
import { type FlushJob, fillEpoch, isDone, stepAside } from './flush.ts';

const job = workerData as FlushJob;
const random = new SeededRandom(job.seed + 1);
const words = new Int32Array(job.handle.buffer);
const block = new Int16Array(480);
let writtenSamples = 0;
while (!isDone(job.control)) {
  speak(Atomics.load(words, RING_WORD.requestedEpoch) >>> 0);
}
parentPort?.postMessage({ writtenSamples });

function speak(epoch: number): void {
  const writer = new RingWriter(job.handle, epoch);
  if (job.protocol === 'epochBeforeStart') acknowledgeTooEarly(epoch);
  let isFirst = true;
  while (!writer.isFlushed && !isDone(job.control)) {
    const samples = block.subarray(0, random.integer(1, block.length));
    fillEpoch(samples, epoch, isFirst);
    const takenSamples = writer.write(samples);
    writtenSamples += takenSamples;
    if (takenSamples > 0) isFirst = false;
    if (takenSamples < samples.length) stepAside(job.control, random);
  }
}

function acknowledgeTooEarly(epoch: number): void {
  Atomics.store(words, RING_WORD.writerEpoch, epoch);
  for (let i = 0; i < 5000; i++) Atomics.load(words, RING_WORD.writerEpoch);
  Atomics.store(words, RING_WORD.epochStartIndex, Atomics.load(words, RING_WORD.writeIndex));
}
