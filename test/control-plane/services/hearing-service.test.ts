/** REGISTER to text, with real sockets and a recogniser that says what the test wrote down. */
import { createServer, type Server, type Socket } from 'node:net';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpeechToText } from '../../../src/call/ports.ts';
import { DEFAULT_CONFIG } from '../../../src/config/key-paths.ts';
import { WireAudioClient } from '../../../src/control-plane/audio/wire-audio-client.ts';
import {
  beatPolicyOf,
  type ControlContext,
  type ControlSettings,
  retryPolicyOf,
} from '../../../src/control-plane/control-context.ts';
import { AllowList } from '../../../src/control-plane/net/access.ts';
import { Dialler } from '../../../src/control-plane/net/dialler.ts';
import { PLAIN } from '../../../src/control-plane/net/transport.ts';
import { HearingService } from '../../../src/control-plane/services/hearing-service.ts';
import { UtteranceTapes } from '../../../src/control-plane/services/utterance-tapes.ts';
import { byeFrame, lengthPrefixed } from '../../../src/control-plane/wire/frames.ts';
import { Identity } from '../../../src/control-plane/wire/identity.ts';
import { createControlMetrics } from '../../../src/observability/control-metrics.ts';
import { freeBlock } from '../../free-ports.ts';
import { until } from '../../media/rtp-peer.ts';
import { heardAs } from './heard.ts';

const LOOPBACK = '127.0.0.1';
/** Ids from the first on that a test may claim. */
const IDS = 10;
/** Real sockets and threads on a box that may be busy. */
const LIMIT_MS = 10_000;
const SPEECH = new Uint8Array(new Float32Array(8000).buffer);

/** The far side of one call: listens where Whisper will dial. */
class Inbound {
  readonly sockets: Socket[] = [];
  readonly received: string[] = [];
  closed = 0;
  #server: Server | null = null;

  async listen(port: number): Promise<void> {
    const server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('data', (bytes) => this.received.push(bytes.toString('latin1')));
      socket.on('error', () => {});
      socket.on('close', () => {
        this.closed += 1;
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, LOOPBACK, resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}

describe('the hearing service', () => {
  const counted: string[] = [];
  const errors: string[] = [];
  const said: string[] = [];
  const heard: string[] = [];
  let audio: WireAudioClient;
  let dialler: Dialler;
  let inbound: Inbound;
  let service: HearingService;
  /** The ids are ports here: the base is 0. */
  let callId: number;

  const whisper: SpeechToText = {
    transcribe: async ({ fromSample, toSample }) => {
      const text = heard.shift();
      if (text === undefined) throw new Error('the engine failed');
      return heardAs(text === 'length' ? String(toSample - fromSample) : text);
    },
  };

  function contextWith(change: Partial<ControlSettings>): ControlContext {
    const bases = { inboundPortBase: 0, outboundPortBase: 1 };
    const settings: ControlSettings = { ...DEFAULT_CONFIG.control, ...bases, ...change };
    dialler = new Dialler({ transport: PLAIN, timeoutMs: settings.connectTimeoutMs, maxPending: 64 });
    return {
      settings,
      transport: PLAIN,
      access: new AllowList(''),
      identity: new Identity('', 65_535),
      health: settings,
      helloTimeoutMs: settings.helloTimeoutMs,
      count: (reason) => counted.push(reason),
      dial: dialler.dial,
      retry: retryPolicyOf(settings),
      beat: beatPolicyOf(settings),
      random: () => 0.5,
      metrics: createControlMetrics(new Registry()),
      log: { debug() {}, info() {}, warn() {}, error: (_fields, message) => errors.push(message) },
    };
  }

  function serve(change: Partial<ControlSettings> = {}): HearingService {
    return new HearingService({
      context: contextWith(change),
      whisper,
      audio,
      tapes: new UtteranceTapes(),
      next: {
        begin: (id) => said.push(`begin ${id}`),
        text: (id, text) => said.push(`${id}: ${text}`),
        end: (id) => said.push(`end ${id}`),
      },
    });
  }

  beforeEach(async () => {
    for (const list of [counted, errors, said, heard]) list.length = 0;
    audio = await WireAudioClient.start(() => {});
    inbound = new Inbound();
    callId = await freeBlock(IDS);
    await inbound.listen(callId);
    service = serve();
  });

  afterEach(async () => {
    service.close();
    dialler.close();
    await inbound.close();
    await audio.close();
  });

  async function connected(count = 1): Promise<Socket> {
    await until(() => inbound.sockets.length === count, LIMIT_MS);
    return inbound.sockets[count - 1] as Socket;
  }

  async function open(): Promise<Socket> {
    service.register(callId, LOOPBACK);
    const socket = await connected();
    socket.write(lengthPrefixed(String(callId)));
    await until(() => said.includes(`begin ${callId}`), LIMIT_MS);
    return socket;
  }

  it('dials once however often it is asked, and turns frames into text both ways', async () => {
    heard.push('length', 'a table please');
    expect([1, 2, 3].map(() => service.register(callId, LOOPBACK))).toEqual([
      'register',
      'duplicate',
      'duplicate',
    ]);
    const socket = await connected();
    socket.write(
      Buffer.concat([lengthPrefixed(String(callId)), lengthPrefixed(SPEECH), lengthPrefixed(SPEECH)]),
    );
    await until(() => said.length === 3, LIMIT_MS);
    expect(said).toEqual([`begin ${callId}`, `${callId}: 8000`, `${callId}: a table please`]);
    await until(() => inbound.received.join('').length === 8 + 18, LIMIT_MS);
    expect(inbound.received.join('')).toBe('\0\0\0\x048000\0\0\0\x0ea table please');
    expect(service.register(callId, LOOPBACK)).toBe('duplicate');
    expect(inbound.sockets).toHaveLength(1);
  });

  it('writes a blank back where nothing was understood, or the engine failed, and passes nothing on', async () => {
    heard.push('');
    const socket = await open();
    socket.write(Buffer.concat([lengthPrefixed(SPEECH), lengthPrefixed(SPEECH)]));
    await until(() => inbound.received.join('').length === 10, LIMIT_MS);
    expect(inbound.received.join('')).toBe('\0\0\0\x01 \0\0\0\x01 ');
    expect(said).toEqual([`begin ${callId}`]);
    expect(counted).toEqual(['transcriptionFailed']);
  });

  it.each([
    ['BYE by datagram', () => void service.bye(callId)],
    ['BYE on the leg', (socket: Socket) => void socket.write(byeFrame())],
    [
      'the zero that an inbound side really sends',
      (socket: Socket) => void socket.write(Uint8Array.of(0, 0, 0, 0)),
    ],
  ])('ends by %s, once, and takes the same id anew', async (_name, bye) => {
    const socket = await open();
    bye(socket);
    await until(() => said.includes(`end ${callId}`) && inbound.closed === 1, LIMIT_MS);
    expect(service.bye(callId)).toBe('byeUnknown');
    expect(service.size).toBe(0);
    service.register(callId, LOOPBACK);
    (await connected(2)).write(lengthPrefixed(String(callId)));
    await until(() => said.length === 3, LIMIT_MS);
    expect(said).toEqual([`begin ${callId}`, `end ${callId}`, `begin ${callId}`]);
  });

  it('keeps a call whose connection is lost without BYE, and goes on with it at the next REGISTER', async () => {
    (await open()).destroy();
    await until(() => counted.includes('peerClosed'), LIMIT_MS);
    expect(service.size).toBe(1);
    expect(service.register(callId, LOOPBACK)).toBe('register');
    (await connected(2)).write(lengthPrefixed(String(callId)));
    await until(() => said.length === 2, LIMIT_MS);
    expect(said).not.toContain(`end ${callId}`);
  });

  it('ends a call that is not found again in time', async () => {
    service = serve({ lostGraceMs: 50 });
    (await open()).destroy();
    await until(() => said.includes(`end ${callId}`), LIMIT_MS);
    expect(service.size).toBe(0);
  });

  it('forgets a call that cannot be reached, so that the next REGISTER tries again', async () => {
    await inbound.close();
    service.register(callId, LOOPBACK);
    await until(() => service.size === 0, LIMIT_MS);
    expect(counted).toEqual(['connectRefused']);
    expect(service.register(callId, LOOPBACK)).toBe('register');
  });

  it.each([
    ['nobody says HELLO', '', 'helloTimeout', { helloTimeoutMs: 50 }],
    ['another call does', '4', 'helloMismatch', {}],
    ['it is garbage', 'x', 'idInvalid', {}],
  ])('closes the connection when %s, and leaves nothing behind', async (_name, hello, reason, change) => {
    service = serve(change);
    service.register(callId, LOOPBACK);
    const socket = await connected();
    if (hello !== '') socket.write(lengthPrefixed(hello));
    await until(() => service.size === 0 && inbound.closed === 1, LIMIT_MS);
    expect(counted).toEqual([reason]);
    expect(said).toEqual([`end ${callId}`]);
  });

  it('is done with a call that ends while it is being dialled', async () => {
    service.register(callId, LOOPBACK);
    expect(service.bye(callId)).toBe('bye');
    expect(service.size).toBe(0);
    expect(dialler.pending).toBe(0);
  });

  it('says clearly, and once, when outside ids claim one port', async () => {
    await open();
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(service.register(callId + 1, LOOPBACK)).toBe('register');
      await until(() => service.size === 1, LIMIT_MS);
    }
    expect(errors).toEqual([expect.stringContaining('steps of two')]);
    expect(counted.filter((reason) => reason === 'idCollision')).toHaveLength(1);
  });

  it('holds no more calls than it may', () => {
    service = serve({ maxSessions: 1 });
    service.register(callId, LOOPBACK);
    expect(service.register(callId + 7, LOOPBACK)).toBe('refused');
    expect(counted).toEqual(['sessionLimit']);
  });
});
