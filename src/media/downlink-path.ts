/**
 * Downlink path: one frame out of the ring, one RTP packet to the caller. The whole way is `send`.
 * Thread: media. Hot: 50 times a second per call; no allocation, await, throw or log. No sockets here.
 * Source: RFC 3550 section 5.1, RFC 3551 section 4.1. Walk: turn step 10, barge-in step 3.
 */
import { type G711Codec, g711Codec } from '../audio/g711.ts';
import type { RingReader } from '../ring-buffers/ring.ts';
import type { Packetizer } from '../rtp/packetizer.ts';
import { FRAME_SAMPLES } from './frame.ts';
import type { StartLeg } from './media-protocol.ts';

/**
 * What changed with the frame that was just sent. 'restarted': a flush and the audio after it fell between two frames,
 * so that one reply ended and the next began without a silent frame.
 */
export type PlayoutChange = 'none' | 'started' | 'drained' | 'restarted';

/** Hands one datagram to the network. */
export type SendDatagram = (bytes: Uint8Array) => void;

export class DownlinkPath {
  readonly #ring: RingReader;
  readonly #packetizer: Packetizer;
  readonly #send: SendDatagram;
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  #codec: G711Codec = g711Codec('ulaw');
  #payloadType = 0;
  #isSending = false;
  #isPlaying = false;
  /** The next packet begins a talkspurt: after a start, a hold or skipped time. */
  #mustMark = true;
  #startIndex = 0;
  #endIndex = 0;

  constructor(ring: RingReader, packetizer: Packetizer, send: SendDatagram) {
    this.#ring = ring;
    this.#packetizer = packetizer;
    this.#send = send;
  }

  get isSending(): boolean {
    return this.#isSending;
  }

  /** Ring index of the first sample played since the last start. */
  get startIndex(): number {
    return this.#startIndex;
  }

  /** Ring index after the last sample played before the last end. */
  get endIndex(): number {
    return this.#endIndex;
  }

  get underrunFrames(): number {
    return this.#ring.underrunFrames;
  }

  /** Answer or re-INVITE. On hold nothing is sent and the ring waits. */
  start(start: StartLeg): void {
    const isSending = start.direction === 'sendrecv' || start.direction === 'sendonly';
    this.#codec = g711Codec(start.codec === 'PCMU' ? 'ulaw' : 'alaw');
    this.#payloadType = start.payloadType;
    if (isSending && !this.#isSending) this.#mustMark = true;
    this.#isSending = isSending;
  }

  /** One frame: ring, codec, packet, network. Silence when the ring has nothing. @throws never */
  send(): PlayoutChange {
    if (!this.#isSending) return this.skip(1);
    const index = this.#ring.readIndex;
    const playedSamples = this.#ring.read(this.#frame);
    const change = this.#noteChange(playedSamples, index);
    const marker = this.#mustMark || change === 'started' || change === 'restarted';
    const datagram = this.#packetizer.next(this.#payloadType, marker, FRAME_SAMPLES);
    if (playedSamples > 0) this.#codec.encode(this.#frame, datagram.payload, FRAME_SAMPLES);
    else datagram.payload.fill(this.#codec.silenceByte);
    this.#packetizer.advance(FRAME_SAMPLES);
    this.#mustMark = false;
    this.#send(datagram.bytes);
    return change;
  }

  /** Lets frames of time pass without sending: the far end sees a gap in the timestamps, not a burst. */
  skip(frames: number): PlayoutChange {
    this.#packetizer.advance(frames * FRAME_SAMPLES);
    this.#mustMark = true;
    return 'none';
  }

  // After a flush the index jumps with the first read that plays again: it is counted back from there.
  #noteChange(playedSamples: number, indexBefore: number): PlayoutChange {
    const wasPlaying = this.#isPlaying;
    this.#isPlaying = playedSamples > 0;
    const frameIndex = (this.#ring.readIndex - playedSamples) >>> 0;
    const hasEnded = wasPlaying && !(this.#isPlaying && frameIndex === indexBefore);
    const hasStarted = this.#isPlaying && (!wasPlaying || hasEnded);
    if (hasEnded) this.#endIndex = indexBefore;
    if (hasStarted) this.#startIndex = frameIndex;
    if (hasEnded) return hasStarted ? 'restarted' : 'drained';
    return hasStarted ? 'started' : 'none';
  }
}
