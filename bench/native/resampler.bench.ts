/**
 * What the resampler costs per 20 ms of sound, for the pairs of rates that calls use.
 * Run: node bench/native/resampler.bench.ts
 *
 * Node 24.21, 2 shared vCPU, median us: 8 to 16 kHz 17, 24 to 8 kHz 23, 22.05 to 8 kHz 22, 24 to 16 kHz 25,
 * 48 to 16 kHz 46.
 */
import { Bench } from 'tinybench';
import { createResampler } from '../../src/native/resampler.ts';
import { printLatencies } from '../latency-table.ts';

const PAIRS = [
  [8000, 16_000], // G.711 to Whisper
  [24_000, 8000], // Kokoro to G.711
  [22_050, 8000], // Piper to G.711
  [24_000, 16_000], // Kokoro to a wideband leg
  [48_000, 16_000],
] as const;
const FRAMES_PER_SECOND = 50;

const bench = new Bench({ time: 500, warmupTime: 200 });
for (const [fromHz, toHz] of PAIRS) {
  const resampler = createResampler({ fromHz, toHz });
  const input = Float32Array.from({ length: fromHz / FRAMES_PER_SECOND }, (_, i) => Math.sin(i / 7));
  const output = new Float32Array(resampler.maxOutputSamples(input.length));
  bench.add(`${resampler.implementation} ${fromHz} to ${toHz} Hz`, () => {
    resampler.process(input, output);
  });
}
await bench.run();

printLatencies(bench, 'us');
