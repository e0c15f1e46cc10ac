/**
 * What the three threads of the flush test share: a sample tells which epoch it belongs to and whether it is
 * the first of it, and threads with nothing to do step aside, because there are three of them on two cores.
 */
import type { RingHandle } from '../../../src/ring-buffers/layout.ts';
import type { SeededRandom } from '../../seeded-random.ts';

/**
 * 'wildfire' is the real protocol. The broken ones are kept so that the check is known to be able to fail:
 * 'discardAtOnce': the reader empties the ring when it sees the request, without waiting for the writer.
 * 'epochBeforeStart': the writer acknowledges before it notes where its epoch starts.
 */
export type FlushProtocol = 'wildfire' | 'discardAtOnce' | 'epochBeforeStart';

export interface FlushJob {
  readonly handle: RingHandle;
  readonly seed: number;
  readonly protocol: FlushProtocol;
  readonly flushes: number;
  /** Word 0: 1 when the controller is done or a stale sample was heard. Word 1: never changes, to sleep on. */
  readonly control: Int32Array;
}

const FIRST_OF_EPOCH = 0x8000;
const EPOCH_BITS = 0x7fff;

export function fillEpoch(target: Int16Array, epoch: number, isFirst: boolean): void {
  target.fill(epoch & EPOCH_BITS);
  if (isFirst) target[0] = (epoch & EPOCH_BITS) | FIRST_OF_EPOCH;
}

/** Epochs from `epoch` forward to the sample's, negative when the sample is older. */
export function epochsAhead(sample: number, epoch: number): number {
  return (((sample - epoch) & EPOCH_BITS) << 17) >> 17;
}

export function isFirstOfEpoch(sample: number): boolean {
  return (sample & FIRST_OF_EPOCH) !== 0;
}

export function isDone(control: Int32Array): boolean {
  return Atomics.load(control, 0) === 1;
}

/** Mostly gives the core to another thread, sometimes spins on: both kinds of interleaving are wanted. */
export function stepAside(control: Int32Array, random: SeededRandom): void {
  if (random.isTrue(0.8)) Atomics.wait(control, 1, 0, 0.01);
}
