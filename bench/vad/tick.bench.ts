/**
 * What one 20 ms tick of the VAD thread costs for 1, 50 and 250 calls, with nobody and with everybody speaking:
 * tape read, energy model, detector. Settles: one thread serves all calls.
 */
import { readFileSync } from 'node:fs';
import { Bench } from 'tinybench';
import { mixToMono, parseWav } from '../../src/audio/wav.ts';
import { createTape } from '../../src/ring-buffers/layout.ts';
import { TapeWriter } from '../../src/ring-buffers/tape.ts';
import { EnergyVadModel } from '../../src/workers/vad/energy-vad-model.ts';
import { DEFAULT_VAD_OPTIONS } from '../../src/workers/vad/vad-client.ts';
import type { VadEvent } from '../../src/workers/vad/vad-messages.ts';
import { VadStreams } from '../../src/workers/vad/vad-streams.ts';
import type { BenchResult } from '../bench-row.ts';
import { taskRows } from '../tinybench-rows.ts';

const FRAME_SAMPLES = 160;
const RATE_HZ = 8000;
const prompt = mixToMono(
  parseWav(readFileSync(new URL('../../test/fixtures/speech/book-a-table.wav', import.meta.url))),
);

function makeCalls(calls: number, isSpeaking: boolean) {
  const model = new EnergyVadModel({ rateHz: RATE_HZ, maxStreams: calls });
  const { detector } = DEFAULT_VAD_OPTIONS;
  const streams = new VadStreams(model, { rateHz: RATE_HZ, maxStreams: calls, detector, nowMs: () => 0 });
  const writers = Array.from({ length: calls }, (_, callId) => {
    const tape = createTape({ rateHz: RATE_HZ, capacitySamples: 4096 });
    streams.watch(callId, tape);
    return new TapeWriter(tape);
  });
  const silence = Int16Array.from({ length: FRAME_SAMPLES }, (_, n) => ((n * 7919) % 41) - 20);
  let at = 0;
  const feed = () => {
    at = (at + FRAME_SAMPLES) % (prompt.length - FRAME_SAMPLES);
    const frame = isSpeaking ? prompt.subarray(at, at + FRAME_SAMPLES) : silence;
    for (const writer of writers) writer.write(frame);
  };
  const events: VadEvent[] = [];
  const tick = async () => {
    await streams.tick(events);
    events.length = 0;
  };
  return { feed, tick };
}

/** For bench/main.ts: rows `vad.tick.CALLS.silent` and `.speaking`; a tick lasts 20,000 us. */
export async function benchRows(): Promise<BenchResult> {
  const bench = new Bench({ time: 700, warmupTime: 300, retainSamples: true });
  for (const calls of [1, 50, 250]) {
    for (const isSpeaking of [false, true]) {
      const { feed, tick } = makeCalls(calls, isSpeaking);
      bench.add(`vad.tick.${calls}.${isSpeaking ? 'speaking' : 'silent'}`, tick, { beforeEach: feed });
    }
  }
  await bench.run();
  return { rows: bench.tasks.flatMap(({ name }) => taskRows(bench, { name, unit: 'us' })) };
}
