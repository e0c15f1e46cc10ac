/** The ring between two real threads: every sample once and in order, across 2^32, nothing else touched. */
import { expect, it } from 'vitest';
import { createRing } from '../../src/ring-buffers/layout.ts';
import { RingController } from '../../src/ring-buffers/ring.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { deadHeaderCanaries, setHeaderCanaries } from './threads/canaries.ts';
import type { RingReaderJob, RingReaderResult } from './threads/ring-reader.thread.ts';
import type { RingWriterJob } from './threads/ring-writer.thread.ts';
import { runThread } from './threads/run-thread.ts';

const TOTAL_SAMPLES = 5_000_000;

it('I1, I3, I4, I5 five million samples arrive once, in order, across 2^32', async () => {
  const seed = printedSeed('ring threads');
  const startIndex = (2 ** 32 - new SeededRandom(seed).integer(1, 1_000_000)) >>> 0;
  const handle = createRing({ rateHz: 8000, capacitySamples: 2048, startIndex });
  setHeaderCanaries('ring', handle.buffer);
  const job: RingWriterJob & RingReaderJob = { handle, seed, totalSamples: TOTAL_SAMPLES };
  const [writer, reader] = await Promise.all([
    runThread<{ writtenSamples: number; refusedSamples: number }>('ring-writer.thread.ts', job),
    runThread<RingReaderResult>('ring-reader.thread.ts', job),
  ]);
  console.log(`ring threads: ${JSON.stringify({ ...writer, ...reader })}`);
  expect(reader).toMatchObject({ wrongSamples: 0, loudSilence: 0, touchedOutside: 0 });
  const controller = new RingController(handle);
  expect(controller.playedSamples).toBe(TOTAL_SAMPLES);
  expect(controller.readIndex).toBe((startIndex + TOTAL_SAMPLES) >>> 0);
  expect(controller.fillSamples).toBe(0);
  expect(controller.overrunSamples).toBe(writer.refusedSamples);
  expect(controller.underrunFrames).toBe(0); // no reply was ever open
  expect(deadHeaderCanaries('ring', handle.buffer)).toEqual([]);
}, 60_000);
