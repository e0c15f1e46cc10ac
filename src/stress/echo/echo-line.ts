/**
 * One line of the echo test: the packets that it sends, and what is true of those that come back: in sequence, whole,
 * each mark once and in order, and how long each was on its way.
 * Thread: echo lines. Hot: 50 times a second each way; no allocation. Pure: no sockets, times are passed in.
 */
import { LatenessHistogram } from '../../media/lateness-histogram.ts';
import { parseRtpPacket, RtpPacketView } from '../../rtp/packet.ts';
import { Packetizer } from '../../rtp/packetizer.ts';
import { FRAME_BYTES, NO_MARK, readMark, writeMark } from './echo-mark.ts';
import type { EchoLineReport } from './echo-protocol.ts';

/** Frames whose sending time is remembered: 10 s. What takes longer is counted as missing when it should have come. */
const REMEMBERED_FRAMES = 512;
const HALF_SEQUENCE = 0x8000;

export interface EchoLineOptions {
  readonly line: number;
  readonly payloadType: number;
  readonly ssrc: number;
  /** Of all lines together; each round trip goes into this one, too. */
  readonly roundTrips: LatenessHistogram;
}

export class EchoLine {
  /** To be told what became of each packet of `next`; made once, so that sending allocates none. */
  readonly onSent = (error: Error | null): void => {
    if (error !== null) this.#unsent += 1;
  };
  readonly #options: EchoLineOptions;
  readonly #packetizer: Packetizer;
  readonly #view = new RtpPacketView();
  readonly #roundTrips = new LatenessHistogram();
  readonly #sentAtMs = new Float64Array(REMEMBERED_FRAMES);
  #frames = 0;
  #received = 0;
  #lost = 0;
  #late = 0;
  #expectedSequence = -1;
  #firstMark = NO_MARK;
  #nextMark = 0;
  #returned = 0;
  #missing = 0;
  #repeated = 0;
  #damaged = 0;
  #unsent = 0;

  constructor(options: EchoLineOptions) {
    this.#options = options;
    this.#packetizer = new Packetizer({ ssrc: options.ssrc, firstSequence: 0, firstTimestamp: 0 });
  }

  get framesSent(): number {
    return this.#frames;
  }

  /** The next packet. @returns its datagram, used again four packets later */
  next(nowMs: number): Uint8Array {
    const { line, payloadType } = this.#options;
    const { bytes, payload } = this.#packetizer.next(payloadType, this.#frames === 0, FRAME_BYTES);
    this.#packetizer.advance(FRAME_BYTES);
    writeMark(payload, this.#frames, line);
    this.#sentAtMs[this.#frames % REMEMBERED_FRAMES] = nowMs;
    this.#frames += 1;
    return bytes;
  }

  /** One datagram that came back. @throws never */
  receive(bytes: Uint8Array, nowMs: number): void {
    const view = this.#view;
    if (parseRtpPacket(bytes, view) !== 'ok' || view.payloadType !== this.#options.payloadType) return;
    this.#received += 1;
    this.#follow(view.sequence);
    if (this.#nextMark === this.#frames && this.#firstMark !== NO_MARK) return; // all is back: what follows is filling
    const frame = readMark(bytes, view.payloadStart, view.payloadEnd, this.#options.line);
    if (frame === NO_MARK || frame >= this.#frames) this.#noteUnmarked();
    else this.#noteMark(frame, nowMs);
  }

  report(): EchoLineReport {
    const isAnswered = this.#firstMark !== NO_MARK;
    return {
      sent: this.#frames,
      unsent: this.#unsent,
      received: this.#received,
      lost: this.#lost,
      late: this.#late,
      returned: this.#returned,
      unanswered: isAnswered ? this.#firstMark : this.#frames,
      missing: this.#missing + (isAnswered ? this.#frames - this.#nextMark : 0),
      repeated: this.#repeated,
      damaged: this.#damaged,
      roundTripMs: this.#roundTrips.summary(),
    };
  }

  #follow(sequence: number): void {
    const gap = this.#expectedSequence < 0 ? 0 : (sequence - this.#expectedSequence) & 0xffff;
    if (gap >= HALF_SEQUENCE) {
      this.#late += 1;
      this.#lost = Math.max(0, this.#lost - 1);
      return;
    }
    this.#lost += gap;
    this.#expectedSequence = (sequence + 1) & 0xffff;
  }

  // Until the first mark is back the far side plays silence: its playout has not begun.
  #noteUnmarked(): void {
    if (this.#firstMark !== NO_MARK) this.#damaged += 1;
  }

  #noteMark(frame: number, nowMs: number): void {
    if (this.#firstMark === NO_MARK) {
      this.#firstMark = frame;
      this.#nextMark = frame;
    }
    if (frame < this.#nextMark) {
      this.#repeated += 1;
      return;
    }
    this.#missing += frame - this.#nextMark;
    this.#nextMark = frame + 1;
    this.#returned += 1;
    if (this.#frames - frame > REMEMBERED_FRAMES) return;
    const roundTripMs = nowMs - this.#sentAtMs[frame % REMEMBERED_FRAMES]!;
    this.#roundTrips.add(roundTripMs);
    this.#options.roundTrips.add(roundTripMs);
  }
}
