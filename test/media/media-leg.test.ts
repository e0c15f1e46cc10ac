/** One media leg with a fake clock and fake sockets: both paths, holds, digits. */
import { describe, expect, test } from 'vitest';
import { decodeAlaw, decodeUlaw } from '../../src/audio/g711.ts';
import { placeBefore } from '../../src/media/uplink-clock.ts';
import { RingController, RingWriter } from '../../src/ring-buffers/ring.ts';
import { dtmfPress, writeDtmfPayload } from '../../src/rtp/dtmf.ts';
import { Packetizer } from '../../src/rtp/packetizer.ts';
import { LegBench, PEER } from './leg-bench.ts';

function ulaw(byte: number): number {
  const sample = new Int16Array(1);
  decodeUlaw(Uint8Array.of(byte), sample, 1);
  return sample[0]!;
}

/** A key held for 60 ms; the timestamp moves on as after it. */
function press(bench: LegBench, digit: string): void {
  for (const content of dtmfPress(digit, 60, 8000)) {
    const datagram = bench.peer.next(101, false, 4);
    writeDtmfPayload(content, datagram.payload, 0);
    bench.leg.onRtp(Uint8Array.from(datagram.bytes), PEER.address, PEER.port);
    bench.tick();
  }
  bench.peer.advance(480);
}

describe('media leg, uplink', () => {
  test('each law is decoded as agreed on', () => {
    const bench = new LegBench().start({ codec: 'PCMA', payloadType: 8 });
    bench.packet(0x2a, { payloadType: 8 });
    bench.tick();
    const sample = new Int16Array(1);
    decodeAlaw(Uint8Array.of(0x2a), sample, 1);
    expect(bench.heard()).toEqual([sample[0]]);
  });

  test.each([10, 20, 30, 40, 60])('packets of %i ms become frames of 20 ms, none lost', (ptimeMs) => {
    const bench = new LegBench().start();
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
    const bench = new LegBench().start();
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
    const bench = new LegBench().start();
    bench.packet(0x10);
    bench.tick(20);
    expect(bench.heard()).toHaveLength(20);
    expect(bench.heard(5).every((sample) => sample === 0)).toBe(true);
  });

  test('a new SSRC is a new stream, whatever its numbers are', async () => {
    const bench = new LegBench().start();
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

  test.each([
    ['a new SSRC', 78],
    ['a restarted sender', 77],
  ])('keys are heard after %s, and the report counts all packets', async (_, ssrc) => {
    const bench = new LegBench().start();
    press(bench, '1');
    bench.peer = new Packetizer({ ssrc, firstSequence: 20_000, firstTimestamp: 9 });
    for (let n = 0; n < 5; n += 1) {
      bench.packet(0x30);
      bench.tick();
    }
    press(bench, '2');
    expect(bench.events.flatMap((event) => (event.kind === 'dtmf' ? [event.digit] : []))).toEqual(['1', '2']);
    const { received, lost, drops } = await bench.leg.close();
    expect(received + drops.probation).toBe(5 + 2 * dtmfPress('1', 60, 8000).length);
    expect(lost).toBe(0);
  });

  test('what came during a standstill is heard whole', async () => {
    const bench = new LegBench().start();
    bench.packet(0x10);
    bench.tick();
    for (let n = 0; n < 50; n += 1) bench.packet(0x20);
    bench.nowMs += 1000;
    bench.leg.tick({ dueMs: bench.nowMs, ticks: 50, sends: 1 });
    expect(bench.heard(2)).toEqual(Array.from({ length: 49 }, () => ulaw(0x20)));
    expect(await bench.leg.close()).toMatchObject({ overflow: 0, concealed: 0 });
  });

  test('packets before the answer, on hold, and of another type are counted and dropped', async () => {
    const bench = new LegBench();
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
    const bench = new LegBench().start();
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
    const bench = new LegBench().start();
    for (let n = 0; n < 6; n += 1) bench.packet(0xff);
    for (let n = 0; n < 400; n += 1) {
      bench.packet(0xff);
      bench.tick();
    }
    const { leftOut, overflow, concealed } = await bench.leg.close();
    expect(leftOut).toBeGreaterThanOrEqual(4);
    expect([overflow, concealed]).toEqual([0, 0]);
  });

  test('delay is given back in the pauses of a noisy line, too, and never out of speech', async () => {
    const [speech, noise] = [0x10, 0x48];
    expect(Math.abs(ulaw(noise))).toBeGreaterThan(256);
    const leftOutOf = async (isPause: (n: number) => boolean): Promise<number> => {
      const bench = new LegBench().start();
      for (let n = 0; n < 6; n += 1) bench.packet(speech);
      for (let n = 0; n < 400; n += 1) {
        bench.packet(isPause(n) ? noise : speech);
        bench.tick();
      }
      return (await bench.leg.close()).leftOut;
    };
    expect(await leftOutOf((n) => n % 50 >= 25)).toBeGreaterThanOrEqual(4);
    expect(await leftOutOf(() => false)).toBe(0);
  });

  test('digits are told with position and duration, and never heard', async () => {
    const bench = new LegBench().start();
    bench.packet(0x10);
    bench.tick();
    press(bench, '#');
    expect(bench.events.filter(({ kind }) => kind === 'dtmf')).toEqual([
      { kind: 'dtmf', callId: 3, digit: '#', positionSamples: 640, durationMs: 60 },
    ]);
    expect(bench.heard(5).every((sample) => sample === 0)).toBe(true);
    expect(await bench.leg.close()).toMatchObject({ dtmf: 1, lost: 0, drops: { badPayloadType: 0 } });
  });
});

describe('media leg, downlink', () => {
  test('silence goes out from the start, as G.711 silence of the law', () => {
    const bench = new LegBench().start({ codec: 'PCMA', payloadType: 8 });
    bench.tick(2);
    expect(bench.ports.sent.map(({ payload }) => new Set(payload))).toEqual([
      new Set([0xd5]),
      new Set([0xd5]),
    ]);
    expect(bench.ports.sent.map(({ marker }) => marker)).toEqual([true, false]);
    expect(bench.ports.sent[0]).toMatchObject({ payloadType: 8, ...PEER });
  });

  test('RFC 3551 4.1: the first packet of a talkspurt is marked, and its start and end are told', () => {
    const bench = new LegBench().start();
    bench.tick(2);
    new RingWriter(bench.ring, 0).write(new Int16Array(400).fill(1000));
    bench.tick(4);
    expect(bench.ports.sent.map(({ marker }) => marker)).toEqual([true, false, true, false, false, false]);
    expect(bench.events).toMatchObject([
      { kind: 'playoutStarted', ringIndex: 0 },
      { kind: 'playoutDrained', ringIndex: 400 },
    ]);
  });

  test("where the caller's packets lie on the tape, and what they were held for, is told with the start of a reply", () => {
    const bench = new LegBench().start();
    bench.tick(2); // nothing has come yet: silence on the tape
    const timestamp = bench.peer.nextTimestamp;
    for (let n = 0; n < 60; n += 1) {
      bench.packet(0x10); // right after a tick, and played with the next
      bench.tick();
    }
    new RingWriter(bench.ring, 0).write(new Int16Array(160).fill(1000));
    bench.tick();
    const started = bench.events.find((event) => event.kind === 'playoutStarted');
    expect(bench.heard().indexOf(ulaw(0x10))).toBe(2);
    expect(started?.uplink.fromSamples).toHaveLength(60);
    expect(placeBefore(started!.uplink, 2 * 160 + 1)).toMatchObject({
      timestamp: timestamp + 1,
      heldMs: expect.closeTo(20, 0),
    });
    expect(placeBefore(started!.uplink, 2 * 160)).toBeNull();
  });

  test('barge-in: silence with the next frame, and drained where it stopped', () => {
    const bench = new LegBench().start();
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
    const bench = new LegBench().start();
    const controller = new RingController(bench.ring);
    bench.tick(5);
    controller.setReplyOpen(true);
    bench.tick(3);
    controller.setReplyOpen(false);
    bench.tick(5);
    expect((await bench.leg.close()).underrunFrames).toBe(3);
  });

  test('after a long stall the timestamps skip, the numbers do not, and nothing of the ring is lost', () => {
    const bench = new LegBench().start();
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
    const bench = new LegBench().start();
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
    const bench = new LegBench().start({ remote: null });
    bench.tick(2);
    expect(bench.ports.sent).toHaveLength(0);
    for (let n = 0; n < 4; n += 1) bench.packet(0x10);
    bench.tick();
    expect(bench.ports.sent).toMatchObject([PEER]);
  });
});
