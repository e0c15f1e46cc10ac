/**
 * The built-in caller's telephone: one RTP socket, a talking half paced on an absolute schedule and a listening
 * half. Thread: the caller process's main thread. Source: RFC 3550, RFC 4733; timing by monotonicMs().
 */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { type G711Codec, g711Codec } from '../audio/g711.ts';
import { monotonicMs } from '../observability/clock.ts';
import { DTMF_PAYLOAD_BYTES, writeDtmfPayload } from '../rtp/dtmf.ts';
import { parseRtpPacket, RtpPacketView } from '../rtp/packet.ts';
import { Packetizer } from '../rtp/packetizer.ts';
import { HeardLine } from './heard-line.ts';
import { clip } from './impairment.ts';
import { type TalkFrame, TalkQueue, type TalkSpan } from './talk-queue.ts';

const FRAME_MS = 20;
const FRAME_SAMPLES = 160;
/** Longer payloads than any packet of G.711 has are not heard. */
const MAX_HEARD_SAMPLES = 4096;
/** A stalled loop sends at most this much at once, then skips ahead. */
const MAX_CATCH_UP_FRAMES = 10;

export interface TelephoneLine {
  readonly remote: { readonly address: string; readonly port: number };
  readonly codec: 'PCMU' | 'PCMA';
  readonly payloadType: number;
  /** Null when the other side takes no telephone events. */
  readonly telephoneEventPayloadType: number | null;
}

/** What becomes of the caller's voice on its way. */
export interface OutgoingLine {
  /** Factor for its samples. */
  readonly gain: number;
  /** What is added to each sample, also while nobody speaks, 16-bit units. */
  readonly nextNoise: () => number;
  /** Whether the next packet is lost. */
  readonly isLost: () => boolean;
}

export interface TelephoneCounters {
  /** Packets, without those that the line lost. */
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly late: number;
}

export class Telephone {
  readonly heard = new HeardLine();
  /** What this side sent, 8 kHz, for the recording. */
  readonly said = new HeardLine();
  readonly rtpPort: number;
  readonly #socket: Socket;
  readonly #queue = new TalkQueue(FRAME_SAMPLES);
  readonly #view = new RtpPacketView();
  readonly #packetizer = new Packetizer({
    ssrc: randomInt(0, 2 ** 32),
    firstSequence: randomInt(0, 2 ** 16),
    firstTimestamp: randomInt(0, 2 ** 32),
  });
  /** Used again for each frame: thousands of small arrays a second make a crowd's process collect garbage and be late. */
  readonly #lineFrame = new Int16Array(FRAME_SAMPLES);
  readonly #heardFrame = new Int16Array(MAX_HEARD_SAMPLES);
  #codec: G711Codec = g711Codec('ulaw');
  #line: TelephoneLine | null = null;
  #timer: NodeJS.Timeout | null = null;
  #outgoing: OutgoingLine | null = null;
  #startedAtMs = 0;
  #framesSent = 0;
  #packetsLost = 0;
  /** Time that the key press under way has taken. */
  #keySamples = 0;
  #firstTimestamp: number | null = null;
  #nextSequence: number | null = null;
  #received = 0;
  #lost = 0;
  #late = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.rtpPort = socket.address().port;
    socket.on('message', (bytes) => this.#onDatagram(bytes));
    socket.on('error', () => {}); // a refused datagram is the other side hanging up; the counters show it
  }

  /** Binds a free UDP port. */
  static open(bindAddress: string): Promise<Telephone> {
    return new Promise((resolve, reject) => {
      const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
      socket.once('error', reject);
      socket.bind(0, bindAddress, () => {
        socket.off('error', reject);
        resolve(new Telephone(socket));
      });
    });
  }

  /** Starts sending frames (silence until `say`) and decoding what comes. @param outgoing null: clean */
  connect(line: TelephoneLine, outgoing: OutgoingLine | null = null): void {
    this.#line = line;
    this.#outgoing = outgoing;
    this.#codec = g711Codec(line.codec === 'PCMU' ? 'ulaw' : 'alaw');
    this.#startedAtMs = monotonicMs();
    this.#schedule();
  }

  /** Speaks. Resolves when the last frame was sent. @param samples 8 kHz */
  say(samples: Int16Array): Promise<TalkSpan> {
    return this.#queue.pushSpeech(samples);
  }

  /** Sends keys as RFC 4733 events, 100 ms each with a pause between. Resolves after the last. */
  key(digits: string): Promise<TalkSpan> {
    return this.#queue.pushKeys(digits);
  }

  get counters(): TelephoneCounters {
    const sent = this.#framesSent - this.#packetsLost;
    return { sent, received: this.#received, lost: this.#lost, late: this.#late };
  }

  close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#line = null;
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }

  #schedule(): void {
    const dueAtMs = this.#startedAtMs + this.#framesSent * FRAME_MS;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, dueAtMs - monotonicMs()));
  }

  #tick(): void {
    if (this.#line === null) return;
    const dueFrames = Math.floor((monotonicMs() - this.#startedAtMs) / FRAME_MS) + 1 - this.#framesSent;
    this.#startedAtMs += Math.max(0, dueFrames - MAX_CATCH_UP_FRAMES) * FRAME_MS;
    for (let i = 0; i < Math.min(dueFrames, MAX_CATCH_UP_FRAMES); i++) this.#sendFrame(this.#line);
    this.#schedule();
  }

  #sendFrame(line: TelephoneLine): void {
    const nowMs = monotonicMs();
    const frame = this.#queue.next(nowMs, this.#packetizer.nextTimestamp);
    const samples =
      this.#outgoing === null ? frame.samples : onLine(frame.samples, this.#outgoing, this.#lineFrame);
    if (frame.kind === 'key') this.#sendKeyPacket(line, frame);
    else this.#sendAudio(line, samples, frame.startsTalkspurt);
    this.said.add(samples, this.#framesSent * FRAME_SAMPLES, nowMs);
    this.#framesSent += 1;
  }

  #sendAudio(line: TelephoneLine, samples: Int16Array, startsTalkspurt: boolean): void {
    const { bytes, payload } = this.#packetizer.next(line.payloadType, startsTalkspurt, FRAME_SAMPLES);
    this.#codec.encode(samples, payload, FRAME_SAMPLES);
    this.#sendPacket(bytes, line);
    this.#packetizer.advance(FRAME_SAMPLES);
  }

  // A copy: after a stall more packets are sent at once than the packetizer has datagrams in rotation.
  #sendPacket(bytes: Uint8Array, { remote }: TelephoneLine): void {
    if (this.#outgoing?.isLost() === true) this.#packetsLost += 1;
    else this.#socket.send(Buffer.from(bytes), remote.port, remote.address);
  }

  // All packets of a press carry the timestamp of its start (RFC 4733 section 2.5.1.2), so time moves after the last.
  #sendKeyPacket(line: TelephoneLine, frame: Extract<TalkFrame, { kind: 'key' }>): void {
    this.#keySamples += FRAME_SAMPLES;
    if (line.telephoneEventPayloadType !== null) {
      const { bytes, payload } = this.#packetizer.next(
        line.telephoneEventPayloadType,
        frame.isFirst,
        DTMF_PAYLOAD_BYTES,
      );
      writeDtmfPayload(frame.content, payload, 0);
      this.#sendPacket(bytes, line);
    }
    if (!frame.isLast) return;
    this.#packetizer.advance(this.#keySamples);
    this.#keySamples = 0;
  }

  #onDatagram(bytes: Buffer): void {
    const atMs = monotonicMs();
    const view = this.#view;
    if (this.#line === null || parseRtpPacket(bytes, view) !== 'ok') return;
    if (view.payloadType !== this.#line.payloadType || view.payloadBytes === 0) return;
    if (view.payloadBytes > MAX_HEARD_SAMPLES) return;
    this.#received += 1;
    this.#countGap(view.sequence);
    this.#firstTimestamp ??= view.timestamp;
    const frame = this.#heardFrame.subarray(0, view.payloadBytes);
    this.#codec.decode(bytes.subarray(view.payloadStart, view.payloadEnd), frame, frame.length);
    this.heard.add(frame, (view.timestamp - this.#firstTimestamp) >>> 0, atMs);
  }

  #countGap(sequence: number): void {
    const gap = this.#nextSequence === null ? 0 : (sequence - this.#nextSequence) & 0xffff;
    if (gap >= 0x8000) {
      this.#late += 1;
      this.#lost = Math.max(0, this.#lost - 1);
      return;
    }
    this.#lost += gap;
    this.#nextSequence = (sequence + 1) & 0xffff;
  }
}

function onLine(
  samples: Int16Array,
  { gain, nextNoise }: OutgoingLine,
  target: Int16Array<ArrayBuffer>,
): Int16Array {
  for (let i = 0; i < samples.length; i += 1) target[i] = clip(samples[i]! * gain + nextNoise());
  return target;
}
