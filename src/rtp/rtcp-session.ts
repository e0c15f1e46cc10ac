/**
 * RTCP session of one leg: a report about every five seconds, and what the peer's reports say.
 * Thread: media. Not hot. Pure: clock, wall clock and randomness are passed in. Source: RFC 3550 section 6.2, 6.3.1, 6.4.
 */
import type { Packetizer } from './packetizer.ts';
import type { ReceptionStatistics } from './reception-statistics.ts';
import { composeRtcp, parseRtcp, type ReportBlock, roundTripMs, type SenderInfo } from './rtcp.ts';
import type { SourceLock } from './source-lock.ts';

/** Mean interval; each is varied by 0.5 to 1.5 so that legs started together do not report together. */
const INTERVAL_MS = 5000;

export interface RtcpSessionOptions {
  readonly packetizer: Packetizer;
  readonly statistics: ReceptionStatistics;
  readonly lock: SourceLock;
  readonly cname: string;
  /** Monotonic ms, and Unix ms for the NTP timestamps. */
  readonly nowMs: () => number;
  readonly unixMs: () => number;
  /** 0 <= x < 1. */
  readonly random: () => number;
}

export type RtcpOutcome = 'ok' | 'goodbye' | 'badRtcp' | 'foreignRtcp';

export class RtcpSession {
  readonly #options: RtcpSessionOptions;
  #nextReportMs: number;
  #packetsAtLastReport = 0;
  #lastSenderReportNtp = 0;
  #lastSenderReportMs = 0;
  /** The stream that the next three belong to; a new one starts them over. */
  #peerSsrc = -1;
  #peerPort = 0;
  #roundTripMs: number | null = null;
  #remoteFractionLost: number | null = null;

  constructor(options: RtcpSessionOptions) {
    this.#options = options;
    this.#nextReportMs = options.nowMs() + this.#intervalMs();
  }

  get roundTripMs(): number | null {
    return this.#roundTripMs;
  }

  /** 0..1. */
  get remoteFractionLost(): number | null {
    return this.#remoteFractionLost;
  }

  /** Where our reports go: the port the peer's came from, else the one above its RTP (RFC 3550 section 11). */
  get sendPort(): number {
    const { lock } = this.#options;
    return this.#peerSsrc === lock.ssrc && lock.isLocked ? this.#peerPort : lock.sendPort + 1;
  }

  /** The report that is due, or null. */
  takeDueReport(): Uint8Array | null {
    const nowMs = this.#options.nowMs();
    if (nowMs < this.#nextReportMs) return null;
    this.#nextReportMs = nowMs + this.#intervalMs();
    return this.#compose(false);
  }

  /** The last packet of the leg: a report and BYE (RFC 3550 section 6.6). */
  goodbye(): Uint8Array {
    return this.#compose(true);
  }

  /** Takes one RTCP datagram. Only the locked source is believed. @throws never */
  receive(bytes: Uint8Array, address: string, port: number): RtcpOutcome {
    const content = parseRtcp(bytes);
    if (content.verdict !== 'ok') return 'badRtcp';
    if (!this.#options.lock.isBelievedRtcp(address, content.senderSsrc)) return 'foreignRtcp';
    this.#peerSsrc = content.senderSsrc;
    this.#peerPort = port;
    if (content.senderReportNtpMiddle !== null) {
      this.#lastSenderReportNtp = content.senderReportNtpMiddle;
      this.#lastSenderReportMs = this.#options.nowMs();
    }
    for (const report of content.reports) this.#noteReport(report);
    return content.goodbyes.includes(content.senderSsrc) ? 'goodbye' : 'ok';
  }

  #noteReport(report: ReportBlock): void {
    if (report.ssrc !== this.#options.packetizer.ssrc) return;
    this.#remoteFractionLost = report.fractionLost256 / 256;
    this.#roundTripMs = roundTripMs(report, this.#options.unixMs()) ?? this.#roundTripMs;
  }

  #compose(isGoodbye: boolean): Uint8Array {
    const { packetizer, cname } = this.#options;
    const packet = composeRtcp({
      ssrc: packetizer.ssrc,
      sender: this.#senderInfo(),
      report: this.#reportBlock(),
      cname,
      isGoodbye,
    });
    this.#packetsAtLastReport = packetizer.packetsSent;
    return packet;
  }

  #senderInfo(): SenderInfo | null {
    const { packetizer, unixMs } = this.#options;
    if (packetizer.packetsSent === this.#packetsAtLastReport) return null;
    return {
      ntpUnixMs: unixMs(),
      rtpTimestamp: packetizer.nextTimestamp,
      packetsSent: packetizer.packetsSent,
      payloadBytesSent: packetizer.payloadBytesSent,
    };
  }

  #reportBlock(): ReportBlock | null {
    const { lock, statistics, nowMs } = this.#options;
    if (statistics.receivedPackets === 0) return null;
    const hasSenderReport = this.#lastSenderReportNtp !== 0 && this.#peerSsrc === lock.ssrc;
    const delayMs = hasSenderReport ? nowMs() - this.#lastSenderReportMs : 0;
    return {
      ssrc: lock.ssrc,
      ...statistics.takeReport(),
      lastSenderReport: hasSenderReport ? this.#lastSenderReportNtp : 0,
      delaySinceLastSenderReport: Math.floor((delayMs * 65536) / 1000) >>> 0,
    };
  }

  #intervalMs(): number {
    return INTERVAL_MS * (0.5 + this.#options.random());
  }
}
