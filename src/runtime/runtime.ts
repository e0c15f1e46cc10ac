/**
 * One running Wildfire: builds every part, wires them, starts and stops them in order. Thread: main.
 * Starting: cheap things that can fail for the user's reasons first (pack, ports), models last. Stopping: calls
 * first, then what they used.
 */

import { Call } from '../call/call.ts';
import { CallAudioStore } from '../call/call-audio.ts';
import type { CallDependencies, CallSurroundings, ConversingAgent } from '../call/call-dependencies.ts';
import { CallRegistry } from '../call/call-registry.ts';
import type { CallReport, TurnReport } from '../call/reports.ts';
import type { RunningRuntime, RuntimeEvents } from '../cli/runtime-starter.ts';
import type { Config } from '../config/schema.ts';
import { loadPack, type ModelPack } from '../models/pack.ts';
import { packFolderOf } from '../models/pack-folders.ts';
import { createLog, type Log } from '../observability/log.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { type IncomingInvite, SipUserAgent } from '../sip/user-agent.ts';
import { type StatusServer, startStatusServer } from '../web/status-server.ts';
import type { TtsClient } from '../workers/tts/tts-client.ts';
import { VadClient } from '../workers/vad/vad-client.ts';
import { type RunningEngines, startEngines } from './engines.ts';
import { MediaSupervisor } from './media-supervisor.ts';
import { personaOf, promptSentences, turnConfigOf } from './persona.ts';
import { StatusReporter } from './status-reporter.ts';

/** Rate of the samples on a G.711 leg. */
const LEG_RATE_HZ = 8000;

/** Builds and starts a runtime. @throws WildfireError CONFIG_INVALID, MODEL_*, PORT_IN_USE; nothing is left running */
export async function startRuntime(config: Config, events: RuntimeEvents): Promise<RunningRuntime> {
  const isEcho = config.agent.mode === 'echo';
  const pack = isEcho ? null : await loadPack(packFolderOf(config.models.pack));
  const runtime = new Runtime(config, events);
  try {
    await runtime.start(pack);
    return runtime;
  } catch (error) {
    await runtime.stop();
    throw error;
  }
}

class Runtime implements RunningRuntime {
  readonly listening: string[] = [];
  readonly #config: Config;
  readonly #events: RuntimeEvents;
  readonly #log: Log;
  readonly #metrics: Metrics = createMetrics();
  readonly #registry: CallRegistry;
  readonly #calls = new Map<number, Call>();
  readonly #audio = new CallAudioStore();
  /** What to close, in the order of starting; stopped in reverse. */
  readonly #closers: (() => Promise<void>)[] = [];
  #sip: SipUserAgent | null = null;
  #web: StatusServer | null = null;
  #engines: RunningEngines | null = null;
  #dependencies: CallDependencies | null = null;

  constructor(config: Config, events: RuntimeEvents) {
    this.#config = config;
    this.#events = events;
    this.#log = createLog(config.log.level);
    this.#registry = new CallRegistry(config.limits.maxCalls);
  }

  get sipPort(): number {
    return this.#sip?.port ?? 0;
  }

  get webPort(): number | null {
    return this.#web?.port ?? null;
  }

  /** @param pack null for an echo, which needs no models */
  async start(pack: ModelPack | null): Promise<void> {
    const sip = await this.#startSip();
    const media = await this.#startMedia();
    await this.#startWeb(sip, media);
    const agent = pack === null ? ({ isEcho: true } as const) : await this.#startAgent(pack);
    this.#dependencies = { ...this.#callSurroundings(media), ...agent };
  }

  async #startAgent(pack: ModelPack): Promise<ConversingAgent> {
    const vad = await VadClient.start({
      model: this.#config.vad.model,
      sileroPath: this.#config.vad.sileroPath,
    });
    this.#closers.push(() => vad.close());
    vad.onEvent((event) => this.#calls.get(event.callId)?.onSpeech(event));
    vad.onDied((message) => {
      this.#metrics.events.inc({ area: 'worker', reason: 'vadDied' });
      this.#log.error({ error: message }, 'the VAD thread died and is replaced');
    });
    const engines = await startEngines(this.#config, pack, { log: this.#log, metrics: this.#metrics });
    this.#closers.push(() => engines.close());
    this.#engines = engines;
    const agent = personaOf(this.#config, pack);
    await preloadPrompts(engines.tts, agent);
    const turnConfig = turnConfigOf(this.#config);
    return { vad, engines, agent, turnConfig, onTurn: (turn) => this.#onTurn(turn) };
  }

  async drain(): Promise<void> {
    const { drainTimeoutMs, retryAfterSeconds } = this.#config.limits;
    this.#registry.startDraining();
    this.#sip?.setDraining(retryAfterSeconds);
    this.#log.info({ activeCalls: this.#registry.activeCalls }, 'draining');
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainTimeoutMs);
    });
    await Promise.race([this.#registry.idle(), timeout]);
    clearTimeout(timer);
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#registry.startDraining();
    await this.#registry.endAll('shutdown');
    for (const close of this.#closers.splice(0).reverse()) {
      await close().catch((error: unknown) =>
        this.#log.error({ error: String(error) }, 'a part did not close'),
      );
    }
  }

  async #startSip(): Promise<SipUserAgent> {
    const { bindAddress, port, advertisedAddress, userAgent } = this.#config.sip;
    const sip = await SipUserAgent.start({
      bindAddress,
      port,
      ...(advertisedAddress === '' ? {} : { advertisedAddress }),
      userAgentName: userAgent,
      onInvite: (invite) => this.#onInvite(invite),
      onCount: (name, reason) => this.#metrics.events.inc({ area: `sip.${name}`, reason }),
    });
    this.#sip = sip;
    this.#closers.push(() => sip.close());
    this.listening.push(`sip udp ${bindAddress}:${sip.port}`);
    return sip;
  }

  async #startMedia(): Promise<MediaSupervisor> {
    const { portFirst, portLast, mediaTimeoutMs } = this.#config.rtp;
    const media = await MediaSupervisor.start({ portFirst, portLast, mediaTimeoutMs });
    this.#closers.push(() => media.close());
    media.onEvent((event) => {
      if (event.kind === 'died') return this.#onMediaDied(event.message);
      this.#calls.get(event.callId)?.onMediaEvent(event);
    });
    this.listening.push(`rtp udp ${this.#config.sip.bindAddress}:${portFirst}-${portLast}`);
    return media;
  }

  async #startWeb(sip: SipUserAgent, media: MediaSupervisor): Promise<void> {
    const { enabled, bindAddress, port } = this.#config.web;
    if (!enabled) return;
    const reporter = new StatusReporter({
      registry: this.#registry,
      audio: this.#audio,
      sip,
      media,
      engines: () => this.#engines,
      isReady: () => this.#dependencies !== null,
      metrics: this.#metrics,
    });
    this.#closers.push(async () => reporter.close());
    const web = await startStatusServer({ bindAddress, port }, reporter);
    this.#web = web;
    this.#closers.push(() => web.close());
    this.listening.push(`http tcp ${bindAddress}:${web.port}`);
  }

  #callSurroundings(media: MediaSupervisor): CallSurroundings {
    return {
      audio: this.#audio,
      media,
      maxCallDurationMs: this.#config.limits.maxCallDurationMs,
      retryAfterSeconds: this.#config.limits.retryAfterSeconds,
      log: this.#log,
      count: (area, reason) => this.#metrics.events.inc({ area, reason }),
      onCallEnded: (call) => this.#onCallEnded(call),
      leave: (callId) => this.#leave(callId),
    };
  }

  #onInvite(invite: IncomingInvite): void {
    const retryAfter = [`Retry-After: ${this.#config.limits.retryAfterSeconds}`];
    if (this.#dependencies === null) return invite.reject(503, 'Starting', retryAfter);
    const admission = this.#registry.admit();
    if (!admission.admitted) {
      this.#metrics.events.inc({ area: 'call', reason: admission.reason });
      return invite.reject(503, 'Service Unavailable', retryAfter);
    }
    const call = new Call(admission.callId, invite, this.#dependencies);
    this.#calls.set(call.id, call);
    this.#registry.add(call);
    this.#metrics.activeCalls.set(this.#registry.activeCalls);
    void call.answer();
  }

  #onMediaDied(message: string): void {
    this.#metrics.events.inc({ area: 'worker', reason: 'mediaDied' });
    this.#log.error({ error: message }, 'the media thread died; its calls end and a new one takes over');
    for (const call of this.#calls.values()) void call.end('error', 'mediaDied');
  }

  #onTurn(turn: TurnReport): void {
    this.#metrics.turns.inc({ outcome: turn.outcome });
    if (turn.rejectedBy !== 'none') this.#metrics.rejectedTranscripts.inc({ guard: turn.rejectedBy });
    for (const [stage, ms] of Object.entries(turn.stagesMs))
      this.#metrics.stageSeconds.observe({ stage }, ms / 1000);
    const { heard, reply, ...rest } = turn;
    this.#log.info({ ...rest, piiHeard: heard, piiReply: reply }, 'turn');
    this.#events.onTurn?.(turn);
  }

  #onCallEnded(call: CallReport): void {
    this.#metrics.calls.inc({ ended_by: call.endedBy });
    this.#log.info(call, 'call ended');
    this.#events.onCallEnded?.(call);
  }

  #leave(callId: number): void {
    this.#calls.delete(callId);
    this.#registry.leave(callId);
    this.#metrics.activeCalls.set(this.#registry.activeCalls);
  }
}

/** Renders what the agent says word for word, so that a greeting costs nothing while many calls arrive. */
async function preloadPrompts(tts: TtsClient, agent: ConversingAgent['agent']): Promise<void> {
  const voicing = { voice: agent.voice, speed: agent.speed, rateHz: LEG_RATE_HZ };
  for (const sentence of promptSentences(agent)) await tts.preload(sentence, voicing);
}
