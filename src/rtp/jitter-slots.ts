/**
 * Jitter slots: where the packets of one jitter buffer wait. They are made once and go from buffer to buffer.
 * Thread: media.
 */

/** Slots; a power of two. 64 packets of 10 ms are well beyond the cap, so memory never limits before time does. */
export const WINDOW_PACKETS = 64;
/** 80 ms of G.711: above every ptime in use. */
export const MAX_PAYLOAD_BYTES = 640;

/** Where packets wait, made by `jitterSlots`; of one buffer at a time. */
export type JitterSlots = readonly JitterSlot[];

export interface JitterSlot {
  /** -1 until first used; stays after the packet was taken so that a second copy is known for a duplicate. */
  sequence: number;
  isFilled: boolean;
  timestamp: number;
  arrivalMs: number;
  /** 0 for packets that carry no audio (telephone events, comfort noise). */
  durationSamples: number;
  payloadBytes: number;
  readonly payload: Uint8Array;
}

const NO_PACKET: Omit<JitterSlot, 'payload'> = {
  sequence: -1,
  isFilled: false,
  timestamp: 0,
  arrivalMs: 0,
  durationSamples: 0,
  payloadBytes: 0,
};

/** Empty slots, 40 KiB. */
export function jitterSlots(): JitterSlots {
  const memory = new Uint8Array(WINDOW_PACKETS * MAX_PAYLOAD_BYTES);
  return Array.from({ length: WINDOW_PACKETS }, (_, index) => {
    const payload = memory.subarray(index * MAX_PAYLOAD_BYTES, (index + 1) * MAX_PAYLOAD_BYTES);
    return { ...NO_PACKET, payload };
  });
}

/** As new: no packet, and no sample of those that were there. */
export function eraseSlots(slots: JitterSlots): void {
  for (const slot of slots) {
    Object.assign(slot, NO_PACKET);
    slot.payload.fill(0);
  }
}
