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
  readonly #fromSamples = new Uint32Array(KEPT_PACKETS);
  readonly #timestamps = new Uint32Array(KEPT_PACKETS);
  readonly #heldMs = new Float32Array(KEPT_PACKETS);
  readonly #writtenAtMs = new Float64Array(KEPT_PACKETS);
  #packets = 0;

  /** A packet that came at `arrivedAtMs` goes to `sample` of the tape at `nowMs`. */
  note(sample: number, timestamp: number, arrivedAtMs: number, nowMs: number): void {
    const at = this.#packets % KEPT_PACKETS;
    this.#fromSamples[at] = sample;
    this.#timestamps[at] = timestamp;
    this.#heldMs[at] = Math.max(0, nowMs - arrivedAtMs);
    this.#writtenAtMs[at] = nowMs;
    this.#packets += 1;
  }

  /** Copies: for events, not for packets. */
  recent(): UplinkPackets {
    const kept = Math.min(this.#packets, KEPT_PACKETS);
    const oldest = (this.#packets - kept) % KEPT_PACKETS;
    const packets = {
      fromSamples: new Uint32Array(kept),
      timestamps: new Uint32Array(kept),
      heldMs: new Float32Array(kept),
      writtenAtMs: new Float64Array(kept),
    };
    for (let index = 0; index < kept; index += 1) {
      const at = (oldest + index) % KEPT_PACKETS;
      packets.fromSamples[index] = this.#fromSamples[at]!;
      packets.timestamps[index] = this.#timestamps[at]!;
      packets.heldMs[index] = this.#heldMs[at]!;
      packets.writtenAtMs[index] = this.#writtenAtMs[at]!;
    }
    return packets;
  }
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
