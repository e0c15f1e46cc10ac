/** What the media thread pays per 20 ms frame and call for the codec and for concealing a loss. */
import { Bench } from 'tinybench';
import { g711Codec } from '../../src/audio/g711.ts';
import { rmsDbfs } from '../../src/audio/level.ts';
import { PacketLossConcealer } from '../../src/audio/plc.ts';
import type { BenchResult } from '../bench-row.ts';
import { taskRows } from '../tinybench-rows.ts';

const FRAME_SAMPLES = 160;
/** Frames per measured call: one alone is shorter than the clock's own cost. */
const FRAMES = 100;
const samples = Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => 8000 * Math.sin(i / 6));
const heard = new Int16Array(FRAME_SAMPLES);
const bytes = new Uint8Array(FRAME_SAMPLES);
const concealer = new PacketLossConcealer();

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const bench = new Bench({ time: 300, warmupTime: 100, retainSamples: true });
  const add = (name: string, once: () => void): void => {
    bench.add(name, () => {
      for (let frame = 0; frame < FRAMES; frame++) once();
    });
  };
  for (const law of ['ulaw', 'alaw'] as const) {
    const codec = g711Codec(law);
    add(`audio.${law}.encode`, () => codec.encode(samples, bytes, FRAME_SAMPLES));
    add(`audio.${law}.decode`, () => codec.decode(bytes, heard, FRAME_SAMPLES));
  }
  add('audio.plc.good', () => concealer.good(samples));
  add('audio.plc.concealAndResume', () => {
    concealer.conceal(heard);
    concealer.good(samples);
  });
  add('audio.level', () => {
    rmsDbfs(samples);
  });
  await bench.run();
  return { rows: bench.tasks.flatMap(({ name }) => taskRows(bench, { name, unit: 'us', perRun: FRAMES })) };
}
