/**
 * RTP packets: parse one datagram into a reusable view, write a header in front of a payload.
 * Thread: media, and the built-in caller. Hot: neither direction allocates or throws.
 * Source: RFC 3550 section 5.1, 5.3.1. Walk: step 2.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                           timestamp                           |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |           synchronization source (SSRC) identifier            |
 *    +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 *    |            contributing source (CSRC) identifiers             |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */

/** Bytes of an RTP header without CSRCs and extension. */
export const RTP_HEADER_BYTES = 12;
const RTP_VERSION = 2;
const CSRC_BYTES = 4;
const EXTENSION_HEADER_BYTES = 4;

/** Why a datagram is no RTP packet; 'ok' when it is one. */
export type RtpVerdict = 'ok' | 'tooShort' | 'badVersion' | 'badCsrc' | 'badExtension' | 'badPadding';

/** One parsed packet. Made once and filled again for every datagram; `bytes` is the datagram it points into. */
export class RtpPacketView {
  bytes: Uint8Array = new Uint8Array(0);
  marker = false;
  payloadType = 0;
  sequence = 0;
  timestamp = 0;
  ssrc = 0;
  /** Byte offsets of the payload, [payloadStart, payloadEnd), padding excluded. */
  payloadStart = 0;
  payloadEnd = 0;

  get payloadBytes(): number {
    return this.payloadEnd - this.payloadStart;
  }
}

/** What a header needs; `ssrc` and `timestamp` are uint32, `sequence` uint16, `payloadType` 0..127. */
export interface RtpHeader {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

/**
 * Parses one datagram into `view`. The view is only meaningful when the answer is 'ok'.
 * @throws never, whatever the bytes are
 */
export function parseRtpPacket(bytes: Uint8Array, view: RtpPacketView): RtpVerdict {
  if (bytes.length < RTP_HEADER_BYTES) return 'tooShort';
  const first = bytes[0]!;
  if (first >> 6 !== RTP_VERSION) return 'badVersion';
  let start = RTP_HEADER_BYTES + (first & 0x0f) * CSRC_BYTES;
  if (start > bytes.length) return 'badCsrc';
  if ((first & 0x10) !== 0) {
    if (start + EXTENSION_HEADER_BYTES > bytes.length) return 'badExtension';
    start += EXTENSION_HEADER_BYTES + readUint16(bytes, start + 2) * 4;
    if (start > bytes.length) return 'badExtension';
  }
  let end = bytes.length;
  if ((first & 0x20) !== 0) {
    const paddingBytes = bytes[end - 1]!;
    if (paddingBytes === 0 || end - paddingBytes < start) return 'badPadding';
    end -= paddingBytes;
  }
  view.bytes = bytes;
  view.payloadStart = start;
  view.payloadEnd = end;
  readFixedHeader(bytes, view);
  return 'ok';
}

/**
 * Writes the 12 header bytes at the start of `target`; the payload belongs at RTP_HEADER_BYTES.
 * @throws never; `target` must hold at least RTP_HEADER_BYTES
 */
export function writeRtpHeader(header: RtpHeader, target: Uint8Array): void {
  target[0] = RTP_VERSION << 6;
  target[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  target[2] = header.sequence >>> 8;
  target[3] = header.sequence;
  writeUint32(target, 4, header.timestamp);
  writeUint32(target, 8, header.ssrc);
}

/**
 * Tells RTCP from RTP on a shared port by the second byte (RFC 5761 section 4: RTCP types 192..223).
 * @throws never
 */
export function looksLikeRtcp(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[1]! >= 192 && bytes[1]! <= 223;
}

/** Big-endian uint16 at `offset`. @throws never; the caller has checked the length */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

/** Big-endian uint32 at `offset`. @throws never; the caller has checked the length */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return ((readUint16(bytes, offset) << 16) | readUint16(bytes, offset + 2)) >>> 0;
}

/** Big-endian uint32 to `offset`. @throws never */
export function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}

function readFixedHeader(bytes: Uint8Array, view: RtpPacketView): void {
  view.marker = (bytes[1]! & 0x80) !== 0;
  view.payloadType = bytes[1]! & 0x7f;
  view.sequence = readUint16(bytes, 2);
  view.timestamp = readUint32(bytes, 4);
  view.ssrc = readUint32(bytes, 8);
}
