/**
 * What a leg works on, 65 KiB, used again for later legs: it outlives a scavenge and would wait for a major collection,
 * minutes at best. Thread: media.
 */
import { PacketLossConcealer } from '../audio/plc.ts';
import { type JitterSlots, jitterSlots } from '../rtp/jitter-slots.ts';
import { FRAME_SAMPLES, RATE_HZ } from './frame.ts';
import { LatenessHistogram } from './lateness-histogram.ts';
import { emptyUplinkPackets, type UplinkPackets } from './uplink-clock.ts';

/** Longest piece the jitter buffer can ask for at once (its cap, or an 80 ms packet), after less than one frame. */
const MAX_PIECE_SAMPLES = 4096;

/** Of one leg at a time. What an earlier one left there is erased when the leg is made, or never read. */
export interface LegMemory {
  readonly slots: JitterSlots;
  readonly packets: UplinkPackets;
  /** Samples of one packet, decoded. */
  readonly piece: Int16Array;
  /** Samples that the next frame begins with. */
  readonly waiting: Int16Array;
  readonly concealer: PacketLossConcealer;
  readonly lateness: LatenessHistogram;
}

/** Memory that no leg had before. */
export function makeLegMemory(): LegMemory {
  return {
    slots: jitterSlots(),
    packets: emptyUplinkPackets(),
    piece: new Int16Array(MAX_PIECE_SAMPLES),
    waiting: new Int16Array(FRAME_SAMPLES + MAX_PIECE_SAMPLES),
    concealer: new PacketLossConcealer({ rateHz: RATE_HZ }),
    lateness: new LatenessHistogram(),
  };
}

export class LegMemoryStore {
  readonly #spare: LegMemory[] = [];

  take(): LegMemory {
    return this.#spare.pop() ?? makeLegMemory();
  }

  /** The leg is closed: nothing of it runs any more. */
  giveBack(memory: LegMemory): void {
    this.#spare.push(memory);
  }

  /** Kept for later legs; never more than there were at once. */
  get spare(): number {
    return this.#spare.length;
  }
}
