/** Our own calls on the wire with real sockets on loopback, and what stands in for the services elsewhere: plain sockets. */
import { createSocket } from 'node:dgram';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Registry } from 'prom-client';
import type { Engines } from '../../../src/call/ports.ts';
import { DEFAULT_CONFIG } from '../../../src/config/key-paths.ts';
import { WireAudioClient } from '../../../src/control-plane/audio/wire-audio-client.ts';
import { WireCalls } from '../../../src/control-plane/calls/wire-calls.ts';
import {
  beatPolicyOf,
  type ControlContext,
  type ControlSettings,
  retryPolicyOf,
} from '../../../src/control-plane/control-context.ts';
import { AllowList } from '../../../src/control-plane/net/access.ts';
import { Dialler } from '../../../src/control-plane/net/dialler.ts';
import { PLAIN } from '../../../src/control-plane/net/transport.ts';
import { type Role, routesOf } from '../../../src/control-plane/routes.ts';
import { chunkHeader, lengthPrefixed } from '../../../src/control-plane/wire/frames.ts';
import { Identity } from '../../../src/control-plane/wire/identity.ts';
import { createControlMetrics } from '../../../src/observability/control-metrics.ts';
import {
  createRing,
  createTape,
  type RingHandle,
  type TapeHandle,
} from '../../../src/ring-buffers/layout.ts';
import { TapeWriter } from '../../../src/ring-buffers/tape.ts';
import type { CancelWord } from '../../../src/workers/protocol.ts';
import { freeOldPorts } from '../peers/free-ports.ts';

export const LOOPBACK = '127.0.0.1';
export const CALL_ID = 1;
export const WIRE_ID = 2;
const UTTERANCE_SAMPLES = 4000;
const MAX_ID = 56_533;

/** A connection as the other side of a leg has it. */
export class Peer {
  readonly socket: Socket;
  receivedBytes = 0;
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.receivedBytes += bytes.length;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async dial(port: number): Promise<Peer> {
    const peer = new Peer(connect({ host: LOOPBACK, port }));
    await new Promise((resolve) => peer.socket.once('connect', resolve));
    return peer;
  }

  text(text: string): void {
    this.socket.write(lengthPrefixed(text));
  }

  /** 40 ms of one level. */
  chunk(chunkId: number, rateHz = 24_000): void {
    const samples = new Uint8Array(new Float32Array(960).fill(chunkId / 1000).buffer);
    this.socket.write(chunkHeader({ payloadBytes: samples.length, rateHz, chunkId }));
    this.socket.write(samples);
  }
}

/** Whoever dials a port of ours. */
export class Listener {
  readonly peers: Peer[] = [];
  readonly server: Server;

  private constructor() {
    this.server = createServer((socket) => this.peers.push(new Peer(socket)));
  }

  static async open(port: number): Promise<Listener> {
    const listener = new Listener();
    await new Promise<void>((resolve) => listener.server.listen(port, LOOPBACK, resolve));
    return listener;
  }

  async close(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** One call whose utterance is on its tape. */
export class WireBed {
  readonly counted: string[] = [];
  readonly calls: WireCalls;
  readonly audio: WireAudioClient;
  readonly ring: RingHandle;
  readonly settings: ControlSettings;
  readonly context: ControlContext;
  /** Of datagrams at the Whisper's port. */
  readonly registrations: string[] = [];
  readonly cancel: CancelWord = new Int32Array(new SharedArrayBuffer(4));
  readonly #tape: TapeHandle;
  readonly #dialler = new Dialler({ transport: PLAIN, timeoutMs: 10_000, maxPending: 16 });
  readonly #datagrams = createSocket('udp4');

  private constructor(audio: WireAudioClient, roles: readonly Role[], settings: ControlSettings) {
    this.audio = audio;
    this.settings = settings;
    this.#datagrams.on('message', (bytes) => this.registrations.push(bytes.toString()));
    this.#tape = createTape({ rateHz: 8000, capacitySamples: 2 ** 14 });
    new TapeWriter(this.#tape).write(new Int16Array(UTTERANCE_SAMPLES).fill(500));
    this.ring = createRing({ rateHz: 8000, capacitySamples: 2 ** 16 });
    const elsewhere = new Proxy({}, { get: () => () => Promise.reject(new Error('not under test')) });
    const local = Object.fromEntries(roles.map((role) => [role, elsewhere])) as Partial<Engines>;
    const routes = routesOf(new Set(roles), false);
    this.context = this.#makeContext();
    this.calls = new WireCalls({ context: this.context, routes, audio, local, voice: 'v', speed: 1 });
  }

  /** @param roles those of the process that answers the call */
  static async open(roles: readonly Role[], change: Partial<ControlSettings> = {}): Promise<WireBed> {
    const settings = { ...DEFAULT_CONFIG.control, ...(await freePorts()), firstCallId: WIRE_ID, ...change };
    const bed = new WireBed(await WireAudioClient.start(() => {}), roles, settings);
    await new Promise<void>((resolve) => bed.#datagrams.bind(settings.whisperPort, LOOPBACK, resolve));
    await bed.calls.open(CALL_ID, { uplink: bed.#tape, downlink: bed.ring });
    return bed;
  }

  async close(): Promise<void> {
    await this.calls.shutDown();
    this.#dialler.close();
    await this.audio.close();
    await new Promise<void>((resolve) => this.#datagrams.close(resolve));
  }

  /** Connects as a Whisper. */
  dialInbound(): Promise<Peer> {
    return Peer.dial(this.settings.inboundPortBase + WIRE_ID);
  }

  /** Connects as a TTS and says HELLO. */
  async dialOutbound(): Promise<Peer> {
    const peer = await Peer.dial(this.settings.outboundPortBase + WIRE_ID);
    peer.text(String(WIRE_ID));
    return peer;
  }

  transcribe(turnId = 1): ReturnType<Engines['whisper']['transcribe']> {
    const range = { fromSample: 0, toSample: UTTERANCE_SAMPLES };
    return this.calls.engines.whisper.transcribe({
      callId: CALL_ID,
      turnId,
      uplink: this.#tape,
      cancel: this.cancel,
      ...range,
    });
  }

  #makeContext(): ControlContext {
    const { settings } = this;
    return {
      settings,
      transport: PLAIN,
      access: new AllowList(''),
      identity: new Identity(settings.secret, MAX_ID),
      health: settings,
      helloTimeoutMs: settings.helloTimeoutMs,
      count: (reason) => this.counted.push(reason),
      dial: this.#dialler.dial,
      retry: retryPolicyOf(settings),
      beat: beatPolicyOf(settings),
      random: () => 0.5,
      metrics: createControlMetrics(new Registry()),
      log: { debug() {}, info() {}, warn() {}, error() {} },
    };
  }
}

/** For the ids 1 to 4. */
export async function freePorts(): Promise<Partial<ControlSettings>> {
  const ports = await freeOldPorts(2 * WIRE_ID);
  return {
    inboundPortBase: ports.audioInBasePort,
    outboundPortBase: ports.audioOutBasePort,
    whisperPort: ports.audioInRegistrationPort,
    ttsRegisterPort: ports.audioOutRegistrationPort,
    llamaPort: ports.llamaPort,
    ttsPort: ports.ttsPort,
  };
}
