/** Real sockets on loopback: HELLO, strangers, half-open and stalled peers, TLS, registration datagrams. */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { AllowList } from '../../../src/control-plane/net/access.ts';
import type { FramedSocket } from '../../../src/control-plane/net/framed-socket.ts';
import {
  type LegContext,
  LegServer,
  type LegServerOptions,
} from '../../../src/control-plane/net/leg-server.ts';
import {
  type DatagramVerdict,
  RegistrationListener,
  type RegistrationListenerOptions,
} from '../../../src/control-plane/net/registration-listener.ts';
import { PLAIN, type Transport, transportOf } from '../../../src/control-plane/net/transport.ts';
import { LEG_RULES, lengthPrefixed } from '../../../src/control-plane/wire/frames.ts';
import { Identity } from '../../../src/control-plane/wire/identity.ts';
import { until } from '../../media/rtp-peer.ts';

const LOOPBACK = '127.0.0.1';
const STALL_MS = 200;
const SILENT_LOG = { debug() {}, info() {}, warn() {}, error() {} };
const closers: (() => unknown)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const close of closers.splice(0).reverse()) await close();
});

class Bed {
  readonly counted: string[] = [];
  readonly legs: { leg: FramedSocket; callId: number | null }[] = [];
  readonly ends: string[] = [];
  readonly texts: string[] = [];
  port = 0;

  async listen(
    change: Partial<LegContext> = {},
    rules: LegServerOptions['rules'] = LEG_RULES.textIn,
  ): Promise<this> {
    const context: LegContext = {
      transport: PLAIN,
      access: new AllowList(''),
      identity: new Identity('', 56_533),
      health: { keepAliveMs: 5000, stallTimeoutMs: STALL_MS },
      helloTimeoutMs: 5000,
      count: (reason) => this.counted.push(reason),
      ...change,
    };
    const server = await LegServer.listen({
      context,
      bindAddress: LOOPBACK,
      port: 0,
      rules,
      helloPurpose: 'hello',
      portHint: 'take another',
      onLeg: (leg, callId) => {
        leg.handOver({
          onFrame: (frame) => this.texts.push(frame.kind === 'text' ? frame.text : frame.kind),
          onClosed: (reason, detail) => this.ends.push(`${reason}${detail === '' ? '' : ` ${detail}`}`),
        });
        this.legs.push({ leg, callId });
      },
    });
    this.port = server.port;
    closers.push(async () => {
      for (const { leg } of this.legs) leg.close();
      await server.close();
    });
    return this;
  }

  async dial(...bytes: readonly Uint8Array[]): Promise<Socket> {
    const socket = connect({ host: LOOPBACK, port: this.port });
    socket.on('error', () => {});
    closers.push(() => socket.destroy());
    await new Promise((resolve) => socket.once('connect', resolve));
    for (const piece of bytes) socket.write(piece);
    return socket;
  }
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.resume().once('close', () => resolve()));
}

describe('a listening leg', () => {
  it('is handed over with its HELLO, and what came in the same packet', async () => {
    const bed = await new Bed().listen();
    await bed.dial(Buffer.concat([lengthPrefixed('112'), lengthPrefixed('hello')]));
    await until(() => bed.texts.length === 1, 10_000);
    expect(bed.legs.map(({ callId }) => callId)).toEqual([112]);
    expect(bed.texts).toEqual(['hello']);
  });

  it('is closed when nobody says HELLO, and others are served meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const bed = await new Bed().listen({ helloTimeoutMs: 100 });
    const silent = await bed.dial();
    await bed.dial(lengthPrefixed('7'));
    await expect.poll(() => bed.legs.length).toBe(1);
    vi.advanceTimersByTime(100);
    await ended(silent);
    expect(bed.counted).toEqual(['helloTimeout']);
  });

  it.each([
    ['no number', lengthPrefixed('abc'), 'idInvalid'],
    ['an id without ports', lengthPrefixed('65000'), 'idInvalid'],
    ['garbage', Uint8Array.of(0x47, 0x45, 0x54, 0x20), 'closedBeforeHello'],
  ])('is closed when HELLO is %s', async (_name, bytes, reason) => {
    const bed = await new Bed().listen();
    await ended(await bed.dial(bytes));
    expect(bed.legs).toEqual([]);
    expect(bed.counted).toEqual([reason]);
  });

  it('is closed to strangers', async () => {
    const strangers = { allows: () => false } as unknown as AllowList;
    const bed = await new Bed().listen({ access: strangers });
    await ended(await bed.dial(lengthPrefixed('112')));
    expect(bed.counted).toEqual(['addressRefused']);
  });

  it('believes a HELLO that is signed, and no other, when there is a secret', async () => {
    const identity = new Identity('a secret of some length', 56_533);
    const bed = await new Bed().listen({ identity });
    await ended(await bed.dial(lengthPrefixed('112')));
    await bed.dial(lengthPrefixed(identity.stamp('hello', 112)));
    await until(() => bed.legs.length === 1, 10_000);
    expect(bed.counted).toEqual(['signatureMissing']);
  });

  it('ends once, whichever way, and tells why', async () => {
    const bed = await new Bed().listen();
    const bye = await bed.dial(lengthPrefixed('1'), Uint8Array.of(255, 255, 255, 255));
    await ended(bye);
    (await bed.dial(lengthPrefixed('2'))).end();
    await until(() => bed.ends.length === 2, 10_000);
    const reset = await bed.dial(lengthPrefixed('3'));
    await until(() => bed.legs.length === 3, 10_000);
    reset.resetAndDestroy();
    await until(() => bed.ends.length === 3, 10_000);
    await ended(await bed.dial(lengthPrefixed('4'), Uint8Array.of(0x7f, 0, 0, 0)));
    bed.legs[0]?.leg.close();
    expect(bed.ends).toEqual(['peerBye', 'peerClosed', 'peerLost ECONNRESET', 'invalidFrame frameLength']);
  });

  it('gives up a peer that takes nothing', async () => {
    const bed = await new Bed().listen();
    const socket = await bed.dial(lengthPrefixed('5'));
    socket.pause();
    await until(() => bed.legs.length === 1, 10_000);
    const megabyte = new Uint8Array(1_000_000);
    for (let i = 0; i < 30; i++) bed.legs[0]?.leg.send(megabyte);
    await until(() => bed.ends.length === 1, 5000);
    expect(bed.ends).toEqual(['stalled']);
  });

  it('keeps a peer that stood still for a moment, and gives it up when it does so for good', async () => {
    const bed = await new Bed().listen();
    const socket = await bed.dial(lengthPrefixed('6'));
    socket.pause();
    await until(() => bed.legs.length === 1, 10_000);
    const { leg } = bed.legs[0] as { leg: FramedSocket };
    const piece = new Uint8Array(4000);
    while (leg.unsentBytes === 0) leg.send(piece); // less waits than would ever be told of by 'drain'
    let takenBytes = 0;
    socket.on('data', (bytes: Uint8Array) => {
      takenBytes += bytes.length;
    });
    socket.resume();
    await until(() => leg.unsentBytes === 0 && takenBytes > 0, 10_000);
    await sleep(2 * STALL_MS);
    expect(bed.ends).toEqual([]);
    socket.pause();
    for (let i = 0; i < 30; i++) leg.send(new Uint8Array(1_000_000));
    await until(() => bed.ends.length === 1, 5000);
    expect(bed.ends).toEqual(['stalled']);
  });
});

describe('TLS legs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-tls-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A certificate of an authority of its own. @returns paths */
  function authority(name: string): { tlsCert: string; tlsKey: string; tlsCa: string } | null {
    const paths = { tlsCert: join(folder, `${name}.crt`), tlsKey: join(folder, `${name}.key`) };
    const subject = ['-subj', `/CN=${name}`, '-days', '2', '-nodes', '-newkey', 'rsa:2048'];
    try {
      execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', paths.tlsKey, '-out', paths.tlsCert], {
        stdio: 'ignore',
      });
    } catch {
      return null; // no openssl here
    }
    return { ...paths, tlsCa: paths.tlsCert };
  }

  const ours = authority('wildfire');
  const others = authority('stranger');

  function dialled(transport: Transport, port: number): Promise<string> {
    const { socket, readyEvent } = transport.dial({ host: LOOPBACK, port });
    closers.push(() => socket.destroy());
    return new Promise((resolve) => {
      socket.once('error', () => resolve('refused'));
      socket.once(readyEvent, () => socket.write(lengthPrefixed('112')));
      socket.once('close', () => resolve('closed'));
      socket.once('data', () => resolve('answered'));
    });
  }

  /** A server that has one leg, and has answered on it. */
  async function answering(transport: Transport): Promise<Bed> {
    const bed = await new Bed().listen({ transport, helloTimeoutMs: 5000 });
    const answered = dialled(transport, bed.port);
    await until(() => bed.legs.length === 1, 5000);
    bed.legs[0]?.leg.send(lengthPrefixed('hi'));
    expect(await answered).toBe('answered');
    return bed;
  }

  it.skipIf(ours === null || others === null)('join ours and refuse strangers and plain bytes', async () => {
    const transport = transportOf(ours as NonNullable<typeof ours>);
    const bed = await answering(transport);
    expect(await dialled(transportOf(others as NonNullable<typeof others>), bed.port)).not.toBe('answered');
    await ended(await bed.dial(lengthPrefixed('112')));
    expect(bed.legs).toHaveLength(1);
    expect(bed.counted).toContain('tlsRefused');
  });

  it.skipIf(ours === null)('outlive the time that a stalled peer is given', async () => {
    const transport = transportOf(ours as NonNullable<typeof ours>);
    const bed = await answering(transport);
    await sleep(2 * STALL_MS);
    expect(bed.ends).toEqual([]);
  });

  it('name a certificate file that is not there', () => {
    expect(() => transportOf({ tlsCert: '/none', tlsKey: '/none', tlsCa: '/none' })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('control.tlsCert'),
      }),
    );
  });
});

describe('the registration listener', () => {
  const verdicts: DatagramVerdict[] = [];
  const registered: number[] = [];
  const sender = createSocket('udp4');

  async function listen(change: Partial<RegistrationListenerOptions> = {}): Promise<RegistrationListener> {
    verdicts.length = 0;
    registered.length = 0;
    const listener = await RegistrationListener.start({
      name: 'whisper',
      bindAddress: LOOPBACK,
      port: 0,
      receiveBufferBytes: 262_144,
      isShared: false,
      heartbeatMs: 60_000,
      access: new AllowList(''),
      identity: new Identity('', 56_533),
      log: SILENT_LOG,
      onRegister: (callId) => {
        registered.push(callId);
        return 'register';
      },
      onBye: (callId) => (registered.includes(callId) ? 'bye' : 'byeUnknown'),
      onDatagram: (verdict) => verdicts.push(verdict),
      onHeartbeat: () => {},
      ...change,
    });
    closers.push(() => listener.close());
    return listener;
  }

  function send(listener: RegistrationListener, ...texts: readonly string[]): void {
    for (const text of texts) sender.send(text, listener.port, LOOPBACK);
  }

  it('tells what each datagram was, and takes garbage for what it is', async () => {
    const listener = await listen();
    send(listener, 'REGISTER:112', 'BYE:112', 'BYE:113', 'REGISTER:x', 'REGISTER:60000', '\0\0\0\0', '');
    await until(() => verdicts.length === 7, 10_000);
    expect(verdicts).toEqual(['register', 'bye', 'byeUnknown', 'invalid', 'invalid', 'invalid', 'invalid']);
    expect(listener.figures()).toMatchObject({ isOpen: true, datagrams: 7, errors: 0, kernelDrops: 0 });
    expect(listener.receiveBufferBytes).toBeGreaterThanOrEqual(262_144);
  });

  it('refuses strangers and unsigned datagrams', async () => {
    const strangers = { allows: () => false } as unknown as AllowList;
    const closed = await listen({ access: strangers });
    send(closed, 'REGISTER:112');
    await until(() => verdicts.length === 1, 10_000);
    expect(verdicts).toEqual(['refused']);
    const identity = new Identity('a secret of some length', 56_533);
    const signed = await listen({ identity });
    send(signed, 'REGISTER:112', `REGISTER:${identity.stamp('register', 112)}`);
    await until(() => verdicts.length === 2, 10_000);
    expect(verdicts).toEqual(['refused', 'register']);
  });

  it('says clearly that its port is taken', async () => {
    const first = await listen();
    await expect(listen({ port: first.port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining('control.whisperPort'),
    });
    sender.unref();
  });
});
