/**
 * Serial arithmetic on RTP's 16-bit sequence numbers and 32-bit timestamps, both of which wrap.
 * Thread: any. Hot. Pure. Source: RFC 3550 section 5.1 and RFC 1982.
 */

/** Sequence numbers per cycle. */
export const SEQUENCE_MODULUS = 0x10000;

/** How far `to` is ahead of `from`, -32768..32767; negative when it is behind. @throws never */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** `sequence + packets` modulo 2^16. @throws never */
export function addToSequence(sequence: number, packets: number): number {
  return (sequence + packets) & 0xffff;
}

/** How many timestamp units `to` is ahead of `from`, -2^31..2^31-1; negative when it is behind. @throws never */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0;
}

/** `timestamp + units` modulo 2^32. @throws never */
export function addToTimestamp(timestamp: number, units: number): number {
  return (timestamp + units) >>> 0;
}
