/**
 * Media leg: one call's sockets, its way up and its way down, and what it has to tell the main thread.
 * Thread: media. Hot: `tick` runs 50 times a second; it allocates only when there is an event or a report to send.
 * Walk: packet steps 1 to 8, turn step 10.
 */
import { monotonicMs } from '../observability/clock.ts';
import { RingReader } from '../ring-buffers/ring.ts';
import { TapeWriter } from '../ring-buffers/tape.ts';
import { looksLikeRtcp } from '../rtp/packet.ts';
import { Packetizer } from '../rtp/packetizer.ts';
import { RtcpSession } from '../rtp/rtcp-session.ts';
import type { RtpPorts } from '../rtp/rtp-socket.ts';
import { DownlinkPath } from './downlink-path.ts';
import { EchoPath } from './echo-path.ts';
import { TICK_MS } from './frame.ts';
import type { LatenessHistogram } from './lateness-histogram.ts';
import { type LegMemory, makeLegMemory } from './leg-memory.ts';
import type { JitterSettings, LegReport, MediaEvent, OpenLeg, StartLeg } from './media-protocol.ts';
import type { Beat } from './playout-clock.ts';
import type { RecentLateness } from './recent-lateness.ts';
import { UplinkPath } from './uplink-path.ts';

const LAST_PORT = 65_535;

export interface MediaLegOptions {
  readonly open: OpenLeg;
  readonly jitter: JitterSettings;
  readonly mediaTimeoutMs: number;
  readonly onEvent: (event: MediaEvent) => void;
  /** Monotonic ms; `tick` and the datagram handlers read it. */
  readonly nowMs: () => number;
  /** 0 <= x < 1; for SSRC, first sequence number and timestamp, CNAME and report times. */
  readonly random: () => number;
  /** Of all legs together. */
  readonly recent?: Pick<RecentLateness, 'add'>;
  /** Default: new. */
  readonly memory?: LegMemory;
}

export class MediaLeg {
  readonly callId: number;
  /** The owner's to use again once the leg is closed. */
  readonly memory: LegMemory;
  readonly uplink: UplinkPath;
  readonly lateness: LatenessHistogram;
  readonly #options: MediaLegOptions;
  readonly #downlink: DownlinkPath;
  readonly #packetizer: Packetizer;
  readonly #rtcp: RtcpSession;
  /** Null where somebody else writes the ring. */
  readonly #echo: EchoPath | null;
  #ports: RtpPorts | null = null;
  #isStarted = false;
  #hasReceived = false;
  #hasTimedOut = false;
  /** Media timeout counts from here when no packet has come since. */
  #listeningSinceMs = 0;
  #digits = 0;

  /** @throws WildfireError INVALID_STATE when a handle is no tape or ring. */
  constructor(options: MediaLegOptions) {
    const { open, random, nowMs } = options;
    this.#options = options;
    this.callId = open.callId;
    this.memory = options.memory ?? makeLegMemory();
    this.lateness = this.memory.lateness;
    this.lateness.clear();
    this.uplink = new UplinkPath(new TapeWriter(open.uplink), options.jitter, this.memory);
    this.#packetizer = new Packetizer({
      ssrc: randomUint32(random),
      firstSequence: randomUint32(random) & 0x7fff,
      firstTimestamp: randomUint32(random),
    });
    this.#downlink = new DownlinkPath(new RingReader(open.downlink), this.#packetizer, this.#sendRtp);
    this.#echo = open.isEcho === true ? new EchoPath(open) : null;
    this.#rtcp = new RtcpSession({
      packetizer: this.#packetizer,
      statistics: this.uplink.statistics,
      lock: this.uplink.lock,
      cname: randomUint32(random).toString(36) + randomUint32(random).toString(36),
      nowMs,
      unixMs: Date.now,
      random,
    });
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Gives the leg its sockets, once. */
  attach(ports: RtpPorts): void {
    this.#ports = ports;
  }

  /** Answer or re-INVITE: from now on frames go both ways. */
  start(start: StartLeg): void {
    const nowMs = this.#options.nowMs();
    this.uplink.start(start, nowMs);
    this.#downlink.start(start);
    this.#isStarted = true;
    this.#hasTimedOut = false;
    this.#listeningSinceMs = nowMs;
  }

  /** One beat: the frames that are due, up and down. @throws never */
  tick(beat: Beat): void {
    for (let later = beat.ticks - 1; later >= 0; later -= 1) this.uplink.play(beat.dueMs, later);
    if (this.#downlink.isSending) this.#echo?.pass(beat.sends);
    if (beat.ticks > beat.sends) this.#downlink.skip(beat.ticks - beat.sends);
    for (let back = beat.sends - 1; back >= 0; back -= 1) this.#sendFrame(beat.dueMs - back * TICK_MS);
    this.#tellDigit();
    this.#watchSilence(beat.dueMs);
    this.#report();
  }

  /** A datagram on the RTP port. @throws never */
  readonly onRtp = (bytes: Uint8Array, address: string, port: number): void => {
    if (looksLikeRtcp(bytes)) {
      this.onRtcp(bytes, address, port);
      return;
    }
    const nowMs = this.#options.nowMs();
    this.uplink.receive(bytes, address, port, nowMs);
    if (!this.#hasReceived && this.uplink.lastPacketMs === nowMs) this.#tellFirstPacket();
  };

  /** A datagram on the RTCP port, or RTCP on the RTP port (RFC 5761). @throws never */
  readonly onRtcp = (bytes: Uint8Array, address: string, port: number): void => {
    const outcome = this.#rtcp.receive(bytes, address, port);
    if (outcome === 'badRtcp' || outcome === 'foreignRtcp') this.uplink.drops[outcome] += 1;
    if (outcome === 'goodbye') this.#options.onEvent({ kind: 'remoteBye', callId: this.callId });
  };

  /** A socket error that arrived by event. @throws never */
  readonly onSocketError = (): void => {
    this.uplink.drops.socketError += 1;
  };

  /** Says goodbye, closes both sockets, and tells what the leg did. */
  async close(): Promise<LegReport> {
    if (this.#isStarted) this.#sendRtcp(this.#rtcp.goodbye());
    this.#isStarted = false;
    await this.#ports?.close();
    return this.#summary();
  }

  #sendFrame(dueMs: number): void {
    const change = this.#downlink.send();
    if (this.#downlink.isSending) this.#noteLateness(this.#options.nowMs() - dueMs);
    if (change === 'none') return;
    const at = { callId: this.callId, atMs: monotonicMs() };
    const { startIndex, endIndex } = this.#downlink;
    if (change !== 'started') this.#options.onEvent({ kind: 'playoutDrained', ...at, ringIndex: endIndex });
    if (change === 'drained') return;
    const uplink = this.uplink.clock.recent();
    this.#options.onEvent({ kind: 'playoutStarted', ...at, ringIndex: startIndex, uplink });
  }

  #noteLateness(latenessMs: number): void {
    this.lateness.add(latenessMs);
    this.#options.recent?.add(latenessMs);
  }

  readonly #sendRtp = (bytes: Uint8Array): void => {
    const { lock } = this.uplink;
    if (lock.sendPort !== 0) this.#ports?.sendRtp(bytes, lock.sendAddress, lock.sendPort);
  };

  #sendRtcp(bytes: Uint8Array): void {
    const { lock } = this.uplink;
    const { sendPort } = this.#rtcp;
    // RTP on the very last port leaves none for RTCP.
    if (lock.sendPort === 0 || sendPort > LAST_PORT) return;
    this.#ports?.sendRtcp(bytes, lock.sendAddress, sendPort);
  }

  #report(): void {
    const report = this.#rtcp.takeDueReport();
    if (report !== null) this.#sendRtcp(report);
  }

  #tellDigit(): void {
    const { dtmf, positionSamples } = this.uplink;
    const digit = dtmf.takeDigit();
    if (digit === '') return;
    this.#digits += 1;
    this.#options.onEvent({
      kind: 'dtmf',
      callId: this.callId,
      digit,
      positionSamples,
      durationMs: Math.round(dtmf.durationMs),
    });
  }

  #tellFirstPacket(): void {
    this.#hasReceived = true;
    this.#options.onEvent({ kind: 'firstPacket', callId: this.callId, atMs: monotonicMs() });
  }

  // On hold nothing is expected, so nothing times out; a packet after a timeout arms it again.
  #watchSilence(nowMs: number): void {
    const { isReceiving, lastPacketMs } = this.uplink;
    const sinceMs = Math.max(lastPacketMs, this.#listeningSinceMs);
    const isSilent = isReceiving && nowMs - sinceMs >= this.#options.mediaTimeoutMs;
    if (isSilent && !this.#hasTimedOut) this.#options.onEvent({ kind: 'mediaTimeout', callId: this.callId });
    this.#hasTimedOut = isSilent;
  }

  #summary(): LegReport {
    const { drops, statistics, jitter } = this.uplink;
    return {
      callId: this.callId,
      sent: this.#packetizer.packetsSent,
      received: statistics.receivedOfAllStreams,
      lost: Math.max(0, statistics.lostOfAllStreams),
      late: drops.late,
      duplicate: drops.duplicate,
      beyondWindow: drops.beyondWindow,
      concealed: this.uplink.concealedPieces,
      overflow: jitter.overflowPackets,
      leftOut: this.uplink.leftOutPackets,
      underrunFrames: this.#downlink.underrunFrames,
      foreignPackets: drops.foreign,
      dtmf: this.#digits,
      drops: { ...drops },
      jitterMs: Math.round(statistics.jitterMs * 100) / 100,
      roundTripMs: this.#rtcp.roundTripMs,
      remoteFractionLost: this.#rtcp.remoteFractionLost,
      sendLatenessMs: this.lateness.summary(),
    };
  }
}

function randomUint32(random: () => number): number {
  return Math.floor(random() * 2 ** 32) >>> 0;
}
