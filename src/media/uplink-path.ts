/**
 * Uplink path: one caller's datagrams in, samples on the tape out. The whole way is `receive` and `play`.
 * Thread: media. Hot: both run 50 times a second per call; no allocation, await, throw or log. No sockets here.
 * Source: RFC 3550, RFC 3551 (PT 13), RFC 4733. Walk: packet steps 2 to 8.
 */
import { isIP } from 'node:net';
import { type G711Codec, g711Codec } from '../audio/g711.ts';
import { peak } from '../audio/level.ts';
import type { PacketLossConcealer } from '../audio/plc.ts';
import { advance } from '../ring-buffers/position.ts';
import type { TapeWriter } from '../ring-buffers/tape.ts';
import { DtmfReceiver } from '../rtp/dtmf.ts';
import { JitterBuffer } from '../rtp/jitter-buffer.ts';
import { parseRtpPacket, RtpPacketView } from '../rtp/packet.ts';
import { ReceptionStatistics } from '../rtp/reception-statistics.ts';
import { SourceLock } from '../rtp/source-lock.ts';
import { FRAME_SAMPLES, RATE_HZ } from './frame.ts';
import type { LegMemory } from './leg-memory.ts';
import {
  DROP_REASONS,
  type DropCounters,
  type DropReason,
  type JitterSettings,
  type StartLeg,
} from './media-protocol.ts';
import { UplinkClock } from './uplink-clock.ts';

/** RFC 3389; its static payload type. Comfort noise holds a place in the sequence and is played as silence. */
const COMFORT_NOISE_PAYLOAD_TYPE = 13;
/** Quieter than this a packet may be left out to give delay back: -42 dBFS, below speech, above line noise. */
const QUIET_PEAK = 256;
/** Or so much quieter than the loudest lately: on a noisy line no pause is below -42 dBFS. */
const QUIET_SHARE_OF_LOUDEST = 1 / 6;
/** For each packet; what was loudest counts half after 5 s. */
const LOUDEST_DECAY = 0.997;
/** The concealer is silent after 60 ms; from then on silence is written without asking it. */
const CONCEALED_SAMPLES = 480;

export class UplinkPath {
  readonly drops: DropCounters;
  readonly statistics = new ReceptionStatistics(RATE_HZ);
  readonly lock = new SourceLock();
  readonly jitter: JitterBuffer;
  readonly dtmf = new DtmfReceiver(RATE_HZ);
  readonly clock: UplinkClock;
  concealedPieces = 0;
  leftOutPackets = 0;
  /** When the last believed packet came. */
  lastPacketMs = Number.NEGATIVE_INFINITY;
  readonly #tape: TapeWriter;
  readonly #view = new RtpPacketView();
  readonly #plc: PacketLossConcealer;
  readonly #pieces: (Int16Array | undefined)[] = [];
  readonly #piece: Int16Array;
  readonly #waiting: Int16Array;
  readonly #frame: Int16Array;
  #waitingSamples = 0;
  #emptySamples = CONCEALED_SAMPLES;
  #codec: G711Codec = g711Codec('ulaw');
  #payloadType = -1;
  #eventPayloadType = -1;
  #isReceiving = false;
  #loudestPeak = 0;
  #tickMs = 0;

  /** @param memory of no other leg while this one lives */
  constructor(tape: TapeWriter, jitter: JitterSettings, memory: LegMemory) {
    this.#tape = tape;
    this.#plc = memory.concealer;
    this.#plc.clear();
    this.#piece = memory.piece;
    this.#waiting = memory.waiting;
    this.#frame = memory.waiting.subarray(0, FRAME_SAMPLES);
    this.clock = new UplinkClock(memory.packets);
    this.jitter = new JitterBuffer({ clockRateHz: RATE_HZ, ...jitter }, memory.slots);
    this.drops = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as DropCounters;
  }

  /** Whether packets are expected now: started and not on hold. */
  get isReceiving(): boolean {
    return this.#isReceiving;
  }

  /** Answer or re-INVITE. */
  start(start: StartLeg, nowMs: number): void {
    this.#codec = g711Codec(start.codec === 'PCMU' ? 'ulaw' : 'alaw');
    this.#payloadType = start.payloadType;
    this.#eventPayloadType = start.telephoneEventPayloadType ?? -1;
    this.#isReceiving = start.direction === 'sendrecv' || start.direction === 'recvonly';
    const { remote, signallingAddress = null } = start;
    this.lock.expect({ remote: isUsable(remote) ? remote : null, signallingAddress }, nowMs);
  }

  /** Steps 2 and 3: one datagram into the jitter buffer, or into a drop counter. @throws never */
  receive(bytes: Uint8Array, address: string, port: number, arrivalMs: number): void {
    const dropped = this.#keep(bytes, address, port, arrivalMs);
    if (dropped !== null) this.drops[dropped] += 1;
  }

  /**
   * Steps 4 to 8: one frame onto the tape, whether or not there was anything to play.
   * @param laterFrames how many more of a late beat follow at once
   * @throws never
   */
  play(nowMs: number, laterFrames = 0): void {
    this.#tickMs = nowMs;
    this.jitter.beginTick(this.#waitingSamples, nowMs, laterFrames * FRAME_SAMPLES);
    while (this.#waitingSamples < FRAME_SAMPLES) this.#fetch(FRAME_SAMPLES - this.#waitingSamples);
    this.#tape.write(this.#frame);
    this.#waitingSamples -= FRAME_SAMPLES;
    this.#waiting.copyWithin(0, FRAME_SAMPLES, FRAME_SAMPLES + this.#waitingSamples);
    this.dtmf.expire(nowMs);
  }

  /** Uplink position after the newest sample. */
  get positionSamples(): number {
    return this.#tape.positionSamples;
  }

  #keep(bytes: Uint8Array, address: string, port: number, arrivalMs: number): DropReason | null {
    if (!this.#isReceiving) return this.#payloadType < 0 ? 'notStarted' : 'notReceiving';
    const view = this.#view;
    const verdict = parseRtpPacket(bytes, view);
    if (verdict !== 'ok') return verdict;
    const isEvent = view.payloadType === this.#eventPayloadType;
    const isAudio = view.payloadType === this.#payloadType;
    if (!isAudio && !isEvent && view.payloadType !== COMFORT_NOISE_PAYLOAD_TYPE) return 'badPayloadType';
    const source = this.lock.judge(address, port, view.ssrc, view.sequence, arrivalMs);
    if (source === 'foreign' || source === 'probation') return source;
    if (source === 'newStream') this.#restartStream();
    this.lastPacketMs = arrivalMs;
    this.statistics.received(view.sequence, view.timestamp, arrivalMs);
    const { resyncs } = this.jitter;
    const inserted = this.jitter.insert(view, isAudio ? view.payloadBytes : 0, arrivalMs);
    if (inserted !== 'ok') return inserted;
    if (this.jitter.resyncs !== resyncs) this.dtmf.restart();
    return isEvent ? this.#receiveEvent(arrivalMs) : null;
  }

  // Steps 5 and 6: decodes, conceals or pauses; appends at least one sample unless it leaves a packet out.
  #fetch(wantedSamples: number): void {
    const verdict = this.jitter.take(wantedSamples);
    const piece = this.#pieceOf(verdict === 'empty' ? wantedSamples : this.jitter.takenSamples);
    if (verdict === 'packet' && !this.#decode(piece)) return;
    if (verdict === 'lost') this.#conceal(piece);
    if (verdict === 'gap') piece.fill(0);
    if (verdict === 'empty') this.#bridge(piece);
    this.#waiting.set(piece, this.#waitingSamples);
    this.#waitingSamples += piece.length;
  }

  #decode(piece: Int16Array): boolean {
    this.#codec.decode(this.jitter.takenPayload, piece, piece.length);
    const piecePeak = peak(piece);
    this.#loudestPeak = Math.max(piecePeak, this.#loudestPeak * LOUDEST_DECAY);
    const isQuiet = piecePeak <= Math.max(QUIET_PEAK, this.#loudestPeak * QUIET_SHARE_OF_LOUDEST);
    if (this.jitter.isTooFull && isQuiet) {
      this.jitter.leftOut();
      this.leftOutPackets += 1;
      return false;
    }
    this.#plc.good(piece);
    this.#emptySamples = 0;
    const { takenTimestamp, takenArrivalMs } = this.jitter;
    const sample = advance(this.#tape.positionSamples, this.#waitingSamples);
    this.clock.note(sample, takenTimestamp, takenArrivalMs, this.#tickMs);
    return true;
  }

  #conceal(piece: Int16Array): void {
    this.#plc.conceal(piece);
    this.concealedPieces += 1;
  }

  // Nothing has come: as a loss at first, then silence.
  #bridge(piece: Int16Array): void {
    if (this.#emptySamples >= CONCEALED_SAMPLES) piece.fill(0);
    else this.#conceal(piece);
    this.#emptySamples += piece.length;
  }

  // A view per length, made once: the concealer and the codec take exact lengths, and views cost an allocation.
  #pieceOf(samples: number): Int16Array {
    const known = this.#pieces[samples];
    if (known !== undefined) return known;
    const piece = this.#piece.subarray(0, samples);
    this.#pieces[samples] = piece;
    return piece;
  }

  #receiveEvent(arrivalMs: number): DropReason | null {
    const { bytes, payloadStart, payloadEnd, timestamp } = this.#view;
    const verdict = this.dtmf.receive(bytes, payloadStart, payloadEnd, timestamp, arrivalMs);
    return verdict === 'tooShort' || verdict === 'unknownEvent' ? 'badTelephoneEvent' : null;
  }

  #restartStream(): void {
    this.jitter.reset();
    this.statistics.reset();
    this.dtmf.restart();
  }
}

/** Whether an SDP's address can be sent to: a literal one, not the 0.0.0.0 of an old-style hold, and a real port. */
function isUsable(remote: StartLeg['remote']): boolean {
  if (remote === null || isIP(remote.address) === 0 || /^[0:.]+$/.test(remote.address)) return false;
  return remote.port >= 1 && remote.port <= 65_535;
}
