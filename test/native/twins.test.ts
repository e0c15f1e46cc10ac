/** The addon against its TypeScript twin: the same numbers within the rounding of floats, whatever the blocks. */
import { describe, expect, it } from 'vitest';
import type { Resampler, SampleBlock } from '../../src/native/stream.ts';
import { JOB, JOB_NUMBERS } from '../../src/native/stream.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { IS_PREBUILT_PLATFORM, NATIVE, PAIRS, TYPESCRIPT } from './implementations.ts';

/** Sums of up to 340 products of floats below 1. */
const ROUNDING = 2e-6;
const LENGTH_SAMPLES = 20_000;

it('there is an addon to compare with, where one is shipped for this box', () => {
  expect(NATIVE.length).toBeGreaterThanOrEqual(IS_PREBUILT_PLATFORM ? 1 : 0);
});

describe.each(NATIVE)('$name', ({ name, create, createBatch }) => {
  it.each(PAIRS)('equals the twin on noise in random blocks: $fromHz to $toHz Hz', ({ fromHz, toHz }) => {
    const random = new SeededRandom(printedSeed(`twins ${name} ${fromHz} to ${toHz}`));
    for (const [channels, isInt] of [
      [1, false],
      [1, true],
      [3, false],
      [2, true],
    ] as const) {
      const input = noise(random, Math.floor(LENGTH_SAMPLES / channels) * channels, isInt);
      const blocks = blockLengths(random, input.length / channels);
      const options = { fromHz, toHz, channels };
      const native = inBlocks(create(options), input, blocks, random);
      const twin = inBlocks(TYPESCRIPT.create(options), input, blocks, random);
      expect(native.written).toEqual(twin.written);
      expect(largestDifference(native.samples, twin.samples)).toBeLessThanOrEqual(isInt ? 1 : ROUNDING);
    }
  });

  it('gives the same for 16-bit samples in and out as the twin, rounded', () => {
    const random = new SeededRandom(printedSeed(`twins ${name}, mixed kinds`));
    const input = noise(random, 4000, true);
    const [native, twin] = [create, TYPESCRIPT.create].map((make) => {
      const output = new Float32Array(8000);
      make({ fromHz: 8000, toHz: 16_000 }).process(input, output);
      return output;
    });
    expect(largestDifference(native!, twin!)).toBeLessThan(ROUNDING);
  });

  it('clips and silences as the twin does', () => {
    const input = Float32Array.from({ length: 1600 }, (_, i) => 4 * Math.sin(i / 30));
    input[800] = Number.NaN;
    const [native, twin] = [create, TYPESCRIPT.create].map((make) => {
      const output = new Int16Array(3200);
      make({ fromHz: 8000, toHz: 16_000 }).process(input, output);
      return output;
    });
    expect(Math.max(...native!)).toBe(32_767);
    expect(Math.min(...native!)).toBe(-32_768);
    expect(largestDifference(native!, twin!)).toBeLessThanOrEqual(1);
  });

  it('recovers from what is not a number when the twin does, or a vector of 16 taps later', () => {
    const input = new Float32Array(2000).fill(0.25);
    input[500] = Number.POSITIVE_INFINITY;
    for (const { fromHz, toHz } of PAIRS) {
      const [native, twin] = [create, TYPESCRIPT.create].map((make) => {
        const resampler = make({ fromHz, toHz });
        const output = new Float32Array(resampler.maxOutputSamples(input.length));
        return output.subarray(0, resampler.process(input, output));
      });
      const finite = (samples: Float32Array) => samples.findLastIndex((sample) => !Number.isFinite(sample));
      const laterSamples = finite(native!) - finite(twin!);
      expect(laterSamples, `${fromHz} to ${toHz}`).toBeGreaterThanOrEqual(0);
      expect(laterSamples, `${fromHz} to ${toHz}`).toBeLessThanOrEqual(Math.ceil((16 * toHz) / fromHz));
    }
  });

  it('does a batch as the twin does, and as single streams do', () => {
    const random = new SeededRandom(printedSeed(`twins ${name}, batch`));
    for (const { fromHz, toHz } of [
      { fromHz: 8000, toHz: 16_000 },
      { fromHz: 24_000, toHz: 8000 },
      { fromHz: 22_050, toHz: 8000 },
    ]) {
      const streams = 7;
      const batches = [createBatch, TYPESCRIPT.createBatch].map((make) => make({ fromHz, toHz, streams }));
      const singles = Array.from({ length: streams }, () => create({ fromHz, toHz }));
      for (let round = 0; round < 20; round++) {
        const { input, jobs, outputSamples } = randomJobs(random, streams, batches[0]!);
        const outputs = batches.map((batch) => {
          const output = new Float32Array(outputSamples);
          const noted = jobs.slice();
          batch.process(input, output, noted);
          return { output, noted };
        });
        expect(outputs[0]!.noted).toEqual(outputs[1]!.noted);
        expect(largestDifference(outputs[0]!.output, outputs[1]!.output)).toBeLessThan(ROUNDING);
        const alone = new Float32Array(outputSamples);
        for (let at = 0; at < jobs.length; at += JOB_NUMBERS) {
          const from = jobs[at + JOB.inputFrom]!;
          const block = input.subarray(from, from + jobs[at + JOB.inputSamples]!);
          singles[jobs[at + JOB.stream]!]!.process(block, alone.subarray(jobs[at + JOB.outputFrom]!));
        }
        expect(outputs[0]!.output).toEqual(alone);
      }
      const tails = batches.map((batch) => {
        const tail = new Float32Array(batch.delaySamples);
        batch.flush(3, tail);
        return tail;
      });
      expect(largestDifference(tails[0]!, tails[1]!)).toBeLessThan(ROUNDING);
    }
  });
});

function noise(random: SeededRandom, length: number, isInt: boolean): SampleBlock {
  return isInt
    ? Int16Array.from({ length }, () => random.integer(-32_768, 32_767))
    : Float32Array.from({ length }, () => 2 * random.next() - 1);
}

/** 1 to 4096 samples, many of them short, nothing among them. */
function blockLengths(random: SeededRandom, total: number): number[] {
  const lengths: number[] = [];
  for (let left = total; left > 0; ) {
    const length = Math.min(left, random.integer(0, random.pick([1, 7, 160, 480, 1025, 4096])));
    lengths.push(length);
    left -= length;
  }
  return lengths;
}

/** Each block is copied to shared memory at a random offset first, and its output lies at another. */
function inBlocks(
  resampler: Resampler,
  input: SampleBlock,
  blocks: readonly number[],
  random: SeededRandom,
): { samples: SampleBlock; written: number[] } {
  const { channels } = resampler;
  const width = input.BYTES_PER_ELEMENT;
  const viewOf = (memory: SharedArrayBuffer, offset: number, length?: number): SampleBlock =>
    input instanceof Int16Array
      ? new Int16Array(memory, width * offset, length)
      : new Float32Array(memory, width * offset, length);
  const written: number[] = [];
  const room = resampler.maxOutputSamples(input.length) + (resampler.delaySamples + 2) * channels;
  const samples = viewOf(new SharedArrayBuffer(room * width + 64), random.integer(1, 9));
  const memory = new SharedArrayBuffer((4096 * channels + 16) * width);
  let [from, to] = [0, 0];
  for (const block of blocks) {
    const view = viewOf(memory, random.integer(1, 15), block * channels);
    view.set(input.subarray(from, from + block * channels));
    written.push(resampler.process(view, samples.subarray(to)));
    from += block * channels;
    to += written.at(-1)!;
  }
  written.push(resampler.flush(samples.subarray(to)));
  return { samples: samples.subarray(0, to + written.at(-1)!), written };
}

function randomJobs(
  random: SeededRandom,
  streams: number,
  batch: { maxOutputSamples(inputSamples: number): number },
): { input: Float32Array; jobs: Int32Array; outputSamples: number } {
  const lengths = Array.from({ length: random.integer(0, 12) }, () => random.integer(0, 700));
  const jobs = new Int32Array(lengths.length * JOB_NUMBERS);
  let [inputFrom, outputFrom] = [random.integer(0, 9), random.integer(0, 9)];
  for (const [index, length] of lengths.entries()) {
    jobs.set([random.integer(0, streams - 1), inputFrom, length, outputFrom, -1], index * JOB_NUMBERS);
    inputFrom += length;
    outputFrom += batch.maxOutputSamples(length);
  }
  return { input: noise(random, inputFrom, false) as Float32Array, jobs, outputSamples: outputFrom };
}

function largestDifference(one: SampleBlock, other: SampleBlock): number {
  expect(one.length).toBe(other.length);
  let largest = 0;
  for (let i = 0; i < one.length; i++) {
    const difference = Math.abs(one[i]! - other[i]!);
    // Not-a-number on one side only must not vanish in the comparison.
    largest = Math.max(
      largest,
      Number.isNaN(difference) && !(Number.isNaN(one[i]) && Number.isNaN(other[i])) ? 9 : difference || 0,
    );
  }
  return largest;
}
