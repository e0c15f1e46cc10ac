/** The ring on one thread: counting, and the steps of the flush protocol one at a time. */
import { describe, expect, it } from 'vitest';
import { createRing, RING_WORD } from '../../src/ring-buffers/layout.ts';
import { RingController, RingReader, RingWriter } from '../../src/ring-buffers/ring.ts';
import { countWrong, fillPattern } from './threads/pattern.ts';

const CAPACITY_SAMPLES = 1024;

function makeRing(startIndex = 0) {
  const handle = createRing({ rateHz: 8000, capacitySamples: CAPACITY_SAMPLES, startIndex });
  return {
    handle,
    writer: new RingWriter(handle, 0),
    reader: new RingReader(handle),
    controller: new RingController(handle),
    frame: new Int16Array(160).fill(99),
  };
}

function samplesOf(value: number, lengthSamples = 160): Int16Array {
  return new Int16Array(lengthSamples).fill(value);
}

describe.each([0, 2 ** 32 - 1, 2 ** 32 - 500, 2 ** 31 - 300])('a ring that starts at %d', (start) => {
  it('plays what was written, in order', () => {
    const { writer, reader, frame } = makeRing(start);
    const block = new Int16Array(160);
    for (let i = 0; i < 20; i++) {
      const index = writer.writeIndex;
      fillPattern(block, index);
      expect(writer.write(block)).toBe(160);
      expect(reader.read(frame)).toBe(160);
      expect(countWrong(frame, frame.length, index)).toBe(0);
    }
    expect(reader.playedSamples).toBe(20 * 160);
  });

  it('I3 uses its whole capacity, and takes only what fits', () => {
    const { writer, reader, controller } = makeRing(start);
    expect(writer.freeSamples).toBe(CAPACITY_SAMPLES);
    expect(writer.write(samplesOf(1, CAPACITY_SAMPLES - 1))).toBe(CAPACITY_SAMPLES - 1);
    expect(writer.write(samplesOf(2, 3))).toBe(1);
    expect(writer.freeSamples).toBe(0);
    expect(reader.fillSamples).toBe(CAPACITY_SAMPLES);
    expect(writer.write(samplesOf(3, 5))).toBe(0);
    expect(controller.overrunSamples).toBe(7);
  });

  it('I6 throws away what was not heard, and plays the new epoch from its first sample', () => {
    const { handle, writer, reader, controller, frame } = makeRing(start);
    writer.write(samplesOf(1, 500));
    reader.read(frame);
    const epoch = controller.requestFlush();
    expect(writer.isFlushed).toBe(true);
    expect(writer.write(samplesOf(1))).toBe(0);
    const stoppedAt = controller.readIndex;
    expect(reader.read(frame)).toBe(0);
    expect(frame).toEqual(samplesOf(0));
    expect(controller.readIndex).toBe(stoppedAt);
    const next = new RingWriter(handle, epoch);
    next.write(samplesOf(2, 100));
    expect(reader.read(frame)).toBe(100);
    expect(frame.subarray(0, 100)).toEqual(samplesOf(2, 100));
    expect(reader.flushedSamples).toBe(340);
    expect(reader.readIndex).toBe(next.writeIndex);
  });
});

describe('silence', () => {
  it('fills what is missing and is no underrun while no reply is open', () => {
    const { writer, reader, frame } = makeRing();
    writer.write(samplesOf(5, 40));
    expect(reader.read(frame)).toBe(40);
    expect(frame.subarray(0, 40)).toEqual(samplesOf(5, 40));
    expect(frame.subarray(40)).toEqual(samplesOf(0, 120));
    expect(reader.underrunFrames).toBe(0);
  });

  it('is an underrun while a reply is open', () => {
    const { writer, reader, controller, frame } = makeRing();
    controller.setReplyOpen(true);
    writer.write(samplesOf(5));
    reader.read(frame);
    expect(controller.underrunFrames).toBe(0);
    reader.read(frame);
    expect(controller.underrunFrames).toBe(1);
    controller.setReplyOpen(false);
    reader.read(frame);
    expect(controller.underrunFrames).toBe(1);
  });

  it('is no underrun while a flush waits for its writer', () => {
    const { writer, reader, controller, frame } = makeRing();
    controller.setReplyOpen(true);
    writer.write(samplesOf(5));
    controller.requestFlush();
    reader.read(frame);
    expect(controller.underrunFrames).toBe(0);
  });
});

describe('the flush protocol (I6)', () => {
  it('needs no samples in the ring', () => {
    const { handle, reader, controller, frame } = makeRing();
    const writer = new RingWriter(handle, controller.requestFlush());
    writer.write(samplesOf(3));
    expect(reader.read(frame)).toBe(160);
    expect(reader.flushedSamples).toBe(0);
  });

  it('stays silent for as long as nobody writes', () => {
    const { writer, reader, controller, frame } = makeRing();
    writer.write(samplesOf(1, 800));
    controller.requestFlush();
    for (let i = 0; i < 100; i++) expect(reader.read(frame)).toBe(0);
    expect(controller.playedSamples).toBe(0);
  });

  it('makes room in a full ring as soon as the reader has jumped', () => {
    const { handle, writer, reader, controller, frame } = makeRing();
    writer.write(samplesOf(1, CAPACITY_SAMPLES));
    const next = new RingWriter(handle, controller.requestFlush());
    expect(next.write(samplesOf(2))).toBe(0);
    expect(reader.read(frame)).toBe(0);
    expect(next.write(samplesOf(2))).toBe(160);
    reader.read(frame);
    expect(frame).toEqual(samplesOf(2));
  });

  it('is acknowledged once per epoch: a second writer of the epoch goes on where the first stopped', () => {
    const { handle, reader, controller, frame } = makeRing();
    const epoch = controller.requestFlush();
    new RingWriter(handle, epoch).write(samplesOf(1, 100));
    new RingWriter(handle, epoch).write(samplesOf(2, 100));
    expect(reader.read(frame)).toBe(160);
    expect(frame.subarray(0, 100)).toEqual(samplesOf(1, 100));
    expect(frame.subarray(100)).toEqual(samplesOf(2, 60));
  });

  it('skips an epoch that was flushed before the reader saw it', () => {
    const { handle, reader, controller, frame } = makeRing();
    new RingWriter(handle, controller.requestFlush()).write(samplesOf(1));
    const next = new RingWriter(handle, controller.requestFlush());
    expect(reader.read(frame)).toBe(0);
    next.write(samplesOf(2));
    expect(reader.read(frame)).toBe(160);
    expect(frame).toEqual(samplesOf(2));
  });

  it('never takes the reader back over a start that it has already crossed', () => {
    const { handle, writer, reader, controller, frame } = makeRing();
    writer.write(samplesOf(1, 80));
    const epoch = controller.requestFlush();
    new RingWriter(handle, epoch).write(samplesOf(2, 200));
    // A read that loaded requestedEpoch just before the request has played on into the new epoch.
    new Int32Array(handle.buffer)[RING_WORD.readIndex] = 160;
    expect(reader.read(frame)).toBe(120);
    expect(reader.readIndex).toBe(280);
    expect(reader.flushedSamples).toBe(0);
  });

  it('does not jump on a start whose epoch has not been acknowledged', () => {
    const { handle, writer, reader, controller, frame } = makeRing();
    writer.write(samplesOf(1, 500));
    controller.requestFlush();
    new Int32Array(handle.buffer)[RING_WORD.epochStartIndex] = 300;
    expect(reader.read(frame)).toBe(0);
    expect(reader.readIndex).toBe(0);
  });

  it('tells the controller how much is still going to be heard', () => {
    const { handle, writer, reader, controller, frame } = makeRing(2 ** 32 - 100);
    writer.write(samplesOf(1, 500));
    reader.read(frame);
    expect(controller.playableSamples).toBe(340);
    const epoch = controller.requestFlush();
    expect(controller.playableSamples).toBe(0);
    expect(controller.fillSamples).toBe(340);
    const next = new RingWriter(handle, epoch);
    next.write(samplesOf(2, 200));
    expect(controller.playableSamples).toBe(200);
    reader.read(frame);
    expect(controller.playableSamples).toBe(40);
    expect(controller.writeIndex).toBe(next.writeIndex);
  });

  it('is acknowledged by a block of no samples, even into a full ring', () => {
    const { handle, writer, reader, controller, frame } = makeRing();
    writer.write(samplesOf(1, CAPACITY_SAMPLES));
    const next = new RingWriter(handle, controller.requestFlush());
    expect(next.write(new Int16Array(0))).toBe(0);
    expect(controller.overrunSamples).toBe(0);
    reader.read(frame);
    expect(next.freeSamples).toBe(CAPACITY_SAMPLES);
  });

  it('goes on across the wrap of the epoch', () => {
    const { handle, reader, controller, frame } = makeRing();
    const words = new Int32Array(handle.buffer);
    for (const word of [RING_WORD.requestedEpoch, RING_WORD.writerEpoch, RING_WORD.readerEpoch])
      words[word] = -1;
    const old = new RingWriter(handle, 2 ** 32 - 1);
    old.write(samplesOf(1));
    expect(controller.requestFlush()).toBe(0);
    expect(old.isFlushed).toBe(true);
    new RingWriter(handle, 0).write(samplesOf(2));
    expect(reader.read(frame)).toBe(160);
    expect(frame).toEqual(samplesOf(2));
  });

  it('refuses a writer for an epoch that nobody requested', () => {
    const { handle } = makeRing();
    expect(() => new RingWriter(handle, 1)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });

  it('lets a writer that comes too late write nothing and acknowledge nothing', () => {
    const { handle, controller } = makeRing();
    const epoch = controller.requestFlush();
    controller.requestFlush();
    const late = new RingWriter(handle, epoch);
    expect(late.isFlushed).toBe(true);
    expect(late.write(samplesOf(1))).toBe(0);
    expect(new Int32Array(handle.buffer)[RING_WORD.writerEpoch]).toBe(0);
  });
});
