/**
 * What one 20 ms frame (160 samples of int16) costs on its way between threads: tape and ring against the
 * same frame as a message. Settles: rings carry audio, messages carry words (docs/adr/0002-ring-layout.md).
 * Run: node bench/ring-buffers/frames.bench.ts
 *
 * Node 24.21, 2 shared vCPU, median ns per frame: rings.write20ms 66, rings.read20ms 77, tape.write20ms 56,
 * tape.read20ms 64-71, message.send+receive20ms 1,000 (p99 40,000-120,000; the others stay below 200), and that
 * is before the receiver's event loop is waited for.
 */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { Bench } from 'tinybench';
import { createRing, createTape } from '../../src/ring-buffers/layout.ts';
import { RingReader, RingWriter } from '../../src/ring-buffers/ring.ts';
import { TapeReader, TapeWriter } from '../../src/ring-buffers/tape.ts';
import { printLatencies } from '../latency-table.ts';

const FRAME_SAMPLES = 160;
/** Frames per measured call: one alone is shorter than the clock's own cost. */
const FRAMES = 100;

const frame = Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => i * 100);
const target = new Int16Array(FRAME_SAMPLES);
const options = { rateHz: 8000, capacitySamples: 32_768 };

const ringHandle = createRing(options);
const ringWriter = new RingWriter(ringHandle, 0);
const ringReader = new RingReader(ringHandle);
const tapeHandle = createTape(options);
const tapeWriter = new TapeWriter(tapeHandle);
const tapeReader = new TapeReader(tapeHandle);
const { port1, port2 } = new MessageChannel();

function writeRing(): void {
  for (let i = 0; i < FRAMES; i++) ringWriter.write(frame);
}

function readRing(): void {
  for (let i = 0; i < FRAMES; i++) ringReader.read(target);
}

function writeTape(): void {
  for (let i = 0; i < FRAMES; i++) tapeWriter.write(frame);
}

function readTape(): void {
  const from = tapeReader.positionSamples - FRAME_SAMPLES * FRAMES;
  for (let i = 0; i < FRAMES; i++) tapeReader.read(from + i * FRAME_SAMPLES, target);
}

function sendAndReceive(): void {
  for (let i = 0; i < FRAMES; i++) {
    port1.postMessage(frame);
    target.set(receiveMessageOnPort(port2)?.message);
  }
}

writeTape();
const bench = new Bench({ time: 500, warmupTime: 200 });
bench.add('rings.write20ms', writeRing, { beforeEach: readRing });
bench.add('rings.read20ms', readRing, { beforeEach: writeRing });
bench.add('tape.write20ms', writeTape);
bench.add('tape.read20ms', readTape);
bench.add('message.send+receive20ms', sendAndReceive);
await bench.run();
port1.close();

printLatencies(bench, 'ns', FRAMES);
