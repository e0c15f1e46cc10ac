/**
 * RTCP: compose SR, RR, SDES and BYE; parse the same out of compound packets, checking every length.
 * Thread: media. A packet in five seconds: not hot. Pure. Source: RFC 3550 section 6.4, 6.5, 6.6, A.2.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |V=2|P|    RC   |      PT       |             length            |  words after this one
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |                         SSRC of sender                        |
 *    +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 */
import { readUint16, readUint32, writeUint32 } from './packet.ts';

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const GOODBYE = 203;
const HEADER_BYTES = 4;
const SSRC_BYTES = 4;
const SENDER_INFO_BYTES = 20;
const REPORT_BLOCK_BYTES = 24;
const SDES_CNAME = 1;
/** Seconds from 1900 (NTP) to 1970 (Unix). */
const NTP_UNIX_OFFSET_S = 2_208_988_800;

export type RtcpVerdict =
  | 'ok'
  | 'tooShort'
  | 'badVersion'
  | 'badFirstType'
  | 'badLength'
  | 'badCount'
  | 'badPadding';

/** What one report says about the stream we send. */
export interface ReportBlock {
  /** The stream that is reported on. */
  readonly ssrc: number;
  readonly fractionLost256: number;
  readonly cumulativeLostPackets: number;
  readonly extendedHighestSequence: number;
  readonly jitterTimestampUnits: number;
  /** Middle 32 bits of the NTP time of the last sender report, and the delay since, in 1/65536 s. */
  readonly lastSenderReport: number;
  readonly delaySinceLastSenderReport: number;
}

/** Everything in one compound packet that Wildfire uses. */
export interface RtcpContent {
  readonly verdict: RtcpVerdict;
  /** Of the first SR or RR. */
  readonly senderSsrc: number;
  /** Middle 32 bits of the NTP time in the SR; null when there was none. */
  readonly senderReportNtpMiddle: number | null;
  readonly reports: readonly ReportBlock[];
  /** SSRCs that said goodbye. */
  readonly goodbyes: readonly number[];
}

/** The sender's half of an SR. */
export interface SenderInfo {
  readonly ntpUnixMs: number;
  readonly rtpTimestamp: number;
  readonly packetsSent: number;
  readonly payloadBytesSent: number;
}

export interface RtcpToSend {
  readonly ssrc: number;
  /** SR when given, RR otherwise: an RR is for those who sent nothing since the last report. */
  readonly sender: SenderInfo | null;
  readonly report: ReportBlock | null;
  /** Random per call, at most 255 ASCII characters (RFC 7022). */
  readonly cname: string;
  readonly isGoodbye: boolean;
}

/** One compound packet: SR or RR, SDES with CNAME, and BYE when asked. */
export function composeRtcp(content: RtcpToSend): Uint8Array {
  const parts = [composeReport(content), composeSdes(content.ssrc, content.cname)];
  if (content.isGoodbye) parts.push(composeGoodbye(content.ssrc));
  const packet = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    packet.set(part, offset);
    offset += part.length;
  }
  return packet;
}

/**
 * Parses one compound packet. Nothing of a packet that fails a check is used.
 * @throws never, whatever the bytes are
 */
export function parseRtcp(bytes: Uint8Array): RtcpContent {
  const found = { senderSsrc: 0, senderReportNtpMiddle: null, reports: [], goodbyes: [] } as Found;
  const verdict = checkCompound(bytes);
  if (verdict !== 'ok') return { ...NOTHING, verdict };
  for (let offset = 0; offset < bytes.length; offset += packetBytes(bytes, offset)) {
    const end = offset + packetBytes(bytes, offset) - paddingBytes(bytes, offset);
    const bad = parseOne(bytes, offset, end, found);
    if (bad !== 'ok') return { ...NOTHING, verdict: bad };
  }
  return { ...found, verdict: 'ok' };
}

/** Middle 32 bits of the 64-bit NTP time: what LSR carries (RFC 3550 section 6.4.1). */
export function ntpMiddle32(unixMs: number): number {
  const seconds = unixMs / 1000 + NTP_UNIX_OFFSET_S;
  return Math.floor((seconds % 65536) * 65536) >>> 0;
}

/**
 * Round trip from a report block on our own stream: now - LSR - DLSR (RFC 3550 section 6.4.1, figure 2).
 * @returns ms, or null when the peer has seen no sender report of ours or the numbers make no sense
 */
export function roundTripMs(block: ReportBlock, nowUnixMs: number): number | null {
  if (block.lastSenderReport === 0) return null;
  const units = (ntpMiddle32(nowUnixMs) - block.lastSenderReport - block.delaySinceLastSenderReport) | 0;
  if (units < 0 || units > 60 * 65536) return null;
  return (units / 65536) * 1000;
}

interface Found {
  senderSsrc: number;
  senderReportNtpMiddle: number | null;
  readonly reports: ReportBlock[];
  readonly goodbyes: number[];
}

const NOTHING = { senderSsrc: 0, senderReportNtpMiddle: null, reports: [], goodbyes: [] };

// RFC 3550 A.2: version 2 everywhere, first an SR or RR, padding in the last only, lengths that add up exactly.
function checkCompound(bytes: Uint8Array): RtcpVerdict {
  if (bytes.length < HEADER_BYTES + SSRC_BYTES) return 'tooShort';
  if (bytes[0]! >> 6 !== 2) return 'badVersion';
  if (bytes[1] !== SENDER_REPORT && bytes[1] !== RECEIVER_REPORT) return 'badFirstType';
  let offset = 0;
  while (offset < bytes.length) {
    if (offset + HEADER_BYTES > bytes.length) return 'badLength';
    if (bytes[offset]! >> 6 !== 2) return 'badVersion';
    const end = offset + packetBytes(bytes, offset);
    if (end > bytes.length) return 'badLength';
    const padding = paddingBytes(bytes, offset);
    if (hasPadding(bytes, offset) && (end !== bytes.length || padding === 0 || padding % 4 !== 0))
      return 'badPadding';
    if (padding > end - offset - HEADER_BYTES) return 'badPadding';
    offset = end;
  }
  return 'ok';
}

function packetBytes(bytes: Uint8Array, offset: number): number {
  return (readUint16(bytes, offset + 2) + 1) * 4;
}

function hasPadding(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & 0x20) !== 0;
}

function paddingBytes(bytes: Uint8Array, offset: number): number {
  return hasPadding(bytes, offset) ? (bytes[offset + packetBytes(bytes, offset) - 1] ?? 0) : 0;
}

function parseOne(bytes: Uint8Array, offset: number, end: number, found: Found): RtcpVerdict {
  const type = bytes[offset + 1]!;
  if (type === SENDER_REPORT) return parseReport(bytes, offset, end, found);
  if (type === RECEIVER_REPORT) return parseReport(bytes, offset, end, found);
  if (type === GOODBYE) return parseGoodbye(bytes, offset, end, found);
  return 'ok';
}

function parseReport(bytes: Uint8Array, offset: number, end: number, found: Found): RtcpVerdict {
  const isSender = bytes[offset + 1] === SENDER_REPORT;
  const count = bytes[offset]! & 0x1f;
  let at = offset + HEADER_BYTES + SSRC_BYTES + (isSender ? SENDER_INFO_BYTES : 0);
  if (at + count * REPORT_BLOCK_BYTES > end) return 'badCount';
  if (offset === 0) found.senderSsrc = readUint32(bytes, offset + HEADER_BYTES);
  if (isSender) found.senderReportNtpMiddle = readUint32(bytes, offset + 10);
  for (let block = 0; block < count; block += 1) {
    found.reports.push(parseBlock(bytes, at));
    at += REPORT_BLOCK_BYTES;
  }
  return 'ok';
}

function parseBlock(bytes: Uint8Array, at: number): ReportBlock {
  return {
    ssrc: readUint32(bytes, at),
    fractionLost256: bytes[at + 4]!,
    cumulativeLostPackets: (readUint32(bytes, at + 4) << 8) >> 8,
    extendedHighestSequence: readUint32(bytes, at + 8),
    jitterTimestampUnits: readUint32(bytes, at + 12),
    lastSenderReport: readUint32(bytes, at + 16),
    delaySinceLastSenderReport: readUint32(bytes, at + 20),
  };
}

function parseGoodbye(bytes: Uint8Array, offset: number, end: number, found: Found): RtcpVerdict {
  const count = bytes[offset]! & 0x1f;
  if (offset + HEADER_BYTES + count * SSRC_BYTES > end) return 'badCount';
  for (let index = 0; index < count; index += 1) {
    found.goodbyes.push(readUint32(bytes, offset + HEADER_BYTES + index * SSRC_BYTES));
  }
  return 'ok';
}

function composeReport(content: RtcpToSend): Uint8Array {
  const infoBytes = content.sender === null ? 0 : SENDER_INFO_BYTES;
  const blockBytes = content.report === null ? 0 : REPORT_BLOCK_BYTES;
  const packet = new Uint8Array(HEADER_BYTES + SSRC_BYTES + infoBytes + blockBytes);
  writeHeader(
    packet,
    content.report === null ? 0 : 1,
    content.sender === null ? RECEIVER_REPORT : SENDER_REPORT,
  );
  writeUint32(packet, HEADER_BYTES, content.ssrc);
  if (content.sender !== null) writeSenderInfo(content.sender, packet);
  if (content.report !== null) writeBlock(content.report, packet, HEADER_BYTES + SSRC_BYTES + infoBytes);
  return packet;
}

function writeSenderInfo(info: SenderInfo, packet: Uint8Array): void {
  const seconds = info.ntpUnixMs / 1000 + NTP_UNIX_OFFSET_S;
  writeUint32(packet, 8, Math.floor(seconds) >>> 0);
  writeUint32(packet, 12, Math.floor((seconds % 1) * 2 ** 32) >>> 0);
  writeUint32(packet, 16, info.rtpTimestamp);
  writeUint32(packet, 20, info.packetsSent >>> 0);
  writeUint32(packet, 24, info.payloadBytesSent >>> 0);
}

function writeBlock(block: ReportBlock, packet: Uint8Array, at: number): void {
  writeUint32(packet, at, block.ssrc);
  writeUint32(packet, at + 4, block.cumulativeLostPackets & 0xffffff);
  packet[at + 4] = block.fractionLost256;
  writeUint32(packet, at + 8, block.extendedHighestSequence);
  writeUint32(packet, at + 12, block.jitterTimestampUnits);
  writeUint32(packet, at + 16, block.lastSenderReport);
  writeUint32(packet, at + 20, block.delaySinceLastSenderReport);
}

// RFC 3550 section 6.5: chunk of SSRC, one CNAME item, then 1 to 4 zero bytes up to the word border.
function composeSdes(ssrc: number, cname: string): Uint8Array {
  const text = new TextEncoder().encode(cname).subarray(0, 255);
  const chunkBytes = SSRC_BYTES + 2 + text.length + 1;
  const packet = new Uint8Array(HEADER_BYTES + Math.ceil(chunkBytes / 4) * 4);
  writeHeader(packet, 1, SOURCE_DESCRIPTION);
  writeUint32(packet, HEADER_BYTES, ssrc);
  packet[HEADER_BYTES + SSRC_BYTES] = SDES_CNAME;
  packet[HEADER_BYTES + SSRC_BYTES + 1] = text.length;
  packet.set(text, HEADER_BYTES + SSRC_BYTES + 2);
  return packet;
}

function composeGoodbye(ssrc: number): Uint8Array {
  const packet = new Uint8Array(HEADER_BYTES + SSRC_BYTES);
  writeHeader(packet, 1, GOODBYE);
  writeUint32(packet, HEADER_BYTES, ssrc);
  return packet;
}

function writeHeader(packet: Uint8Array, count: number, type: number): void {
  const words = packet.length / 4 - 1;
  packet[0] = (2 << 6) | count;
  packet[1] = type;
  packet[2] = words >>> 8;
  packet[3] = words;
}
