/**
 * The registration control plane of one process: listens for what its roles serve, dials what they lack, gives calls
 * their engines, and tells how it fares. Built by the runtime when its models are loaded. Thread: main.
 */
import type { Engines } from '../call/ports.ts';
import { monotonicMs } from '../observability/clock.ts';
import type { ControlMetrics } from '../observability/control-metrics.ts';
import type { Log } from '../observability/log.ts';
import { WireAudioClient } from './audio/wire-audio-client.ts';
import { WireCalls } from './calls/wire-calls.ts';
import { beatPolicyOf, type ControlContext, type ControlSettings, retryPolicyOf } from './control-context.ts';
import { AllowList } from './net/access.ts';
import { warmUpConnections } from './net/connection-warm-up.ts';
import { Dialler } from './net/dialler.ts';
import { RegistrationListener } from './net/registration-listener.ts';
import { SymptomWatch } from './net/symptom-watch.ts';
import { SYMPTOMS, type Symptom } from './net/symptoms.ts';
import { type Transport, transportOf } from './net/transport.ts';
import { makeServices, type OutsideServices, type ServiceVoice } from './outside-services.ts';
import type { Routes } from './routes.ts';
import { TextServer } from './services/text-server.ts';
import { maxCallId } from './wire/call-ids.ts';
import { Identity } from './wire/identity.ts';

export interface ControlPlaneOptions {
  readonly settings: ControlSettings;
  readonly routes: Routes;
  /** The engines of this process. */
  readonly engines: Partial<Engines>;
  readonly persona: ServiceVoice;
  /** Whether this process answers calls. */
  readonly hasCalls: boolean;
  readonly metrics: ControlMetrics;
  readonly log: Log;
  readonly count: (reason: string) => void;
  /** For tests of faults: how connections are made. */
  readonly wrapTransport?: ((transport: Transport) => Transport) | undefined;
}

/** Ports that are listened on; null where none is. */
export interface ControlPorts {
  readonly whisperPort: number | null;
  readonly llamaPort: number | null;
  readonly ttsPort: number | null;
  readonly ttsRegisterPort: number | null;
}

const DRAIN_LOOK_MS = 100;

export class ControlPlane {
  readonly listening: string[] = [];
  readonly calls: WireCalls | null;
  readonly #options: ControlPlaneOptions;
  readonly #context: ControlContext;
  readonly #dialler: Dialler;
  readonly #audio: WireAudioClient;
  readonly #services: OutsideServices;
  readonly #listeners: RegistrationListener[] = [];
  readonly #servers = new Map<'llama' | 'tts', TextServer>();
  readonly #watch = new SymptomWatch(this.#listeners, monotonicMs);
  #isDraining = false;

  private constructor(options: ControlPlaneOptions, audio: WireAudioClient) {
    const { settings, routes, engines, persona, hasCalls } = options;
    const transport = transportOf(settings);
    this.#options = options;
    this.#audio = audio;
    this.#dialler = new Dialler({
      transport: options.wrapTransport?.(transport) ?? transport,
      timeoutMs: settings.connectTimeoutMs,
      maxPending: settings.maxPendingConnects,
    });
    this.#context = contextOf(options, transport, this.#dialler);
    const shared = { context: this.#context, routes, audio };
    this.calls = hasCalls ? new WireCalls({ ...shared, local: engines, ...persona }) : null;
    this.#services = makeServices({ ...shared, engines, persona, calls: this.calls });
  }

  /** @throws WildfireError PORT_IN_USE, CONFIG_INVALID (address, certificate files); nothing is left open */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const audio = await WireAudioClient.start((message) => {
      options.count('wireAudioDied');
      options.log.error({ error: message }, 'the wire-audio thread died and is replaced');
    });
    const plane = await closingOnError(audio, () => new ControlPlane(options, audio));
    return closingOnError(plane, async () => {
      await plane.#listen();
      return plane;
    });
  }

  get ports(): ControlPorts {
    const listener = (name: string): number | null =>
      this.#listeners.find((one) => one.name === name)?.port ?? null;
    return {
      whisperPort: listener('whisper'),
      llamaPort: this.#servers.get('llama')?.port ?? null,
      ttsPort: this.#servers.get('tts')?.port ?? null,
      ttsRegisterPort: listener('tts'),
    };
  }

  /** Takes no new outside calls, and lets those come back that it knows; resolves when the last one has gone. */
  async drained(): Promise<void> {
    this.#isDraining = true;
    while (this.#outsideCalls > 0) await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
  }

  /** What is held now, for /api/status: back to its idle values when no call is up. */
  status(): object {
    const { hearing, thinking, speaking, links } = this.#services;
    return {
      ports: this.ports,
      sessions: { whisper: hearing?.size ?? 0, llama: thinking?.size ?? 0, tts: speaking?.size ?? 0 },
      registrations: speaking?.registered ?? 0,
      calls: this.calls?.size ?? 0,
      links: links.reduce((sum, { size }) => sum + size, 0),
      peers: [...this.#servers.values()].reduce((sum, { size }) => sum + size, 0),
      pendingConnects: this.#dialler.pending,
      audioStreams: this.#audio.openCalls,
      listeners: this.#watch.look(),
    };
  }

  /** Brings the gauges up to date before a scrape. */
  refreshMetrics(): void {
    const { metrics } = this.#options;
    metrics.pendingConnects.set(this.#dialler.pending);
    const shown = new Set<Symptom>();
    for (const { name, kernelDrops, queueBytes, receiveBufferBytes, symptoms } of this.#watch.look()) {
      const labels = { listener: name };
      metrics.kernelDrops.set(labels, kernelDrops);
      metrics.receiveQueueBytes.set(labels, queueBytes);
      metrics.receiveBufferBytes.set(labels, receiveBufferBytes);
      for (const symptom of symptoms) shown.add(symptom);
    }
    for (const symptom of Object.keys(SYMPTOMS) as Symptom[]) {
      metrics.symptoms.set({ symptom }, shown.has(symptom) ? 1 : 0);
    }
  }

  /** Ends every outside call, closes every socket. */
  async close(): Promise<void> {
    const { hearing, thinking, speaking, links } = this.#services;
    this.#watch.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    hearing?.close();
    await Promise.all([...this.#servers.values()].map((server) => server.close()));
    thinking?.close();
    await speaking?.close();
    for (const link of links) link.close();
    await this.calls?.shutDown();
    this.#dialler.close();
    await this.#audio.close();
  }

  async #listen(): Promise<void> {
    const { routes, settings } = this.#options;
    const { hearing, speaking, callerText, replyText } = this.#services;
    await warmUpConnections(this.#context, this.#dialler.dial);
    if (hearing !== null) await this.#listenForRegistrations('whisper', settings.whisperPort, hearing);
    if (routes.takesCallerText && callerText !== null) {
      await this.#serveText('llama', settings.llamaPort, callerText);
    }
    if (routes.takesReplyText && replyText !== null)
      await this.#serveText('tts', settings.ttsPort, replyText);
    if (routes.speaksOutside && speaking !== null) {
      await this.#listenForRegistrations('tts', settings.ttsRegisterPort, speaking);
    }
    const { bindAddress, inboundPortBase, outboundPortBase } = settings;
    if (routes.ownInbound) this.listening.push(`inbound tcp ${bindAddress}:${inboundPortBase}+id`);
    if (routes.ownOutbound) this.listening.push(`outbound tcp ${bindAddress}:${outboundPortBase}+id`);
  }

  async #serveText(
    role: 'llama' | 'tts',
    port: number,
    sink: OutsideServices['callerText'] & object,
  ): Promise<void> {
    const server = await TextServer.listen({
      context: this.#context,
      leg: role === 'llama' ? 'text8083' : 'text8090',
      port,
      portHint: `stop the other program or set control.${role}Port`,
      isWelcome: (callId) => this.#isWelcome(callId),
      sink,
    });
    this.#servers.set(role, server);
    this.listening.push(`${role} tcp ${this.#options.settings.bindAddress}:${server.port}`);
  }

  async #listenForRegistrations(
    name: 'whisper' | 'tts',
    port: number,
    service: Pick<NonNullable<OutsideServices['hearing']>, 'register' | 'bye'>,
  ): Promise<void> {
    const { settings, metrics } = this.#options;
    const { access, identity, log } = this.#context;
    const listener = await RegistrationListener.start({
      name,
      bindAddress: settings.bindAddress,
      port,
      receiveBufferBytes: settings.receiveBufferBytes,
      isShared: settings.shareUdpPort,
      heartbeatMs: settings.heartbeatMs,
      access,
      identity,
      log,
      onRegister: (callId, address) =>
        this.#isWelcome(callId) ? service.register(callId, address) : 'refused',
      onBye: (callId) => {
        const verdict = service.bye(callId);
        // An earlier LLaMA leaves its connection to the TTS open: this is all that tells of the end.
        if (name === 'tts') this.#servers.get('tts')?.end(callId);
        return verdict;
      },
      onDatagram: (kind) => metrics.datagrams.inc({ listener: name, kind }),
      onHeartbeat: () => metrics.heartbeats.inc({ listener: name }),
    });
    this.#listeners.push(listener);
    const buffer = `receive buffer ${listener.receiveBufferBytes} bytes`;
    this.listening.push(`${name} udp ${settings.bindAddress}:${listener.port} (${buffer})`);
  }

  /** Whether a call may come: any but while draining, when only those of which some part here knows. */
  #isWelcome(callId: number): boolean {
    const { hearing, thinking, speaking } = this.#services;
    const holders = [this.calls, hearing, thinking, speaking, ...this.#servers.values()];
    return !this.#isDraining || holders.some((holder) => holder?.has(callId));
  }

  get #outsideCalls(): number {
    const { hearing, thinking, speaking } = this.#services;
    return (hearing?.size ?? 0) + (thinking?.size ?? 0) + (speaking?.size ?? 0) + (speaking?.leaving ?? 0);
  }
}

function contextOf(options: ControlPlaneOptions, transport: Transport, dialler: Dialler): ControlContext {
  const { settings, metrics, log, count } = options;
  const { keepAliveMs, stallTimeoutMs } = settings;
  return {
    settings,
    transport,
    metrics,
    log,
    count,
    access: new AllowList(settings.allow),
    identity: new Identity(settings.secret, maxCallId(settings.inboundPortBase, settings.outboundPortBase)),
    health: { keepAliveMs, stallTimeoutMs },
    helloTimeoutMs: settings.helloTimeoutMs,
    dial: dialler.dial,
    retry: retryPolicyOf(settings),
    beat: beatPolicyOf(settings),
    random: Math.random,
  };
}

async function closingOnError<T>(open: { close(): Promise<void> }, next: () => T | Promise<T>): Promise<T> {
  try {
    return await next();
  } catch (error) {
    await open.close();
    throw error;
  }
}
