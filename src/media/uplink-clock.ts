/**
 * Where the caller's latest packets lie on the uplink tape: tape samples and RTP timestamps run alike until a packet is
 * left out, a pause is waited for or the sender starts anew. It lets both ends of a line speak of the same sample without
 * a common clock, and tells what the jitter buffer held that sample for.
 * Thread: media (`UplinkClock`), any (`placeBefore`). Hot: `note` runs per packet; it does not allocate.
 */
import { signedDistance } from '../ring-buffers/position.ts';
import { addToTimestamp } from '../rtp/sequence-number.ts';
import { FRAME_SAMPLES, TICK_MS } from './frame.ts';

/** The latest packets, oldest first; one entry of each array per packet. */
export interface UplinkPackets {
  /** Place of its first sample on the tape. */
  readonly fromSamples: Uint32Array;
  /** RTP timestamp of that sample. */
  readonly timestamps: Uint32Array;
  /** From its arrival to its place on the tape, ms. */
  readonly heldMs: Float32Array;
  /** monotonicMs() of the tick that put its first sample there. */
  readonly writtenAtMs: Float64Array;
}

export interface UplinkPlace {
  readonly timestamp: number;
  readonly heldMs: number;
  readonly writtenAtMs: number;
}

/** 5 s of 20 ms packets: longer than a turn's end waits for its reply. */
const KEPT_PACKETS = 256;

export class UplinkClock {
  readonly #kept: UplinkPackets;
  #packets = 0;

  /** @param kept of a clock that is not used any more; what it holds is not read */
  constructor(kept: UplinkPackets = emptyUplinkPackets()) {
    this.#kept = kept;
  }

  /** A packet that came at `arrivedAtMs` goes to `sample` of the tape at `nowMs`. */
  note(sample: number, timestamp: number, arrivedAtMs: number, nowMs: number): void {
    const at = this.#packets % KEPT_PACKETS;
    this.#kept.fromSamples[at] = sample;
    this.#kept.timestamps[at] = timestamp;
    this.#kept.heldMs[at] = Math.max(0, nowMs - arrivedAtMs);
    this.#kept.writtenAtMs[at] = nowMs;
    this.#packets += 1;
  }

  /** Copies: for events, not for packets. */
  recent(): UplinkPackets {
    const kept = Math.min(this.#packets, KEPT_PACKETS);
    const oldest = (this.#packets - kept) % KEPT_PACKETS;
    const packets = emptyUplinkPackets(kept);
    for (let index = 0; index < kept; index += 1) {
      const at = (oldest + index) % KEPT_PACKETS;
      packets.fromSamples[index] = this.#kept.fromSamples[at]!;
      packets.timestamps[index] = this.#kept.timestamps[at]!;
      packets.heldMs[index] = this.#kept.heldMs[at]!;
      packets.writtenAtMs[index] = this.#kept.writtenAtMs[at]!;
    }
    return packets;
  }
}

/** Arrays for that many packets, 20 bytes each. */
export function emptyUplinkPackets(packets = KEPT_PACKETS): UplinkPackets {
  return {
    fromSamples: new Uint32Array(packets),
    timestamps: new Uint32Array(packets),
    heldMs: new Float32Array(packets),
    writtenAtMs: new Float64Array(packets),
  };
}

/**
 * Where a stretch of the tape ends on the wire, whatever was left out behind it.
 * @param endSample one past its last sample
 * @returns the RTP timestamp after that sample, what its packet was held for and when that sample was written; null when
 * it came before all packets
 */
export function placeBefore(packets: UplinkPackets, endSample: number): UplinkPlace | null {
  const { fromSamples, timestamps, heldMs, writtenAtMs } = packets;
  const index = fromSamples.findLastIndex((fromSample) => signedDistance(fromSample, endSample) > 0);
  if (index < 0) return null;
  const samples = signedDistance(fromSamples[index]!, endSample);
  const laterTicks = Math.floor((samples - 1) / FRAME_SAMPLES);
  return {
    timestamp: addToTimestamp(timestamps[index]!, samples),
    heldMs: heldMs[index]!,
    writtenAtMs: writtenAtMs[index]! + laterTicks * TICK_MS,
  };
}
