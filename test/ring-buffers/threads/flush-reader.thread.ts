/** Plays frames and judges every sample: older than the epoch requested before the read began is stale. */
import { parentPort, workerData } from 'node:worker_threads';
import { RING_WORD } from '../../../src/ring-buffers/layout.ts';
import { RingReader } from '../../../src/ring-buffers/ring.ts';
import { SeededRandom } from '../../seeded-random.ts';
import { epochsAhead, type FlushJob, isDone, isFirstOfEpoch, stepAside } from './flush.ts';

export interface FlushReaderResult {
  readonly heardSamples: number;
  /** Of an epoch older than the one requested when the read began. */
  readonly staleSamples: number;
  /** Of an epoch that nobody has requested yet, or older than a sample heard before. */
  readonly impossibleSamples: number;
  /** Epochs whose first heard sample was not their first written one. */
  readonly beheadedEpochs: number;
  readonly heardEpochs: number;
}

const job = workerData as FlushJob;
const random = new SeededRandom(job.seed + 2);
const reader = new RingReader(job.handle);
const words = new Int32Array(job.handle.buffer);
const frames = Array.from({ length: 320 }, (_, index) => new Int16Array(index + 1));
const tally = { heardSamples: 0, staleSamples: 0, impossibleSamples: 0, beheadedEpochs: 0, heardEpochs: 0 };
let heardEpoch = -1;

while (!isDone(job.control)) {
  const frame = random.pick(frames);
  const epochBefore = Atomics.load(words, RING_WORD.requestedEpoch);
  const heardSamples = job.protocol === 'discardAtOnce' ? readDiscarding(frame) : reader.read(frame);
  Atomics.notify(words, RING_WORD.readerEpoch);
  const epochAfter = Atomics.load(words, RING_WORD.requestedEpoch);
  judge(frame.subarray(0, heardSamples), epochBefore, epochAfter);
  if (tally.staleSamples > 0) Atomics.store(job.control, 0, 1); // one is enough
  if (heardSamples < frame.length) stepAside(job.control, random);
}
parentPort?.postMessage(tally satisfies FlushReaderResult);

function judge(heard: Int16Array, epochBefore: number, epochAfter: number): void {
  tally.heardSamples += heard.length;
  for (let i = 0; i < heard.length; i++) {
    const sample = heard[i]!;
    const ahead = epochsAhead(sample, epochBefore);
    if (ahead < 0) tally.staleSamples++;
    if (ahead > epochAfter - epochBefore) tally.impossibleSamples++;
    const epoch = epochBefore + ahead;
    if (epoch < heardEpoch) tally.impossibleSamples++;
    if (epoch > heardEpoch) {
      tally.heardEpochs++;
      if (!isFirstOfEpoch(sample)) tally.beheadedEpochs++;
      heardEpoch = epoch;
    }
  }
}

/** The shortcut that looks right in review: empty the ring at once and go on. */
function readDiscarding(target: Int16Array): number {
  const requestedEpoch = Atomics.load(words, RING_WORD.requestedEpoch);
  if (requestedEpoch !== Atomics.load(words, RING_WORD.readerEpoch)) {
    Atomics.store(words, RING_WORD.readIndex, Atomics.load(words, RING_WORD.writeIndex));
    Atomics.store(words, RING_WORD.readerEpoch, requestedEpoch);
  }
  return reader.read(target);
}
