/** One media leg with a fake clock and fake sockets, and a peer that talks to it. For tests. */
import { expect } from 'vitest';
import { type LegMemory, makeLegMemory } from '../../src/media/leg-memory.ts';
import { MediaLeg } from '../../src/media/media-leg.ts';
import type { MediaEvent, StartLeg } from '../../src/media/media-protocol.ts';
import { createRing, createTape, type RingHandle, type TapeHandle } from '../../src/ring-buffers/layout.ts';
import { TapeReader } from '../../src/ring-buffers/tape.ts';
import { parseRtpPacket, RtpPacketView } from '../../src/rtp/packet.ts';
import { Packetizer } from '../../src/rtp/packetizer.ts';
import type { RtpPorts } from '../../src/rtp/rtp-socket.ts';
import { SeededRandom } from '../seeded-random.ts';

export const PEER = { address: '192.0.2.1', port: 4000 };
export const MEDIA_TIMEOUT_MS = 2000;

interface Sent {
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly payloadType: number;
  readonly payload: Uint8Array;
  readonly address: string;
  readonly port: number;
}

class FakePorts implements RtpPorts {
  readonly rtpPort = 30_000;
  readonly sent: Sent[] = [];
  readonly reports: { readonly bytes: Uint8Array; readonly port: number }[] = [];
  isClosed = false;

  sendRtp(bytes: Uint8Array, address: string, port: number): void {
    const view = new RtpPacketView();
    expect(parseRtpPacket(bytes, view)).toBe('ok');
    const { marker, sequence, timestamp, payloadType } = view;
    this.sent.push({ marker, sequence, timestamp, payloadType, payload: bytes.slice(12), address, port });
  }

  sendRtcp(bytes: Uint8Array, _address: string, port: number): void {
    this.reports.push({ bytes: Uint8Array.from(bytes), port });
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

export class LegBench {
  readonly events: MediaEvent[] = [];
  readonly ports = new FakePorts();
  readonly tape: TapeHandle;
  readonly ring: RingHandle;
  readonly leg: MediaLeg;
  peer = new Packetizer({ ssrc: 77, firstSequence: 65_533, firstTimestamp: 5000 });
  nowMs = 1000;

  /** @param options an echo; a tape, a ring and memory that were used before */
  constructor({
    isEcho = false,
    tape,
    ring,
    memory = makeLegMemory(),
  }: { isEcho?: boolean; tape?: TapeHandle; ring?: RingHandle; memory?: LegMemory } = {}) {
    const random = new SeededRandom(1);
    this.tape = tape ?? createTape({ rateHz: 8000, capacitySamples: 131_072 });
    this.ring = ring ?? createRing({ rateHz: 8000, capacitySamples: 16_384 });
    this.leg = new MediaLeg({
      open: { callId: 3, bindAddress: '127.0.0.1', uplink: this.tape, downlink: this.ring, isEcho },
      jitter: { targetMinMs: 20, targetMaxMs: 60, capMs: 200 },
      mediaTimeoutMs: MEDIA_TIMEOUT_MS,
      onEvent: (event) => this.events.push(event),
      nowMs: () => this.nowMs,
      random: () => random.next(),
      memory,
    });
    this.leg.attach(this.ports);
  }

  start(changes: Partial<StartLeg> = {}): this {
    const start: StartLeg = {
      callId: 3,
      remote: PEER,
      codec: 'PCMU',
      payloadType: 0,
      telephoneEventPayloadType: 101,
      ptimeMs: 20,
      direction: 'sendrecv',
    };
    this.leg.start({ ...start, ...changes });
    return this;
  }

  /** One packet of `samples` bytes, each `byte`, from the peer. */
  packet(byte: number, { samples = 160, payloadType = 0, from = PEER } = {}): void {
    const datagram = this.peer.next(payloadType, false, samples);
    datagram.payload.fill(byte);
    this.peer.advance(samples);
    this.leg.onRtp(Uint8Array.from(datagram.bytes), from.address, from.port);
  }

  tick(count = 1): void {
    for (let n = 0; n < count; n += 1) {
      this.nowMs += 20;
      this.leg.tick({ dueMs: this.nowMs, ticks: 1, sends: 1 });
    }
  }

  /** The first sample of each 20 ms on the tape from `fromFrame` on. */
  heard(fromFrame = 0): number[] {
    const reader = new TapeReader(this.tape);
    const samples = new Int16Array(reader.positionSamples);
    reader.read(0, samples);
    return Array.from({ length: samples.length / 160 }, (_, frame) => samples[frame * 160]!).slice(fromFrame);
  }

  kinds(): string {
    return this.events.map(({ kind }) => kind).join(' ');
  }
}
