/**
 * What one 20 ms frame (160 samples of int16) costs on its way between threads: tape and ring against ringbuf.js and
 * against the same frame as a message. Settles: rings carry audio, messages carry words (docs/adr/0002-ring-layout.md).
 * A message's figure is before the receiver's event loop is waited for.
 */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { RingBuffer } from 'ringbuf.js';
import { Bench } from 'tinybench';
import { createRing, createTape } from '../../src/ring-buffers/layout.ts';
import { RingReader, RingWriter } from '../../src/ring-buffers/ring.ts';
import { TapeReader, TapeWriter } from '../../src/ring-buffers/tape.ts';
import type { BenchResult } from '../bench-row.ts';
import { taskRows } from '../tinybench-rows.ts';

const FRAME_SAMPLES = 160;
/** Frames per measured call: one alone is shorter than the clock's own cost. */
const FRAMES = 100;
const CAPACITY_SAMPLES = 32_768;
const MEASURED_MS = 500;

/** One way for frames: `write` puts FRAMES of them in, `read` takes as many out. */
interface Way {
  write(): void;
  read(): void;
}

const frame = Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => i * 100);
const target = new Int16Array(FRAME_SAMPLES);

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const { port1, port2 } = new MessageChannel();
  const ways: Record<string, Way> = {
    rings: ring(),
    tape: tape(),
    'ringbuf.js': ringbufJs(),
    postMessage: {
      write: () => repeat(() => port1.postMessage(frame)),
      read: () => repeat(() => target.set(receiveMessageOnPort(port2)?.message)),
    },
  };
  const bench = new Bench({ time: MEASURED_MS, warmupTime: 200, retainSamples: true });
  for (const [name, { write, read }] of Object.entries(ways)) {
    bench.add(`${name}.write20ms`, write, { afterEach: read });
    bench.add(`${name}.read20ms`, read, { beforeEach: write });
  }
  await bench.run();
  port1.close();
  const rowsOf = (name: string, peers: readonly string[]) =>
    ['write20ms', 'read20ms'].flatMap((what) =>
      taskRows(bench, {
        name: `${name}.${what}`,
        unit: 'us',
        perRun: FRAMES,
        peers: Object.fromEntries(peers.map((peer) => [peer, `${peer}.${what}`])),
      }),
    );
  return { rows: [...rowsOf('rings', ['ringbuf.js', 'postMessage']), ...rowsOf('tape', ['postMessage'])] };
}

function ring(): Way {
  const handle = createRing({ rateHz: 8000, capacitySamples: CAPACITY_SAMPLES });
  const writer = new RingWriter(handle, 0);
  const reader = new RingReader(handle);
  return { write: () => repeat(() => writer.write(frame)), read: () => repeat(() => reader.read(target)) };
}

function tape(): Way {
  const handle = createTape({ rateHz: 8000, capacitySamples: CAPACITY_SAMPLES });
  const writer = new TapeWriter(handle);
  const reader = new TapeReader(handle);
  const read = (): void => {
    const from = reader.positionSamples - FRAME_SAMPLES * FRAMES;
    for (let i = 0; i < FRAMES; i++) reader.read(from + i * FRAME_SAMPLES, target);
  };
  return { write: () => repeat(() => writer.write(frame)), read };
}

function ringbufJs(): Way {
  const shared = RingBuffer.getStorageForCapacity(CAPACITY_SAMPLES, Int16Array);
  const peer = new RingBuffer(shared, Int16Array);
  return {
    write: () => repeat(() => peer.push(frame, FRAME_SAMPLES)),
    read: () => repeat(() => peer.pop(target, FRAME_SAMPLES)),
  };
}

function repeat(once: () => void): void {
  for (let i = 0; i < FRAMES; i++) once();
}
