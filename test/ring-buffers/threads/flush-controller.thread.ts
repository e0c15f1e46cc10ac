/** Asks for flushes at random moments, most of them after the last one was followed, some before. */
import { parentPort, workerData } from 'node:worker_threads';
import { RING_WORD } from '../../../src/ring-buffers/layout.ts';
import { RingController } from '../../../src/ring-buffers/ring.ts';
import { SeededRandom } from '../../seeded-random.ts';
import { type FlushJob, isDone } from './flush.ts';

const job = workerData as FlushJob;
const random = new SeededRandom(job.seed);
const controller = new RingController(job.handle);
const words = new Int32Array(job.handle.buffer);
let followed = 0;
for (let i = 0; i < job.flushes && !isDone(job.control); i++) {
  const epoch = controller.requestFlush();
  if (random.isTrue(0.8)) waitUntilFollowed(epoch);
  spin(random.integer(0, 2000));
}
Atomics.store(job.control, 0, 1);
parentPort?.postMessage({ followed });

/** Until the writer speaks the new epoch and the reader plays it. */
function waitUntilFollowed(epoch: number): void {
  while (!isDone(job.control)) {
    const readerEpoch = Atomics.load(words, RING_WORD.readerEpoch);
    const hasWriterFollowed = Atomics.load(words, RING_WORD.writerEpoch) >>> 0 === epoch;
    if (readerEpoch >>> 0 === epoch && hasWriterFollowed) {
      followed++;
      return;
    }
    if (hasWriterFollowed) Atomics.wait(words, RING_WORD.readerEpoch, readerEpoch, 1);
    else Atomics.wait(job.control, 1, 0, 0.01);
  }
}

function spin(turns: number): void {
  for (let i = 0; i < turns; i++) Atomics.load(job.control, 1);
}
