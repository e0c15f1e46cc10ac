/**
 * What the media thread pays per 20 ms frame and call for the codec and for concealing a loss.
 * Run: node bench/audio/frame.bench.ts
 */
import { Bench } from 'tinybench';
import { g711Codec } from '../../src/audio/g711.ts';
import { rmsDbfs } from '../../src/audio/level.ts';
import { PacketLossConcealer } from '../../src/audio/plc.ts';
import { printLatencies } from '../latency-table.ts';

const FRAME_SAMPLES = 160;
const samples = Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => 8000 * Math.sin(i / 6));
const heard = new Int16Array(FRAME_SAMPLES);
const bytes = new Uint8Array(FRAME_SAMPLES);
const concealer = new PacketLossConcealer();

const bench = new Bench({ time: 300, warmupTime: 100 });
for (const law of ['ulaw', 'alaw'] as const) {
  const codec = g711Codec(law);
  bench.add(`${law} encode`, () => codec.encode(samples, bytes, FRAME_SAMPLES));
  bench.add(`${law} decode`, () => codec.decode(bytes, heard, FRAME_SAMPLES));
}
bench.add('plc good', () => concealer.good(samples));
bench.add('plc conceal after a good frame, and good again', () => {
  concealer.conceal(heard);
  concealer.good(samples);
});
bench.add('level', () => {
  rmsDbfs(samples);
});
await bench.run();

printLatencies(bench, 'us');
