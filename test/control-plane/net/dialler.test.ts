/** Connecting: never waited for, limited in time, and no crowd of silent addresses keeps a reachable one from its turn. */
import { createServer, type Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DialFailure, Dialler } from '../../../src/control-plane/net/dialler.ts';
import { type Endpoint, PLAIN, type Transport } from '../../../src/control-plane/net/transport.ts';
import { freeBlock } from '../../free-ports.ts';

const LOOPBACK = '127.0.0.1';

/** Addresses of this port swallow everything: the socket never connects. */
const SILENT_PORT = 9;

const transport: Transport = {
  ...PLAIN,
  dial: (endpoint) =>
    endpoint.port === SILENT_PORT ? { socket: new Socket(), readyEvent: 'connect' } : PLAIN.dial(endpoint),
};

interface Outcome {
  readonly port: number;
  readonly how: 'connected' | DialFailure;
}

describe('the dialler', () => {
  let server: Server;
  let reachable: Endpoint;
  let dialler: Dialler;
  const outcomes: Outcome[] = [];
  const sockets: Socket[] = [];

  beforeEach(async () => {
    outcomes.length = 0;
    server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
    reachable = { host: LOOPBACK, port: (server.address() as { port: number }).port };
  });

  afterEach(async () => {
    vi.useRealTimers();
    dialler.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  function start(maxPending: number, timeoutMs = 2000): void {
    dialler = new Dialler({ transport, timeoutMs, maxPending });
  }

  function dial(endpoint: Endpoint): { done: Promise<void>; giveUp: () => void } {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const note = (how: Outcome['how']): void => {
      outcomes.push({ port: endpoint.port, how });
      resolve();
    };
    const giveUp = dialler.dial(endpoint, {
      onConnected: (socket) => {
        sockets.push(socket);
        note('connected');
      },
      onFailed: note,
    });
    return { done, giveUp };
  }

  const silent = { host: LOOPBACK, port: SILENT_PORT };

  it('connects', async () => {
    start(10);
    await dial(reachable).done;
    expect(outcomes).toEqual([{ port: reachable.port, how: 'connected' }]);
    expect(dialler.pending).toBe(0);
  });

  it('gives up after its limit', async () => {
    vi.useFakeTimers();
    start(10, 2000);
    const { done } = dial(silent);
    await vi.advanceTimersByTimeAsync(1999);
    expect(outcomes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await done;
    expect(outcomes).toEqual([{ port: SILENT_PORT, how: 'connectTimeout' }]);
    expect(dialler.pending).toBe(0);
  });

  it('lets the oldest attempt give way, so that a reachable address is never kept waiting', async () => {
    start(4);
    for (let i = 0; i < 4; i++) dial(silent);
    await dial(reachable).done;
    expect(outcomes).toEqual([
      { port: SILENT_PORT, how: 'connectEvicted' },
      { port: reachable.port, how: 'connected' },
    ]);
    expect(dialler.pending).toBe(3);
  });

  it('says nothing of what was given up', () => {
    start(4);
    dial(silent).giveUp();
    expect(dialler.pending).toBe(0);
    expect(outcomes).toEqual([]);
  });

  it('tells of a port where nobody listens', async () => {
    start(4);
    const port = await freeBlock(1);
    await dial({ host: LOOPBACK, port }).done;
    expect(outcomes).toEqual([{ port, how: 'connectRefused' }]);
  });
});
