/**
 * One thread of the soak: a stream of random blocks through its own resampler, over shared memory at odd offsets, and a
 * sum over every sample that comes out. Thread: worker of soak.bench.ts, or called directly for the comparison.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { createResampler } from '../../src/native/resampler.ts';
import { SeededRandom } from '../../test/seeded-random.ts';

export interface SoakTask {
  readonly seed: number;
  readonly blocks: number;
}

export interface SoakResult {
  readonly samples: number;
  /** Over the bits of every output sample, in order. */
  readonly checksum: number;
}

const PAIRS = [
  { fromHz: 8000, toHz: 16_000 },
  { fromHz: 24_000, toHz: 8000 },
  { fromHz: 22_050, toHz: 8000 },
];
/** Blocks are drawn from so much noise; a stream is long, its material need not be. */
const NOISE_SAMPLES = 50_000;
const MOST_BLOCK_SAMPLES = 480;
/** A stream ends now and then, and another begins in its place. */
const BLOCKS_PER_STREAM = 50_000;

/** Works off the blocks; what comes out depends on the task alone. */
export function soak({ seed, blocks }: SoakTask): SoakResult {
  const random = new SeededRandom(seed);
  const inputs = randomBlocks(random);
  const output = new Float32Array(new SharedArrayBuffer(4 * 2 * MOST_BLOCK_SAMPLES + 4), 4);
  const bits = new Int32Array(output.buffer, output.byteOffset, output.length);
  let samples = 0;
  let checksum = 0;
  for (let done = 0, stream = 0; done < blocks; done += BLOCKS_PER_STREAM, stream++) {
    const resampler = createResampler(PAIRS[stream % PAIRS.length]!);
    const end = Math.min(blocks, done + BLOCKS_PER_STREAM);
    for (let block = done; block < end; block++) {
      const written = resampler.process(inputs[block % inputs.length]!, output);
      samples += written;
      for (let i = 0; i < written; i++) checksum = (Math.imul(checksum, 31) + bits[i]!) | 0;
    }
  }
  return { samples, checksum };
}

/** 0 to 480 samples each, at any offset of one shared memory. */
function randomBlocks(random: SeededRandom): Int16Array[] {
  const noise = new Int16Array(new SharedArrayBuffer(2 * NOISE_SAMPLES + 2), 2);
  for (let i = 0; i < noise.length; i++) noise[i] = random.integer(-32_768, 32_767);
  return Array.from({ length: 997 }, () => {
    const from = random.integer(0, NOISE_SAMPLES - MOST_BLOCK_SAMPLES);
    return noise.subarray(from, from + random.integer(0, random.pick([20, 160, MOST_BLOCK_SAMPLES])));
  });
}

if (!isMainThread && parentPort !== null) parentPort.postMessage(soak(workerData as SoakTask));
