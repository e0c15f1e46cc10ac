/** The media thread against strangers, re-use, exhaustion and its own death; on real loopback sockets. */
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { MediaClient, type MediaClientOptions } from '../../src/media/media-client.ts';
import type { MediaEvent, StartLeg } from '../../src/media/media-protocol.ts';
import { createRing, createTape, type TapeHandle } from '../../src/ring-buffers/layout.ts';
import { TapeReader } from '../../src/ring-buffers/tape.ts';
import { freeBlock } from '../free-ports.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { RtpPeer, until } from './rtp-peer.ts';

const PORTS = 240;
const portFirst = await freeBlock(PORTS);
const OPTIONS: MediaClientOptions = { portFirst, portLast: portFirst + PORTS - 1, mediaTimeoutMs: 30_000 };
/** Real threads and sockets on a box that may be busy. */
const LIMIT_MS = 10_000;
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

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

async function openLeg(
  client: MediaClient,
  callId: number,
): Promise<{ rtpPort: number; uplink: TapeHandle }> {
  const uplink = createTape({ rateHz: 8000, capacitySamples: 65_536 });
  const downlink = createRing({ rateHz: 8000, capacitySamples: 8192 });
  const { rtpPort } = await client.openLeg({ callId, bindAddress: '127.0.0.1', uplink, downlink });
  return { rtpPort, uplink };
}

function startOf(callId: number, remote: StartLeg['remote']): StartLeg {
  return {
    callId,
    remote,
    codec: 'PCMU',
    payloadType: 0,
    telephoneEventPayloadType: 101,
    ptimeMs: 20,
    direction: 'sendrecv',
  };
}

function tapeSamples(tape: TapeHandle): Int16Array {
  const reader = new TapeReader(tape);
  const samples = new Int16Array(reader.positionSamples);
  reader.read(0, samples);
  return samples;
}

/** UDP sockets of this process in a range of ports, as the kernel counts them. */
function openUdpPorts(first: number, last: number): number {
  const ours = new Set(readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`)));
  return readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , , , , , , , inode]) => {
      const port = Number.parseInt(local?.split(':')[1] ?? '0', 16);
      return port >= first && port <= last && ours.has(`socket:[${inode}]`);
    }).length;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // the descriptor of the listing itself is gone by now
  }
}

const LOUD = new Uint8Array(160).fill(0x00);
const QUIET = new Uint8Array(160).fill(0xf0);

describe('media thread, strangers', () => {
  test('a sprayer from another address gets no packet, and none of its samples reach the tape', async () => {
    const client = await startClient();
    const { rtpPort, uplink } = await openLeg(client, 1);
    const caller = await openPeer();
    const sprayer = await openPeer('127.0.0.2', 0x666);
    await client.startLeg(startOf(1, { address: caller.address, port: caller.port }));
    // Before the caller has sent anything, and in sequence: the best chance a sprayer has.
    for (let n = 0; n < 10; n += 1) sprayer.send(rtpPort, 0, LOUD);
    await until(() => caller.received.length >= 3, LIMIT_MS);
    for (let n = 0; n < 20; n += 1) {
      caller.send(rtpPort, 0, QUIET);
      sprayer.send(rtpPort, 0, LOUD);
      sprayer.send(rtpPort + 1, 0, LOUD);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    // Only what the thread has read is in its report.
    const read = expect.poll(async () => (await client.snapshot()).counters, { timeout: LIMIT_MS });
    await read.toMatchObject({ foreign: 30, badRtcp: 20 });
    const report = await client.closeLeg(1);
    expect(sprayer.received).toHaveLength(0);
    expect(report.foreignPackets).toBe(30);
    expect(report.drops.badRtcp).toBe(20);
    expect(report.received).toBe(20);
    const loudest = tapeSamples(uplink).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(loudest).toBeLessThan(1000);
  });

  test('fuzz: random datagrams on both ports are counted and change nothing', async () => {
    const random = new SeededRandom(printedSeed('media port fuzz'));
    const client = await startClient();
    const { rtpPort } = await openLeg(client, 1);
    const caller = await openPeer();
    await client.startLeg(startOf(1, { address: caller.address, port: caller.port }));
    for (let n = 0; n < 2000; n += 1) {
      const bytes = Uint8Array.from({ length: random.integer(0, 120) }, () => random.integer(0, 255));
      caller.sendRaw(rtpPort + (n % 2), bytes);
      if (n % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const before = caller.received.length;
    await until(() => caller.received.length > before + 3, LIMIT_MS);
    const { counters } = await client.snapshot();
    const dropped = Object.values(counters).reduce((sum, count) => sum + count, 0);
    expect(dropped).toBeGreaterThan(1900);
  });
});

describe('media thread, ends', () => {
  test('200 legs opened, started and closed leave no socket and no tick behind', async () => {
    const client = await startClient({ portQuarantineMs: 0 });
    for (let round = 0; round < 10; round += 1) {
      const callIds = Array.from({ length: 20 }, (_, index) => round * 20 + index + 1);
      await Promise.all(
        callIds.map(async (callId) => {
          const { rtpPort } = await openLeg(client, callId);
          await client.startLeg(startOf(callId, { address: '127.0.0.1', port: rtpPort }));
        }),
      );
      expect(openUdpPorts(OPTIONS.portFirst, OPTIONS.portLast)).toBe(40);
      await Promise.all(callIds.map((callId) => client.closeLeg(callId)));
    }
    expect(await client.snapshot()).toMatchObject({ legs: 0, openSockets: 0 });
    expect(openUdpPorts(OPTIONS.portFirst, OPTIONS.portLast)).toBe(0);
    const { ticks } = await client.snapshot();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect((await client.snapshot()).ticks).toEqual(ticks);
  });

  test('a port that someone else holds is passed over', async () => {
    const blocker = createSocket('udp4');
    await new Promise<void>((resolve) => blocker.bind(portFirst, '127.0.0.1', resolve));
    cleanups.push(() => new Promise<void>((resolve) => blocker.close(() => resolve())));
    const client = await startClient({ portLast: portFirst + 3 });
    expect((await openLeg(client, 1)).rtpPort).toBe(portFirst + 2);
    await expect(openLeg(client, 2)).rejects.toMatchObject({ code: 'PORT_POOL_EMPTY', retryable: true });
  });

  test('misuse is INVALID_STATE', async () => {
    const client = await startClient();
    await openLeg(client, 1);
    await expect(openLeg(client, 1)).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await expect(client.startLeg(startOf(9, null))).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await expect(client.closeLeg(9)).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await expect(client.fault()).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await client.close();
    await client.close();
    await expect(client.snapshot()).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  test('closing the client closes every leg, and the thread ends by itself', async () => {
    const client = await startClient();
    const { rtpPort } = await openLeg(client, 1);
    await client.startLeg(startOf(1, { address: '127.0.0.1', port: rtpPort }));
    await client.close();
    expect(openUdpPorts(OPTIONS.portFirst, OPTIONS.portLast)).toBe(0);
  });

  test('a leg that is being opened while the client closes does not keep the thread alive', async () => {
    const client = await startClient();
    const opening = openLeg(client, 1);
    await Promise.all([client.close(), opening.catch(() => {})]);
    expect(openUdpPorts(OPTIONS.portFirst, OPTIONS.portLast)).toBe(0);
  });

  test('a call gets one leg, even when asked for twice at once', async () => {
    const client = await startClient();
    const results = await Promise.allSettled([openLeg(client, 1), openLeg(client, 1)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await client.snapshot()).toMatchObject({ legs: 1, openSockets: 2 });
  });

  test('a thread that dies is told once, fails what was asked, and can be replaced', async () => {
    const client = await startClient({ allowFaults: true });
    const events: MediaEvent[] = [];
    client.onEvent((event) => events.push(event));
    await openLeg(client, 1);
    await client.fault();
    await until(() => events.length > 0, LIMIT_MS);
    expect(events).toEqual([{ kind: 'died', message: expect.any(String) }]);
    await expect(client.snapshot()).rejects.toMatchObject({ code: 'WORKER_DIED' });
    await client.close();
    const replacement = await startClient();
    expect((await replacement.snapshot()).legs).toBe(0);
  });
});
