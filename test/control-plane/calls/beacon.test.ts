/** The beat of REGISTER on a fake clock: five in the first second, then one each second, BYE at the end. */
import type { Socket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Beacon } from '../../../src/control-plane/calls/beacon.ts';
import type { ControlContext } from '../../../src/control-plane/control-context.ts';
import { Identity } from '../../../src/control-plane/wire/identity.ts';
import { monotonicMs } from '../../../src/observability/clock.ts';

describe('a beacon', () => {
  const sent: [number, string, number][] = [];
  let startedAtMs = 0;
  let maxMs = 1000;
  let beacon: Beacon;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['hrtime', 'setTimeout', 'clearTimeout'] });
    sent.length = 0;
    startedAtMs = monotonicMs();
    const socket = {
      send: (bytes: Uint8Array, port: number) => {
        sent.push([Math.round(monotonicMs() - startedAtMs), Buffer.from(bytes).toString(), port]);
      },
    } as unknown as Socket;
    maxMs = 1000;
    const context = {
      identity: new Identity('', 56_533),
      get beat() {
        return { fastMs: 200, fastForMs: 1000, slowMs: 1000, backoffFactor: 2, maxMs, jitter: 0 };
      },
      random: () => 0.5,
      count: () => {},
    } as unknown as ControlContext;
    beacon = new Beacon({ context, socket, endpoint: { host: '127.0.0.1', port: 13_000 }, callId: 112 });
  });

  afterEach(() => void vi.useRealTimers());

  it('registers as the earlier system does, until it is told to stop', async () => {
    beacon.start();
    beacon.start();
    await vi.advanceTimersByTimeAsync(3500);
    expect(sent.map(([atMs]) => atMs)).toEqual([0, 200, 400, 600, 800, 1000, 2000, 3000]);
    expect(sent[0]?.slice(1)).toEqual(['REGISTER:112', 13_000]);
    beacon.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toHaveLength(8);
  });

  it('slows down from the slow pace on where it may', async () => {
    maxMs = 8000;
    beacon.start();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(sent.map(([atMs]) => atMs)).toEqual([
      0, 200, 400, 600, 800, 1000, 2000, 4000, 8000, 16_000, 24_000,
    ]);
  });

  it('begins anew, quickly, when the connection was lost', async () => {
    beacon.start();
    await vi.advanceTimersByTimeAsync(5500);
    beacon.stop();
    sent.length = 0;
    startedAtMs = monotonicMs();
    beacon.start();
    await vi.advanceTimersByTimeAsync(500);
    expect(sent.map(([atMs]) => atMs)).toEqual([0, 200, 400]);
  });

  it('says BYE once and nothing after it', async () => {
    beacon.start();
    beacon.bye();
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent.map(([, text]) => text)).toEqual(['REGISTER:112', 'BYE:112']);
    expect(beacon.isOn).toBe(false);
  });
});
