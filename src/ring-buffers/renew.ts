/**
 * Makes a used tape or ring ready for another call, so that memory is reused instead of waiting until every thread
 * that once saw it has collected its garbage. Thread: main, while neither a writer of samples nor the media reader is
 * attached. Positions and epochs run on, so that late work of the earlier call finds nothing and writes nothing.
 */
import { FIXED_WORD, openShared, RING_WORD, type RingHandle, TAPE_WORD, type TapeHandle } from './layout.ts';
import { RingController } from './ring.ts';

/**
 * Erases the samples; the tape goes on at its present position, and what lies before is lapped.
 * @throws WildfireError INVALID_STATE when the handle is no tape
 */
export function renewTape(handle: TapeHandle): void {
  const { words, samples } = openShared('tape', handle);
  const head = Atomics.load(words, TAPE_WORD.head);
  samples.fill(0);
  Atomics.store(words, FIXED_WORD.startPosition, head);
  Atomics.store(words, TAPE_WORD.claimed, head);
  Atomics.store(words, TAPE_WORD.hasWrapped, 0);
}

/**
 * Erases the samples, raises the epoch and zeroes the counters: a writer of the earlier call is flushed for ever, and
 * the next reader plays silence until a writer of the new epoch starts.
 * @throws WildfireError INVALID_STATE when the handle is no ring
 */
export function renewRing(handle: RingHandle): void {
  const { words, samples } = openShared('ring', handle);
  const controller = new RingController(handle);
  controller.requestFlush();
  controller.setReplyOpen(false);
  samples.fill(0);
  for (const counter of ['overrunSamples', 'underrunFrames', 'playedSamples', 'flushedSamples'] as const) {
    Atomics.store(words, RING_WORD[counter], 0);
  }
}
