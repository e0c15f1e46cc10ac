/** Audio memory that calls use one after another: nothing of one call is heard in the next. */
import { expect, it } from 'vitest';
import { CallAudioStore } from '../../src/call/call-audio.ts';
import { RingController, RingReader, RingWriter } from '../../src/ring-buffers/ring.ts';
import { TapeReader, TapeWriter } from '../../src/ring-buffers/tape.ts';

const VOICE = new Int16Array(800).fill(1234);

it('gives memory that was given back to the next call, empty', () => {
  const store = new CallAudioStore();
  const first = store.take();
  new TapeWriter(first.uplink).write(VOICE);
  const writer = new RingWriter(first.downlink, new RingController(first.downlink).epoch);
  writer.write(VOICE);
  store.giveBack(first);
  const second = store.take();
  expect(second.uplink.buffer).toBe(first.uplink.buffer);
  const heard = new Int16Array(800);
  expect(new TapeReader(second.uplink).read(0, heard)).toBe('lapped');
  expect(new RingReader(second.downlink).read(heard)).toBe(0);
  expect(writer.write(VOICE)).toBe(0);
  expect(new RingReader(second.downlink).read(heard)).toBe(0);
  expect(heard.every((sample) => sample === 0)).toBe(true);
});

it('gives every call memory of its own, and keeps no more than were in use at once', () => {
  const store = new CallAudioStore();
  const taken = [store.take(), store.take(), store.take()];
  expect(new Set(taken.map(({ downlink }) => downlink.buffer)).size).toBe(3);
  expect([store.inUse, store.spare]).toEqual([3, 0]);
  for (const audio of taken) store.giveBack(audio);
  expect([store.inUse, store.spare]).toEqual([0, 3]);
});

it('never uses again what was abandoned', () => {
  const store = new CallAudioStore();
  const first = store.take();
  store.abandon();
  expect([store.inUse, store.spare]).toEqual([0, 0]);
  expect(store.take().uplink.buffer).not.toBe(first.uplink.buffer);
});
