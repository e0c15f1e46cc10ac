/** Calls that come and go while the model runs: their numbers and their state do not meet. */
import { expect, test } from 'vitest';
import type { VadEvent } from '../../../src/workers/vad/vad-client.ts';
import type { VadBatch, VadModel } from '../../../src/workers/vad/vad-model.ts';
import { VadStreams } from '../../../src/workers/vad/vad-streams.ts';
import { whiteNoise } from './synthetic-audio.ts';
import { TapeFeeder } from './tape-feeder.ts';

const RATE_HZ = 8000;
const FRAME_SAMPLES = 160;

/** Hears speech in every frame, and runs until it is told to end. */
class SlowModel implements VadModel {
  readonly frameSamples = FRAME_SAMPLES;
  readonly startThreshold = 0.5;
  readonly stopThreshold = 0.5;
  readonly startMs = 20;
  /** Streams that are open. */
  readonly open = new Set<number>();
  readonly #free = [1, 0];
  endRun: () => void = () => {};

  openStream(): number {
    const stream = this.#free.pop() ?? -1;
    if (stream >= 0) this.open.add(stream);
    return stream;
  }

  closeStream(stream: number): void {
    this.open.delete(stream);
    this.#free.push(stream);
  }

  run(batch: VadBatch): Promise<void> {
    batch.speech.fill(1);
    batch.isActive.fill(1);
    batch.levelDbfs.fill(-20);
    return new Promise((resolve) => {
      this.endRun = resolve;
    });
  }

  close(): void {}
}

function setUp() {
  const model = new SlowModel();
  const detector = { stopHangoverMs: 80, maxOnsetMs: 300 };
  const streams = new VadStreams(model, { rateHz: RATE_HZ, maxStreams: 2, detector, nowMs: () => 0 });
  return { model, streams, feeder: new TapeFeeder() };
}

test('a call that goes while the model runs keeps its number until the run is over, and is not told of', async () => {
  const { model, streams, feeder } = setUp();
  streams.watch(1, feeder.handle);
  feeder.write(whiteNoise(FRAME_SAMPLES, -20, 1));
  const events: VadEvent[] = [];
  const ticked = streams.tick(events);
  expect(streams.unwatch(1)).toBe(true);
  streams.watch(2, new TapeFeeder().handle);
  expect([...model.open]).toEqual([0, 1]);
  model.endRun();
  await ticked;
  expect(events).toEqual([]);
  expect([...model.open]).toEqual([1]);
  expect(streams.size).toBe(1);
});

test('between runs a number is free at once', () => {
  const { model, streams } = setUp();
  streams.watch(1, new TapeFeeder().handle);
  streams.unwatch(1);
  expect(model.open.size).toBe(0);
});
