/** One media leg with a fake clock and fake sockets: both paths, holds, digits, reports, timeouts. */
import { describe, expect, test } from 'vitest';
import { decodeAlaw, decodeUlaw } from '../../src/audio/g711.ts';
import { MediaLeg } from '../../src/media/media-leg.ts';
import type { MediaEvent, StartLeg } from '../../src/media/media-protocol.ts';
import { createRing, createTape } from '../../src/ring-buffers/layout.ts';
import { RingController, RingWriter } from '../../src/ring-buffers/ring.ts';
import { TapeReader } from '../../src/ring-buffers/tape.ts';
import { dtmfPress, writeDtmfPayload } from '../../src/rtp/dtmf.ts';
import { parseRtpPacket, RtpPacketView } from '../../src/rtp/packet.ts';
import { Packetizer } from '../../src/rtp/packetizer.ts';
import { composeRtcp, parseRtcp } from '../../src/rtp/rtcp.ts';
import type { RtpPorts } from '../../src/rtp/rtp-socket.ts';
import { SeededRandom } from '../seeded-random.ts';

const PEER = { address: '192.0.2.1', port: 4000 };
const MEDIA_TIMEOUT_MS = 2000;

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

class Bench {
  readonly events: MediaEvent[] = [];
  readonly ports = new FakePorts();
  readonly tape = createTape({ rateHz: 8000, capacitySamples: 131_072 });
  readonly ring = createRing({ rateHz: 8000, capacitySamples: 16_384 });
  readonly leg: MediaLeg;
  peer = new Packetizer({ ssrc: 77, firstSequence: 65_533, firstTimestamp: 5000 });
  nowMs = 1000;

  constructor() {
    const random = new SeededRandom(1);
    this.leg = new MediaLeg({
      open: { callId: 3, bindAddress: '127.0.0.1', uplink: this.tape, downlink: this.ring },
      jitter: { targetMinMs: 20, targetMaxMs: 60, capMs: 200 },
      mediaTimeoutMs: MEDIA_TIMEOUT_MS,
      onEvent: (event) => this.events.push(event),
      nowMs: () => this.nowMs,
      random: () => random.next(),
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

function ulaw(byte: number): number {
  const sample = new Int16Array(1);
  decodeUlaw(Uint8Array.of(byte), sample, 1);
  return sample[0]!;
}

describe('media leg, uplink', () => {
  test('each law is decoded as agreed on', () => {
    const bench = new Bench().start({ codec: 'PCMA', payloadType: 8 });
    bench.packet(0x2a, { payloadType: 8 });
    bench.tick();
    const sample = new Int16Array(1);
    decodeAlaw(Uint8Array.of(0x2a), sample, 1);
    expect(bench.heard()).toEqual([sample[0]]);
  });

  test.each([10, 20, 30, 40, 60])('packets of %i ms become frames of 20 ms, none lost', (ptimeMs) => {
    const bench = new Bench().start();
    const samples = ptimeMs * 8;
    for (let ms = 0, due = 0; ms < 600; ms += 20) {
      for (; due <= ms; due += ptimeMs) bench.packet(0x10, { samples });
      bench.tick();
    }
    const heard = bench.heard();
    expect(heard).toHaveLength(30);
    expect(new Set(heard.slice(heard.indexOf(ulaw(0x10))))).toEqual(new Set([ulaw(0x10)]));
    expect(bench.leg.uplink.jitter.lostPackets).toBe(0);
  });

  test('a lost packet is concealed, and time does not shrink', async () => {
    const bench = new Bench().start();
    bench.packet(0x10);
    bench.peer.next(0, false, 160);
    bench.peer.advance(160);
    bench.packet(0x20);
    bench.tick(3);
    const [first, concealed, last] = bench.heard();
    expect([first, bench.heard().length]).toEqual([ulaw(0x10), 3]);
    expect(Math.abs(concealed!)).toBeGreaterThan(0);
    expect(last).not.toBe(first);
    expect(await bench.leg.close()).toMatchObject({ received: 2, lost: 1, concealed: 1 });
  });

  test('without packets the tape runs on: faded concealment, then silence', () => {
    const bench = new Bench().start();
    bench.packet(0x10);
    bench.tick(20);
    expect(bench.heard()).toHaveLength(20);
    expect(bench.heard(5).every((sample) => sample === 0)).toBe(true);
  });

  test('a new SSRC is a new stream, whatever its numbers are', async () => {
    const bench = new Bench().start();
    bench.packet(0x10);
    bench.tick();
    bench.peer = new Packetizer({ ssrc: 78, firstSequence: 20_000, firstTimestamp: 9 });
    for (let n = 0; n < 3; n += 1) {
      bench.packet(0x30);
      bench.tick();
    }
    expect(bench.heard().at(-1)).toBe(ulaw(0x30));
    expect(await bench.leg.close()).toMatchObject({ drops: { probation: 1, jump: 0 }, lost: 0 });
  });

  test('packets before the answer, on hold, and of another type are counted and dropped', async () => {
    const bench = new Bench();
    bench.packet(0x10);
    bench.start({ direction: 'sendonly' });
    bench.packet(0x10);
    bench.start();
    bench.packet(0x10, { payloadType: 18 });
    bench.tick();
    expect(bench.heard()).toEqual([0]);
    const { drops } = await bench.leg.close();
    expect(drops).toMatchObject({ notStarted: 1, notReceiving: 1, badPayloadType: 1 });
  });

  test('RFC 3389 comfort noise is silence and no loss', () => {
    const bench = new Bench().start();
    bench.packet(0x10);
    bench.tick();
    bench.packet(0, { samples: 1, payloadType: 13 });
    bench.tick(5);
    bench.peer.advance(799);
    bench.packet(0x20);
    bench.tick();
    expect(bench.heard().at(-1)).not.toBe(0);
    expect(bench.leg.uplink.jitter.lostPackets).toBe(0);
  });

  test('a delay that is no longer needed is given back in silence', async () => {
    const bench = new Bench().start();
    for (let n = 0; n < 6; n += 1) bench.packet(0xff);
    for (let n = 0; n < 400; n += 1) {
      bench.packet(0xff);
      bench.tick();
    }
    const { leftOut, overflow, concealed } = await bench.leg.close();
    expect(leftOut).toBeGreaterThanOrEqual(4);
    expect([overflow, concealed]).toEqual([0, 0]);
  });

  test('digits are told with position and duration, and never heard', async () => {
    const bench = new Bench().start();
    bench.packet(0x10);
    bench.tick();
    for (const content of dtmfPress('#', 60, 8000)) {
      const datagram = bench.peer.next(101, false, 4);
      writeDtmfPayload(content, datagram.payload, 0);
      bench.leg.onRtp(Uint8Array.from(datagram.bytes), PEER.address, PEER.port);
      bench.tick();
    }
    expect(bench.events.filter(({ kind }) => kind === 'dtmf')).toEqual([
      { kind: 'dtmf', callId: 3, digit: '#', positionSamples: 640, durationMs: 60 },
    ]);
    expect(bench.heard(5).every((sample) => sample === 0)).toBe(true);
    expect(await bench.leg.close()).toMatchObject({ dtmf: 1, lost: 0, drops: { badPayloadType: 0 } });
  });
});

describe('media leg, downlink', () => {
  test('silence goes out from the start, as G.711 silence of the law', () => {
    const bench = new Bench().start({ codec: 'PCMA', payloadType: 8 });
    bench.tick(2);
    expect(bench.ports.sent.map(({ payload }) => new Set(payload))).toEqual([
      new Set([0xd5]),
      new Set([0xd5]),
    ]);
    expect(bench.ports.sent.map(({ marker }) => marker)).toEqual([true, false]);
    expect(bench.ports.sent[0]).toMatchObject({ payloadType: 8, ...PEER });
  });

  test('RFC 3551 4.1: the first packet of a talkspurt is marked, and its start and end are told', () => {
    const bench = new Bench().start();
    bench.tick(2);
    new RingWriter(bench.ring, 0).write(new Int16Array(400).fill(1000));
    bench.tick(4);
    expect(bench.ports.sent.map(({ marker }) => marker)).toEqual([true, false, true, false, false, false]);
    expect(bench.events).toMatchObject([
      { kind: 'playoutStarted', ringIndex: 0 },
      { kind: 'playoutDrained', ringIndex: 400 },
    ]);
  });

  test('barge-in: silence with the next frame, and drained where it stopped', () => {
    const bench = new Bench().start();
    const controller = new RingController(bench.ring);
    new RingWriter(bench.ring, 0).write(new Int16Array(1600).fill(1000));
    bench.tick(3);
    const epoch = controller.requestFlush();
    bench.tick();
    expect(new Set(bench.ports.sent.at(-1)!.payload)).toEqual(new Set([0xff]));
    expect(bench.events.at(-1)).toMatchObject({ kind: 'playoutDrained', ringIndex: 480 });
    new RingWriter(bench.ring, epoch).write(new Int16Array(160).fill(500));
    bench.tick();
    expect(bench.events.at(-1)).toMatchObject({ kind: 'playoutStarted', ringIndex: 1600 });
  });

  test('underruns count only while a reply is open', async () => {
    const bench = new Bench().start();
    const controller = new RingController(bench.ring);
    bench.tick(5);
    controller.setReplyOpen(true);
    bench.tick(3);
    controller.setReplyOpen(false);
    bench.tick(5);
    expect((await bench.leg.close()).underrunFrames).toBe(3);
  });

  test('after a long stall the timestamps skip, the numbers do not, and nothing of the ring is lost', () => {
    const bench = new Bench().start();
    new RingWriter(bench.ring, 0).write(new Int16Array(1600).fill(1000));
    bench.tick();
    bench.nowMs += 200;
    bench.leg.tick({ dueMs: bench.nowMs, ticks: 10, sends: 1 });
    const [before, after] = bench.ports.sent;
    expect(bench.ports.sent).toHaveLength(2);
    expect((after!.sequence - before!.sequence) & 0xffff).toBe(1);
    expect((after!.timestamp - before!.timestamp) >>> 0).toBe(1600);
    expect(after!.marker).toBe(true);
    expect(bench.heard()).toHaveLength(11);
    expect(new RingController(bench.ring).readIndex).toBe(320);
  });

  test('on hold nothing goes out and the ring waits; afterwards it goes on, marked', () => {
    const bench = new Bench().start();
    new RingWriter(bench.ring, 0).write(new Int16Array(1600).fill(1000));
    bench.tick(2);
    bench.start({ direction: 'inactive' });
    bench.tick(10);
    expect(bench.ports.sent).toHaveLength(2);
    bench.start();
    bench.tick();
    const [, before, after] = bench.ports.sent;
    expect((after!.timestamp - before!.timestamp) >>> 0).toBe(11 * 160);
    expect(after!.marker).toBe(true);
    expect(new RingController(bench.ring).readIndex).toBe(480);
  });

  test('without any address nothing is sent until a source is latched on to', () => {
    const bench = new Bench().start({ remote: null });
    bench.tick(2);
    expect(bench.ports.sent).toHaveLength(0);
    for (let n = 0; n < 4; n += 1) bench.packet(0x10);
    bench.tick();
    expect(bench.ports.sent).toMatchObject([PEER]);
  });
});

describe('media leg, RTCP and timeouts', () => {
  function peerReport(isGoodbye: boolean, ssrc = 77): Uint8Array {
    return composeRtcp({ ssrc, sender: null, report: null, cname: 'peer', isGoodbye });
  }

  test('RFC 3550 6.2: a report about every five seconds, to the port above the RTP port', async () => {
    const bench = new Bench().start();
    for (let n = 0; n < 1500; n += 1) {
      if (n % 10 !== 9) bench.packet(0x10);
      else bench.peer.next(0, false, 160);
      if (n % 10 === 9) bench.peer.advance(160);
      bench.tick();
    }
    const { reports } = bench.ports;
    expect(reports.length).toBeGreaterThanOrEqual(4);
    expect(reports.length).toBeLessThanOrEqual(10);
    expect(reports[0]!.port).toBe(PEER.port + 1);
    const content = parseRtcp(reports[0]!.bytes);
    expect(content).toMatchObject({ verdict: 'ok', reports: [{ ssrc: 77 }], goodbyes: [] });
    expect(content.reports[0]!.fractionLost256).toBeGreaterThan(15);
    await bench.leg.close();
    expect(parseRtcp(bench.ports.reports.at(-1)!.bytes).goodbyes).toHaveLength(1);
    expect(bench.ports.isClosed).toBe(true);
  });

  test('BYE of the locked source is told; of anyone else it is foreign', async () => {
    const bench = new Bench().start();
    bench.packet(0x10);
    bench.leg.onRtcp(peerReport(true), '198.51.100.1', 9);
    bench.leg.onRtcp(peerReport(true, 78), PEER.address, 4001);
    expect(bench.kinds()).toBe('firstPacket');
    bench.leg.onRtcp(peerReport(true), PEER.address, 4001);
    expect(bench.kinds()).toBe('firstPacket remoteBye');
    expect((await bench.leg.close()).drops).toMatchObject({ foreignRtcp: 2, badRtcp: 0 });
  });

  test('RFC 5761: RTCP on the RTP port is understood', () => {
    const bench = new Bench().start();
    bench.packet(0x10);
    bench.leg.onRtp(peerReport(true), PEER.address, PEER.port);
    expect(bench.kinds()).toBe('firstPacket remoteBye');
  });

  test("the peer's view of our stream is in the leg's report", async () => {
    const bench = new Bench().start();
    bench.packet(0x10);
    bench.tick();
    const closing = bench.leg.close();
    const ours = parseRtcp(bench.ports.reports.at(-1)!.bytes);
    const report = {
      fractionLost256: 128,
      cumulativeLostPackets: 5,
      extendedHighestSequence: 1,
      jitterTimestampUnits: 0,
    };
    const block = { ssrc: ours.senderSsrc, lastSenderReport: 0, delaySinceLastSenderReport: 0, ...report };
    await closing;
    bench.leg.onRtcp(
      composeRtcp({ ssrc: 77, sender: null, report: block, cname: 'peer', isGoodbye: false }),
      PEER.address,
      4001,
    );
    expect(await bench.leg.close()).toMatchObject({ remoteFractionLost: 0.5, roundTripMs: null });
  });

  test('media timeout: told once, again after the next silence, never on hold', () => {
    const bench = new Bench().start();
    bench.tick(MEDIA_TIMEOUT_MS / 20 + 50);
    expect(bench.kinds()).toBe('mediaTimeout');
    bench.packet(0x10);
    bench.tick(MEDIA_TIMEOUT_MS / 20 - 1);
    expect(bench.kinds()).toBe('mediaTimeout firstPacket');
    bench.tick();
    expect(bench.kinds()).toBe('mediaTimeout firstPacket mediaTimeout');
    const held = new Bench().start({ direction: 'inactive' });
    held.tick(MEDIA_TIMEOUT_MS / 10);
    expect(held.kinds()).toBe('');
  });

  test('strangers do not keep a call alive', () => {
    const bench = new Bench().start();
    for (let n = 0; n < MEDIA_TIMEOUT_MS / 20; n += 1) {
      bench.packet(0x10, { from: { address: '198.51.100.1', port: 9 } });
      bench.tick();
    }
    expect(bench.kinds()).toBe('mediaTimeout');
  });
});
