/** A media thread that dies is replaced; one that cannot be replaced refuses calls until one can. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WildfireError } from '../../src/errors.ts';
import { MediaClient } from '../../src/media/media-client.ts';
import type { MediaEvent, OpenLeg } from '../../src/media/media-protocol.ts';
import { createRing, createTape } from '../../src/ring-buffers/layout.ts';
import { MediaSupervisor } from '../../src/runtime/media-supervisor.ts';
import { freeBlock } from '../free-ports.ts';
import { until } from '../media/rtp-peer.ts';

const PORTS = 100;
const portFirst = await freeBlock(PORTS);
const OPTIONS = { portFirst, portLast: portFirst + PORTS - 1, mediaTimeoutMs: 30_000, allowFaults: true };
const NO_THREAD = new WildfireError('WORKER_WARMUP', 'no thread for you');

const realStart = MediaClient.start.bind(MediaClient);
/** Every client that was started, oldest first. */
const clients: MediaClient[] = [];
let failures = 0;
const supervisors: MediaSupervisor[] = [];

function watchStarts(): void {
  vi.spyOn(MediaClient, 'start').mockImplementation(async (options) => {
    if (failures-- > 0) throw NO_THREAD;
    const client = await realStart(options);
    clients.push(client);
    return client;
  });
}

async function started(): Promise<{ supervisor: MediaSupervisor; events: MediaEvent[] }> {
  failures = 0;
  watchStarts();
  const supervisor = await MediaSupervisor.start(OPTIONS);
  supervisors.push(supervisor);
  const events: MediaEvent[] = [];
  supervisor.onEvent((event) => events.push(event));
  return { supervisor, events };
}

function leg(callId: number): OpenLeg {
  const [uplink, downlink] = [
    createTape({ rateHz: 8000, capacitySamples: 2 ** 15 }),
    createRing({ rateHz: 8000, capacitySamples: 2 ** 15 }),
  ];
  return { callId, bindAddress: '127.0.0.1', uplink, downlink };
}

/** Ends the first thread, and waits until that is known. */
async function dies(events: readonly MediaEvent[]): Promise<void> {
  await clients[0]?.fault();
  await until(() => events.length > 0, 5000);
}

afterEach(async () => {
  await Promise.all(supervisors.splice(0).map((supervisor) => supervisor.close()));
  vi.restoreAllMocks();
  clients.length = 0;
});

describe('media supervisor', () => {
  it('tells of a death once, and the next call has a new thread', async () => {
    const { supervisor, events } = await started();
    await supervisor.openLeg(leg(1));
    await dies(events);
    expect((await supervisor.openLeg(leg(2))).rtpPort).toBeGreaterThanOrEqual(OPTIONS.portFirst);
    expect(events.filter(({ kind }) => kind === 'died')).toHaveLength(1);
    expect(clients).toHaveLength(2);
    expect((await supervisor.snapshot()).legs).toBe(1);
    await expect(supervisor.closeLeg(1)).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await supervisor.closeLeg(2);
  });

  it('survives a death whose replacement does not start, and tries again with the next call', async () => {
    const { supervisor, events } = await started();
    failures = 2;
    await dies(events);
    await expect(supervisor.openLeg(leg(1))).rejects.toMatchObject({ code: 'WORKER_WARMUP' });
    expect(events.map(({ kind }) => kind)).toEqual(['died', 'died', 'died']);
    await supervisor.openLeg(leg(2));
    expect(clients).toHaveLength(2);
  });

  it('starts one thread, not two, when two calls find none', async () => {
    const { supervisor, events } = await started();
    failures = 1;
    await dies(events);
    await supervisor.snapshot().catch(() => {});
    await Promise.all([supervisor.openLeg(leg(1)), supervisor.openLeg(leg(2))]);
    expect(clients).toHaveLength(2);
  });

  it('closes without a thread, too', async () => {
    const { supervisor, events } = await started();
    failures = 1;
    await dies(events);
    await supervisor.close();
  });
});
