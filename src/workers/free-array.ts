/** Memory of large arrays, given back when they are done with. Thread: any. */

/**
 * Frees the memory behind `array` now. A garbage collector counts JavaScript objects, of which the arrays of a model are
 * few and small: what lies behind those that outlive a scavenge waits for minutes.
 * @param array that nobody reads any more, nor any other array on its buffer: their length is 0 afterwards
 */
export function freeArray({ buffer }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
