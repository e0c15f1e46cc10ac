/** The tape between real threads: one writer that never waits, several readers at the edge of the oldest. */
import { expect, it } from 'vitest';
import { createTape } from '../../src/ring-buffers/layout.ts';
import { printedSeed } from '../seeded-random.ts';
import { deadHeaderCanaries, setHeaderCanaries } from './threads/canaries.ts';
import { runThread } from './threads/run-thread.ts';
import type { TapeReaderJob, TapeReaderResult } from './threads/tape-reader.thread.ts';
import type { TapeWriterJob } from './threads/tape-writer.thread.ts';

const CAPACITY_SAMPLES = 4096;

async function race(protocol: TapeReaderJob['protocol'], readers: number, reads: number, testName: string) {
  const seed = printedSeed(testName);
  // Close enough below 2^32 that the position wraps early in the run.
  const startPosition = (2 ** 32 - 20_000) >>> 0;
  const handle = createTape({ rateHz: 8000, capacitySamples: CAPACITY_SAMPLES, startPosition });
  setHeaderCanaries('tape', handle.buffer);
  const control = new Int32Array(new SharedArrayBuffer(4)).fill(readers);
  const writerJob: TapeWriterJob = { handle, seed, maxBlockSamples: 480, control };
  const written = runThread<{ writtenSamples: number }>('tape-writer.thread.ts', writerJob);
  const results = await Promise.all(
    Array.from({ length: readers }, (_, index) => {
      const job: TapeReaderJob = { handle, seed: seed + 1 + index, reads, protocol, control };
      return runThread<TapeReaderResult>('tape-reader.thread.ts', job);
    }),
  );
  return { handle, results, writtenSamples: (await written).writtenSamples };
}

it('I4, I5 readers get the right samples or are told, never wrong ones, across 2^32', async () => {
  const { handle, results, writtenSamples } = await race('wildfire', 3, 60_000, 'tape threads');
  console.log(`tape threads: ${writtenSamples} samples written; ${JSON.stringify(results)}`);
  expect(writtenSamples).toBeGreaterThan(100_000);
  for (const result of results) {
    expect(result).toMatchObject({ wrongSamples: 0, wrongAnswers: 0, touchedOutside: 0 });
    expect(result.ok).toBeGreaterThan(100);
    expect(result.lapped).toBeGreaterThan(100);
    expect(result.ahead).toBeGreaterThan(100);
  }
  expect(deadHeaderCanaries('tape', handle.buffer)).toEqual([]);
}, 60_000);

it('the same check catches a reader that does not look again after its copy', async () => {
  const { results } = await race('trusting', 2, 60_000, 'tape threads, broken');
  const wrongSamples = results.reduce((sum, result) => sum + result.wrongSamples, 0);
  console.log(`tape threads, broken: ${wrongSamples} wrong samples`);
  expect(wrongSamples).toBeGreaterThan(0);
}, 60_000);
