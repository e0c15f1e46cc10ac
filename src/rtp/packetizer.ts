/**
 * Packetizer: numbers and stamps outgoing RTP packets and writes them into recycled datagrams.
 * Thread: media, and the built-in caller. Hot: `next` does not allocate.
 * Source: RFC 3550 section 5.1; RFC 3551 section 4.1 (marker on the first packet of a talkspurt).
 */
import { RTP_HEADER_BYTES, writeRtpHeader } from './packet.ts';
import { addToSequence, addToTimestamp } from './sequence-number.ts';

/** Datagrams in rotation: a send that the kernel postpones still points at its bytes for this many packets. */
const DATAGRAMS = 4;

/** One outgoing packet: the whole datagram, and the part of it that the caller fills. */
export interface RtpDatagram {
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
}

export interface PacketizerOptions {
  readonly ssrc: number;
  /** First sequence number and timestamp; random per RFC 3550 section 5.1, chosen by the owner. */
  readonly firstSequence: number;
  readonly firstTimestamp: number;
}

/** The sending half of one RTP stream. */
export class Packetizer {
  readonly #header: {
    marker: boolean;
    payloadType: number;
    sequence: number;
    timestamp: number;
    ssrc: number;
  };
  /** Datagrams in rotation, by payload size; a stream uses one or two sizes. */
  readonly #rotations = new Map<number, RtpDatagram[]>();
  #turn = 0;
  #packetsSent = 0;
  #payloadBytesSent = 0;

  constructor(options: PacketizerOptions) {
    this.#header = {
      marker: false,
      payloadType: 0,
      sequence: options.firstSequence & 0xffff,
      timestamp: options.firstTimestamp >>> 0,
      ssrc: options.ssrc >>> 0,
    };
  }

  get ssrc(): number {
    return this.#header.ssrc;
  }

  /** Packets and payload bytes so far, for the sender report. */
  get packetsSent(): number {
    return this.#packetsSent;
  }

  get payloadBytesSent(): number {
    return this.#payloadBytesSent;
  }

  /** Timestamp the next packet will carry. */
  get nextTimestamp(): number {
    return this.#header.timestamp;
  }

  /**
   * Writes the header of the next packet and moves on by one sequence number; time moves with `advance`, so that
   * the packets of one telephone event can share a timestamp.
   * @returns the datagram, whose payload the caller fills; used again four packets later
   */
  next(payloadType: number, marker: boolean, payloadBytes: number): RtpDatagram {
    const rotation = this.#rotations.get(payloadBytes) ?? this.#addRotation(payloadBytes);
    this.#turn = (this.#turn + 1) % DATAGRAMS;
    const datagram = rotation[this.#turn]!;
    this.#header.marker = marker;
    this.#header.payloadType = payloadType;
    writeRtpHeader(this.#header, datagram.bytes);
    this.#header.sequence = addToSequence(this.#header.sequence, 1);
    this.#packetsSent += 1;
    this.#payloadBytesSent += payloadBytes;
    return datagram;
  }

  /** Lets media time pass, whether or not a packet was sent for it. @param samples at the RTP clock rate */
  advance(samples: number): void {
    this.#header.timestamp = addToTimestamp(this.#header.timestamp, samples);
  }

  #addRotation(payloadBytes: number): RtpDatagram[] {
    const rotation = Array.from({ length: DATAGRAMS }, () => {
      const bytes = new Uint8Array(RTP_HEADER_BYTES + payloadBytes);
      return { bytes, payload: bytes.subarray(RTP_HEADER_BYTES) };
    });
    this.#rotations.set(payloadBytes, rotation);
    return rotation;
  }
}
