/**
 * native.soak: ten million random blocks through four threads at once. No crash, no leak, and the same samples as one
 * thread alone makes of them, bit for bit.
 * Run: ./wildfire bench native/soak [--limit BLOCKS]
 */
import { Worker } from 'node:worker_threads';
import { printedSeed } from '../../test/seeded-random.ts';
import { aimedAt, type BenchOptions, type BenchResult, figure } from '../bench-row.ts';
import { type SoakResult, type SoakTask, soak } from './soak-worker.ts';

const BLOCKS = 10_000_000;
const THREADS = 4;
const SAMPLE_EVERY_MS = 500;
/** Growth that such a run may end with; a leak of one byte a block would be 10 MiB. */
const MOST_GROWTH_MIB = 8;

/** For bench/main.ts. */
export async function benchRows({ limit }: BenchOptions): Promise<BenchResult> {
  const seed = printedSeed('native.soak');
  const blocks = Math.ceil((limit ?? BLOCKS) / THREADS);
  const tasks = Array.from({ length: THREADS }, (_, thread) => ({ seed: seed + thread, blocks }));
  const rssMiB: number[] = [];
  const sampler = setInterval(() => rssMiB.push(process.memoryUsage.rss() / 2 ** 20), SAMPLE_EVERY_MS);
  const startMs = performance.now();
  const together = await Promise.all(tasks.map(inWorker));
  const seconds = Math.round((performance.now() - startMs) / 1000);
  clearInterval(sampler);
  const equal = tasks.filter((task, thread) => isSame(soak(task), together[thread]!)).length;
  const samplesOut = together.reduce((total, { samples }) => total + samples, 0);
  const growth = figure('native.soak.growth', 'MiB', growthMiB(rssMiB), { rssMiB: rssMiB.map(Math.round) });
  return {
    rows: [
      figure('native.soak.blocks', 'count', THREADS * blocks, {
        seed,
        threads: THREADS,
        seconds,
        samplesOut,
      }),
      aimedAt(figure('native.soak.equalThreads', 'count', equal), { atLeast: THREADS }),
      aimedAt(growth, { atMost: MOST_GROWTH_MIB }),
    ],
  };
}

function inWorker(task: SoakTask): Promise<SoakResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('soak-worker.ts', import.meta.url), { workerData: task });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a soak thread ended with ${code} and no result`)));
  });
}

function isSame(one: SoakResult, other: SoakResult): boolean {
  return one.checksum === other.checksum && one.samples === other.samples;
}

/** From the second quarter of the run to its last, by their means: the first one warms up. NaN when it was too short. */
function growthMiB(rssMiB: readonly number[]): number {
  const quarter = Math.floor(rssMiB.length / 4);
  if (quarter === 0) return Number.NaN;
  const mean = (part: readonly number[]) => part.reduce((total, value) => total + value, 0) / part.length;
  return mean(rssMiB.slice(-quarter)) - mean(rssMiB.slice(quarter, 2 * quarter));
}
