/**
 * Barge-in on three real threads: a controller that flushes, a writer that speaks, a reader that judges.
 * I6: 0 stale samples in 100,000 flushes; and the same judge catches two protocols that are known to leak.
 */
import { expect, it } from 'vitest';
import { createRing } from '../../src/ring-buffers/layout.ts';
import { RingController } from '../../src/ring-buffers/ring.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { deadHeaderCanaries, setHeaderCanaries } from './threads/canaries.ts';
import type { FlushJob, FlushProtocol } from './threads/flush.ts';
import type { FlushReaderResult } from './threads/flush-reader.thread.ts';
import { runThread } from './threads/run-thread.ts';

const FLUSHES = 100_000;

async function flushOnThreads(protocol: FlushProtocol, flushes: number) {
  const seed = printedSeed(`ring flush, ${protocol}`);
  const startIndex = (2 ** 32 - new SeededRandom(seed).integer(1, 1_000_000)) >>> 0;
  const handle = createRing({ rateHz: 8000, capacitySamples: 4096, startIndex });
  setHeaderCanaries('ring', handle.buffer);
  const control = new Int32Array(new SharedArrayBuffer(8));
  const job: FlushJob = { handle, seed, protocol, flushes, control };
  const startedMs = performance.now();
  const [{ followed }, , reader] = await Promise.all([
    runThread<{ followed: number }>('flush-controller.thread.ts', job),
    runThread<{ writtenSamples: number }>('flush-writer.thread.ts', job),
    runThread<FlushReaderResult>('flush-reader.thread.ts', job),
  ]);
  const tookMs = Math.round(performance.now() - startedMs);
  const flushed = new RingController(handle).epoch;
  console.log(`ring flush, ${protocol}: ${JSON.stringify({ flushed, followed, tookMs, ...reader })}`);
  return { handle, flushed, followed, reader };
}

it(`I6 no stale sample is heard in ${FLUSHES} flushes`, async () => {
  const { handle, flushed, followed, reader } = await flushOnThreads('wildfire', FLUSHES);
  expect(flushed).toBe(FLUSHES);
  expect(followed).toBeGreaterThan(FLUSHES / 2);
  expect(reader.heardEpochs).toBeGreaterThan(FLUSHES / 10);
  expect(reader).toMatchObject({ staleSamples: 0, impossibleSamples: 0, beheadedEpochs: 0 });
  expect(deadHeaderCanaries('ring', handle.buffer)).toEqual([]);
}, 120_000);

it.each(['discardAtOnce', 'epochBeforeStart'] as const)(
  'the same judge catches the broken protocol %s',
  async (protocol) => {
    const { reader } = await flushOnThreads(protocol, FLUSHES);
    expect(reader.staleSamples).toBeGreaterThan(0);
  },
  60_000,
);
