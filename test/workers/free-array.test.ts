/** Memory given back at once. */
import { expect, it } from 'vitest';
import { freeArray } from '../../src/workers/free-array.ts';

it('frees the memory of an array, also twice, and of all arrays on it', () => {
  const array = new Float32Array(1 << 20);
  const part = array.subarray(10);
  const before = process.memoryUsage().arrayBuffers;
  freeArray(part);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(4 << 20);
  freeArray(array);
  expect([array.length, part.length, array.buffer.byteLength]).toEqual([0, 0, 0]);
});

it('leaves shared memory alone', () => {
  const shared = new Int16Array(new SharedArrayBuffer(64));
  freeArray(shared);
  expect(shared.length).toBe(32);
});
