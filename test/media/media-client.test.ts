/** The media thread on real loopback sockets: what comes in is on the tape, what is in the ring goes out. */
import { afterEach, describe, expect, test } from 'vitest';
import { decodeUlaw, encodeUlaw } from '../../src/audio/g711.ts';
import { MediaClient, type MediaClientOptions } from '../../src/media/media-client.ts';
import type { MediaEvent, StartLeg } from '../../src/media/media-protocol.ts';
import { CATCH_UP_TICKS } from '../../src/media/playout-clock.ts';
import { monotonicMs } from '../../src/observability/clock.ts';
import { createRing, createTape, type RingHandle, type TapeHandle } from '../../src/ring-buffers/layout.ts';
import { RingController, RingWriter } from '../../src/ring-buffers/ring.ts';
import { TapeReader } from '../../src/ring-buffers/tape.ts';
import { freeBlock } from '../free-ports.ts';
import { RtpPeer, until } from './rtp-peer.ts';

const PORTS = 100;
const portFirst = await freeBlock(PORTS);
const OPTIONS: MediaClientOptions = { portFirst, portLast: portFirst + PORTS - 1, mediaTimeoutMs: 30_000 };
/** Real threads and sockets on a box that may be busy. */
const LIMIT_MS = 10_000;
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Leg {
  readonly client: MediaClient;
  readonly events: MediaEvent[];
  readonly uplink: TapeHandle;
  readonly downlink: RingHandle;
  readonly rtpPort: number;
}

async function startClient(options: Partial<MediaClientOptions> = {}): Promise<MediaClient> {
  const client = await MediaClient.start({ ...OPTIONS, ...options });
  cleanups.push(() => client.close());
  return client;
}

async function openPeer(address?: string, ssrc?: number): Promise<RtpPeer> {
  const peer = await RtpPeer.open(address, ssrc);
  cleanups.push(() => peer.close());
  return peer;
}

async function openLeg(options: Partial<MediaClientOptions> = {}): Promise<Leg> {
  const client = await startClient(options);
  const events: MediaEvent[] = [];
  client.onEvent((event) => events.push(event));
  const uplink = createTape({ rateHz: 8000, capacitySamples: 65_536 });
  const downlink = createRing({ rateHz: 8000, capacitySamples: 65_536 });
  const { rtpPort } = await client.openLeg({ callId: 1, bindAddress: '127.0.0.1', uplink, downlink });
  return { client, events, uplink, downlink, rtpPort };
}

function startOf(peer: RtpPeer | null, changes: Partial<StartLeg> = {}): StartLeg {
  return {
    callId: 1,
    remote: peer === null ? null : { address: peer.address, port: peer.port },
    codec: 'PCMU',
    payloadType: 0,
    telephoneEventPayloadType: 101,
    ptimeMs: 20,
    direction: 'sendrecv',
    ...changes,
  };
}

/** `count` frames of 160 different, never silent, mu-law bytes. */
function frames(count: number, seed: number): Uint8Array[] {
  return Array.from({ length: count }, (_, frame) =>
    Uint8Array.from({ length: 160 }, (_, index) => (seed + frame * 31 + index * 7) % 100),
  );
}

function decoded(payloads: readonly Uint8Array[]): Int16Array {
  const samples = new Int16Array(payloads.length * 160);
  for (const [index, payload] of payloads.entries()) {
    decodeUlaw(payload, samples.subarray(index * 160, (index + 1) * 160), 160);
  }
  return samples;
}

function tapeSamples(tape: TapeHandle): Int16Array {
  const reader = new TapeReader(tape);
  const samples = new Int16Array(reader.positionSamples);
  expect(reader.read(0, samples)).toBe('ok');
  return samples;
}

function indexOf(all: Int16Array, part: Int16Array): number {
  for (let start = 0; start + part.length <= all.length; start += 1) {
    let length = 0;
    while (length < part.length && all[start + length] === part[length]) length += 1;
    if (length === part.length) return start;
  }
  return -1;
}

describe('media thread', () => {
  test('packets in: the tape holds exactly the samples that were sent', async () => {
    const { client, events, uplink, rtpPort } = await openLeg();
    const peer = await openPeer();
    await client.startLeg(startOf(peer));
    // All at once, so that a stall of this process cannot tear them apart; below the jitter buffer's cap of 200 ms.
    const payloads = frames(9, 3);
    for (const payload of payloads) peer.send(rtpPort, 0, payload);
    await until(() => indexOf(tapeSamples(uplink), decoded(payloads)) >= 0, LIMIT_MS);
    const report = await client.closeLeg(1);
    expect(report).toMatchObject({
      received: 9,
      lost: 0,
      late: 0,
      duplicate: 0,
      foreignPackets: 0,
    });
    expect(events.filter(({ kind }) => kind === 'firstPacket')).toHaveLength(1);
  });

  test('the tape runs with the clock whether or not packets come', async () => {
    const { client, uplink, rtpPort } = await openLeg();
    const peer = await openPeer();
    const reader = new TapeReader(uplink);
    await client.startLeg(startOf(peer));
    const startMs = monotonicMs();
    await peer.stream(rtpPort, 0, frames(25, 3));
    // A thread that stood still makes up for it; a clock that is wrong is never right again.
    const isInTime = (): boolean => {
      const elapsedMs = monotonicMs() - startMs;
      return elapsedMs > 1000 && Math.abs(reader.positionSamples / 8 - elapsedMs) < 100;
    };
    await until(isInTime, LIMIT_MS);
    const report = await client.closeLeg(1);
    expect(report).toMatchObject({ received: 25, lost: 0 });
  });

  test('ring out: the packets hold exactly the samples, numbered and timed without a gap', async () => {
    const { client, events, downlink } = await openLeg();
    const peer = await openPeer();
    const samples = decoded(frames(40, 11));
    await client.startLeg(startOf(peer));
    await until(() => peer.received.length >= 3, LIMIT_MS);
    expect(new RingWriter(downlink, 0).write(samples)).toBe(samples.length);
    await until(() => events.some(({ kind }) => kind === 'playoutDrained'), LIMIT_MS);
    const { ticks } = await client.snapshot();
    const report = await client.closeLeg(1);
    const { received } = peer;
    const heard = new Uint8Array(received.length * 160);
    for (const [index, packet] of received.entries()) heard.set(packet.payload, index * 160);
    const expected = new Uint8Array(samples.length);
    encodeUlaw(samples, expected, samples.length);
    expect(Buffer.from(heard).indexOf(expected) % 160).toBe(0);
    let skippedFrames = 0;
    for (const [index, packet] of received.slice(1).entries()) {
      expect((packet.sequence - received[index]!.sequence) & 0xffff).toBe(1);
      skippedFrames += ((packet.timestamp - received[index]!.timestamp) >>> 0) / 160 - 1;
    }
    // Time passes unsent only where the thread stood still for longer than it makes up for.
    expect(skippedFrames).toBeLessThanOrEqual(ticks.skipped);
    const playedMs = atMsOf(events, 'playoutDrained') - atMsOf(events, 'playoutStarted');
    expect(playedMs).toBeGreaterThan(40 * 20 - (1 + CATCH_UP_TICKS) * 20);
    expect(events).toContainEqual(expect.objectContaining({ kind: 'playoutStarted', ringIndex: 0 }));
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'playoutDrained', ringIndex: samples.length }),
    );
    expect(report.sent).toBe(received.length);
  });

  test('barge-in: no frame but the one under way is played after the request', async () => {
    const { client, downlink, events } = await openLeg();
    const peer = await openPeer();
    await client.startLeg(startOf(peer));
    new RingWriter(downlink, 0).write(decoded(frames(200, 5)));
    await until(() => peer.received.filter(isAudible).length >= 20, LIMIT_MS);
    const controller = new RingController(downlink);
    controller.requestFlush();
    const playedSamples = controller.readIndex;
    await until(() => events.some(({ kind }) => kind === 'playoutDrained'), LIMIT_MS);
    const drained = events.find((event) => event.kind === 'playoutDrained');
    expect((drained?.ringIndex ?? Number.NaN) - playedSamples).toBeLessThanOrEqual(160);
    const packets = peer.received.length;
    await until(() => peer.received.length >= packets + 20, LIMIT_MS);
    expect(peer.received.slice(-15).some(isAudible)).toBe(false);
  });
});

/** When the media thread says that it happened. */
function atMsOf(events: readonly MediaEvent[], kind: 'playoutStarted' | 'playoutDrained'): number {
  const event = events.find((candidate) => candidate.kind === kind);
  return event?.kind === 'playoutStarted' || event?.kind === 'playoutDrained' ? event.atMs : Number.NaN;
}

function isAudible(packet: { readonly payload: Uint8Array }): boolean {
  return packet.payload.some((byte) => byte !== 0xff);
}
