import { describe, expect, it } from 'vitest';
import { createRing, createTape } from '../../src/ring-buffers/layout.ts';
import { renewRing, renewTape } from '../../src/ring-buffers/renew.ts';
import { RingController, RingReader, RingWriter } from '../../src/ring-buffers/ring.ts';
import { TapeReader, TapeWriter } from '../../src/ring-buffers/tape.ts';

const ones = (count: number, value = 1): Int16Array => new Int16Array(count).fill(value);

describe('renewTape', () => {
  it('hides and erases the earlier call, and goes on at its position', () => {
    const handle = createTape({ rateHz: 8000, capacitySamples: 1024 });
    new TapeWriter(handle).write(ones(300));
    renewTape(handle);
    const reader = new TapeReader(handle);
    expect(reader.positionSamples).toBe(300);
    expect(reader.oldestPositionSamples).toBe(300);
    expect(reader.read(200, new Int16Array(50))).toBe('lapped');
    new TapeWriter(handle).write(ones(100, 7));
    const heard = new Int16Array(100);
    expect(reader.read(300, heard)).toBe('ok');
    expect(heard).toEqual(ones(100, 7));
  });

  it('gives a reader that was left over from the earlier call nothing of either call', () => {
    const handle = createTape({ rateHz: 8000, capacitySamples: 1024 });
    new TapeWriter(handle).write(ones(300));
    const leftOver = new TapeReader(handle);
    renewTape(handle);
    new TapeWriter(handle).write(ones(100, 7));
    const target = new Int16Array(300);
    leftOver.read(0, target);
    expect(target.every((sample) => sample === 0)).toBe(true);
  });

  it('works for a tape that has wrapped', () => {
    const handle = createTape({ rateHz: 8000, capacitySamples: 1024, startPosition: 2 ** 32 - 500 });
    const writer = new TapeWriter(handle);
    for (let i = 0; i < 30; i++) writer.write(ones(100));
    renewTape(handle);
    const reader = new TapeReader(handle);
    expect(reader.oldestPositionSamples).toBe(2500);
    expect(reader.read(2400, new Int16Array(50))).toBe('lapped');
  });
});

describe('renewRing', () => {
  it('plays nothing of the earlier call, and all of the next', () => {
    const handle = createRing({ rateHz: 8000, capacitySamples: 1024 });
    const late = new RingWriter(handle, 0);
    late.write(ones(500));
    renewRing(handle);
    expect(late.write(ones(100))).toBe(0);
    const controller = new RingController(handle);
    const reader = new RingReader(handle);
    const frame = new Int16Array(160);
    expect(reader.read(frame)).toBe(0);
    new RingWriter(handle, controller.epoch).write(ones(160, 9));
    expect(reader.read(frame)).toBe(160);
    expect(frame).toEqual(ones(160, 9));
  });

  it('starts its counters anew', () => {
    const handle = createRing({ rateHz: 8000, capacitySamples: 1024 });
    new RingController(handle).setReplyOpen(true);
    new RingWriter(handle, 0).write(ones(200));
    const reader = new RingReader(handle);
    reader.read(new Int16Array(160));
    reader.read(new Int16Array(160));
    expect(reader.underrunFrames).toBe(1);
    renewRing(handle);
    const controller = new RingController(handle);
    expect([controller.underrunFrames, controller.playedSamples, controller.overrunSamples]).toEqual([
      0, 0, 0,
    ]);
  });
});
