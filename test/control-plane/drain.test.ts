/** A control plane that is to end: who may still come, what is waited for, and what a second signal cuts short. */
import { createSocket, type Socket } from 'node:dgram';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engines } from '../../src/call/ports.ts';
import { DEFAULT_CONFIG } from '../../src/config/key-paths.ts';
import type { ControlSettings } from '../../src/control-plane/control-context.ts';
import { ControlPlane } from '../../src/control-plane/control-plane.ts';
import { routesOf } from '../../src/control-plane/routes.ts';
import { byeFrame } from '../../src/control-plane/wire/frames.ts';
import { createControlMetrics } from '../../src/observability/control-metrics.ts';
import { RingController, RingWriter } from '../../src/ring-buffers/ring.ts';
import { until } from '../media/rtp-peer.ts';
import { freePorts, Listener, LOOPBACK, Peer } from './calls/wire-bed.ts';

const RATE_HZ = 24_000;
/** Longer than a voice may be ahead of real time. */
const SPOKEN_S = 7;
const SPOKEN_BYTES = 4 * RATE_HZ * SPOKEN_S;
const KNOWN_ID = 2;
const NEW_ID = 4;
const UNTIMED = { queueMs: 0, firstAudioMs: 0, leadInMs: 0, computeMs: 0, audioMs: 0 };

describe('a control plane that drains', () => {
  const counted: string[] = [];
  const asked: string[] = [];
  const listeners: Listener[] = [];
  let metrics: ReturnType<typeof createControlMetrics>;
  let settings: ControlSettings;
  let plane: ControlPlane;
  let sender: Socket;

  const engines: Engines = {
    whisper: { transcribe: () => Promise.reject(new Error('no speech comes here')) },
    llama: {
      generate: async ({ messages }) => {
        asked.push(messages.at(-1)?.text ?? '');
        return { reason: 'stop', queueMs: 0, firstTokenMs: 0 };
      },
      closeConversation: async () => {},
    },
    tts: {
      speak: async ({ downlink, epoch }) => {
        const startIndex = new RingController(downlink).writeIndex;
        new RingWriter(downlink, epoch).write(new Int16Array(SPOKEN_S * RATE_HZ).fill(1000));
        const { writeIndex: endIndex } = new RingController(downlink);
        return { kind: 'spoken', startIndex, endIndex, ...UNTIMED };
      },
    },
  };

  beforeEach(async () => {
    counted.length = 0;
    asked.length = 0;
    settings = { ...DEFAULT_CONFIG.control, ...(await freePorts()) };
    metrics = createControlMetrics(new Registry());
    plane = await ControlPlane.start({
      settings,
      routes: routesOf(new Set(['whisper', 'llama', 'tts']), true),
      engines,
      persona: {
        systemPrompt: '',
        greeting: '',
        voice: 'v',
        speed: 1,
        rateHz: RATE_HZ,
        maxHistoryChars: 1000,
        maxAwake: 4,
      },
      hasCalls: false,
      metrics,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      count: (reason) => counted.push(reason),
    });
    sender = createSocket('udp4');
  });

  afterEach(async () => {
    sender.close();
    await plane.close();
    for (const listener of listeners.splice(0)) await listener.close();
  });

  function sessions(): { whisper: number; llama: number; tts: number } {
    return (plane.status() as { sessions: { whisper: number; llama: number; tts: number } }).sessions;
  }

  async function listen(port: number): Promise<Listener> {
    const listener = await Listener.open(port);
    listeners.push(listener);
    return listener;
  }

  async function dialText(port: number, callId: number): Promise<Peer> {
    const peer = await Peer.dial(port);
    peer.text(String(callId));
    return peer;
  }

  function register(port: number, callId: number): void {
    sender.send(`REGISTER:${callId}`, port, LOOPBACK);
  }

  async function refusals(listener: 'whisper' | 'tts'): Promise<number> {
    const { values } = await metrics.datagrams.get();
    return values.find(({ labels }) => labels.listener === listener && labels.kind === 'refused')?.value ?? 0;
  }

  it('refuses new ids on every port, and lets a call come back that it knows', async () => {
    const inbound = await listen(settings.inboundPortBase + KNOWN_ID);
    register(settings.whisperPort, KNOWN_ID);
    await until(() => inbound.peers.length === 1, 10_000);
    inbound.peers[0]?.text(String(KNOWN_ID));
    await until(() => sessions().llama === 1, 10_000);
    const drained = plane.drained();

    for (const port of [settings.llamaPort, settings.ttsPort]) {
      const stranger = await dialText(port, NEW_ID);
      await until(() => stranger.isClosed, 10_000);
    }
    register(settings.whisperPort, NEW_ID);
    register(settings.ttsRegisterPort, NEW_ID);
    await expect.poll(() => refusals('whisper')).toBe(1);
    await expect.poll(() => refusals('tts')).toBe(1);
    expect(counted.filter((reason) => reason === 'draining')).toHaveLength(2);
    expect(sessions()).toEqual({ whisper: 1, llama: 1, tts: 0 });

    inbound.peers[0]?.socket.destroy();
    await until(() => counted.includes('peerClosed'), 10_000);
    register(settings.whisperPort, KNOWN_ID);
    await until(() => inbound.peers.length === 2, 10_000);
    inbound.peers[1]?.text(String(KNOWN_ID));
    const neighbour = await dialText(settings.llamaPort, KNOWN_ID);
    neighbour.text('are you still there?');
    await until(() => asked.length === 1, 10_000);
    register(settings.ttsRegisterPort, KNOWN_ID);
    await until(() => (plane.status() as { registrations: number }).registrations === 1, 10_000);

    inbound.peers[1]?.socket.write(byeFrame());
    await drained;
    expect(sessions()).toEqual({ whisper: 0, llama: 0, tts: 0 });
  });

  /** A call that has ended while most of what it has to say is still on its way. */
  async function lastWords(): Promise<Listener> {
    const outbound = await listen(settings.outboundPortBase + KNOWN_ID);
    const text = await dialText(settings.ttsPort, KNOWN_ID);
    text.text('A long goodbye.');
    await until(() => outbound.peers.length === 1, 10_000);
    text.socket.write(byeFrame());
    await until(() => sessions().tts === 0, 10_000);
    return outbound;
  }

  it('waits for the last words of a call', async () => {
    const outbound = await lastWords();
    await plane.drained();
    await until(() => outbound.peers[0]?.isClosed === true, 10_000);
    expect(outbound.peers[0]?.receivedBytes).toBeGreaterThan(SPOKEN_BYTES);
  });

  it('cuts last words short when it is closed', async () => {
    const outbound = await lastWords();
    await plane.close();
    await until(() => outbound.peers[0]?.isClosed === true, 10_000);
    expect(outbound.peers[0]?.receivedBytes).toBeLessThan(SPOKEN_BYTES);
  });
});
