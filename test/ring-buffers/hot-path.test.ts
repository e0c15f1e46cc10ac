/** The hot path of the media thread makes no garbage: tape, ring, codec, concealment. */
import { expect, it } from 'vitest';
import { g711Codec } from '../../src/audio/g711.ts';
import { PacketLossConcealer } from '../../src/audio/plc.ts';
import { createRing, createTape } from '../../src/ring-buffers/layout.ts';
import { RingReader, RingWriter } from '../../src/ring-buffers/ring.ts';
import { TapeReader, TapeWriter } from '../../src/ring-buffers/tape.ts';

const frame = Int16Array.from({ length: 160 }, (_, i) => i * 50);
const target = new Int16Array(160);
const bytes = new Uint8Array(160);
// Not a multiple of the frame, so that copies around the end are among what is measured.
const options = { rateHz: 8000, capacitySamples: 1024 };
const ring = createRing(options);
const ringWriter = new RingWriter(ring, 0);
const ringReader = new RingReader(ring);
const tape = createTape(options);
const tapeWriter = new TapeWriter(tape);
const tapeReader = new TapeReader(tape);
const concealer = new PacketLossConcealer();
const codec = g711Codec('ulaw');

const steps: Readonly<Record<string, () => void>> = {
  ring: () => {
    ringWriter.write(frame);
    ringReader.read(target);
  },
  tape: () => {
    tapeWriter.write(frame);
    tapeReader.read(tapeReader.positionSamples - 160, target);
  },
  codec: () => {
    codec.encode(frame, bytes, 160);
    codec.decode(bytes, target, 160);
  },
  concealment: () => {
    concealer.conceal(target);
    concealer.good(target);
  },
};

it.each(Object.entries(steps))('%s: less than a view of garbage per frame', (_, step) => {
  for (let i = 0; i < 30_000; i++) step();
  const rounds = 10_000;
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < rounds; i++) step();
  // A typed array view is about 100 bytes; what remains comes from counting.
  expect((process.memoryUsage().heapUsed - before) / rounds).toBeLessThan(20);
});
