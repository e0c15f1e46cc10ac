/** One media leg under hostile and broken traffic of every kind: it goes on, and its time stays right. */
import { expect, test } from 'vitest';
import { MediaLeg } from '../../src/media/media-leg.ts';
import type { MediaEvent, StartLeg } from '../../src/media/media-protocol.ts';
import { createRing, createTape } from '../../src/ring-buffers/layout.ts';
import { TapeReader } from '../../src/ring-buffers/tape.ts';
import { writeRtpHeader } from '../../src/rtp/packet.ts';
import { composeRtcp } from '../../src/rtp/rtcp.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

const ADDRESSES = ['192.0.2.1', '192.0.2.2', '10.0.0.1', '127.0.0.1', '2001:db8::1'];
const PORTS = [4000, 4001, 1, 65_535];
const START: StartLeg = {
  callId: 1,
  remote: { address: '192.0.2.1', port: 4000 },
  codec: 'PCMU',
  payloadType: 0,
  telephoneEventPayloadType: 101,
  ptimeMs: 20,
  direction: 'sendrecv',
};

/** A well-formed packet with odd numbers in it: near what came before, or anywhere. */
function oddPacket(random: SeededRandom, near: number): Uint8Array {
  const payloadBytes = random.pick([0, 1, 4, 80, 160, 160, 160, 240, 480, 641, 1400]);
  const bytes = Uint8Array.from({ length: 12 + payloadBytes }, () => random.integer(0, 255));
  const isNear = random.isTrue(0.9);
  writeRtpHeader(
    {
      marker: random.isTrue(0.1),
      payloadType: random.pick([0, 0, 0, 0, 101, 13, 8, 72]),
      sequence: isNear ? (near + random.integer(-5, 5)) & 0xffff : random.integer(0, 65_535),
      timestamp: isNear ? (near * 160 + random.integer(-2000, 2000)) >>> 0 : random.integer(0, 0xffffffff),
      ssrc: random.pick([1, 1, 1, 1, 2]),
    },
    bytes,
  );
  if (random.isTrue(0.05)) bytes[0] = random.integer(0, 255);
  return bytes.subarray(0, random.isTrue(0.05) ? random.integer(0, bytes.length) : bytes.length);
}

function oddStart(random: SeededRandom): StartLeg {
  const port = random.pick([4000, 65_535, 0, 70_000]);
  return {
    ...START,
    remote: random.pick([
      null,
      START.remote,
      { address: random.pick([...ADDRESSES, '0.0.0.0', 'host.invalid']), port },
    ]),
    codec: random.pick(['PCMU', 'PCMA']),
    telephoneEventPayloadType: random.pick([101, null]),
    direction: random.pick(['sendrecv', 'sendrecv', 'sendonly', 'recvonly', 'inactive']),
  };
}

test.each([1, 2, 3, 4])('fuzz %i: odd packets, reports, re-INVITEs and stalls', async () => {
  const random = new SeededRandom(printedSeed('media leg fuzz'));
  const uplink = createTape({ rateHz: 8000, capacitySamples: 16_384 });
  const downlink = createRing({ rateHz: 8000, capacitySamples: 4096 });
  const events: MediaEvent[] = [];
  let nowMs = 0;
  const leg = new MediaLeg({
    open: { callId: 1, bindAddress: '', uplink, downlink },
    jitter: { targetMinMs: 20, targetMaxMs: 60, capMs: 200 },
    mediaTimeoutMs: 1000,
    onEvent: (event) => events.push(event),
    nowMs: () => nowMs,
    random: () => random.next(),
  });
  const checkTarget = (_bytes: Uint8Array, address: string, port: number): void => {
    expect(address).not.toBe('');
    expect(port >= 1 && port <= 65_535).toBe(true);
  };
  leg.attach({ rtpPort: 0, sendRtp: checkTarget, sendRtcp: checkTarget, close: () => Promise.resolve() });
  leg.start(START);
  let frames = 0;
  for (let round = 0; round < 5000; round += 1) {
    const address = random.isTrue(0.8) ? '192.0.2.1' : random.pick(ADDRESSES);
    const port = random.isTrue(0.8) ? 4000 : random.pick(PORTS);
    for (let packet = random.integer(0, 3); packet > 0; packet -= 1)
      leg.onRtp(oddPacket(random, round), address, port);
    if (random.isTrue(0.02)) {
      const ssrc = random.pick([1, 2]);
      leg.onRtcp(
        composeRtcp({ ssrc, sender: null, report: null, cname: 'x', isGoodbye: true }),
        address,
        port,
      );
    }
    if (random.isTrue(0.01)) leg.start(oddStart(random));
    const ticks = random.isTrue(0.01) ? random.integer(1, 60) : 1;
    nowMs += ticks * 20;
    frames += ticks;
    leg.tick({ dueMs: nowMs, ticks, sends: ticks > 3 ? 1 : ticks });
  }
  expect(new TapeReader(uplink).positionSamples).toBe(frames * 160);
  const report = await leg.close();
  expect(report.received).toBeGreaterThan(0);
  expect(Object.values(report.drops).every((count) => count >= 0)).toBe(true);
});
