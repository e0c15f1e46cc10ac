/**
 * One running Wildfire: builds every part, wires them, starts and stops them in order. Thread: main.
 * Starting: cheap things that can fail for the user's reasons first (pack, ports), models last. Stopping: calls
 * first, then what they used.
 */

import { Call } from '../call/call.ts';
import { CallAudioStore } from '../call/call-audio.ts';
import type {
  AgentPersona,
  CallDependencies,
  CallSurroundings,
  ConversingAgent,
} from '../call/call-dependencies.ts';
import { CallRegistry } from '../call/call-registry.ts';
import { MAX_HISTORY_CHARS } from '../call/conversation.ts';
import type { CallReport, TurnReport } from '../call/reports.ts';
import type { RunningRuntime, RuntimeOptions } from '../cli/runtime-starter.ts';
import type { Config } from '../config/schema.ts';
import { ControlPlane, type ControlPlaneOptions, type ControlPorts } from '../control-plane/control-plane.ts';
import { ROLES, type Role, routesOf, usesWire } from '../control-plane/routes.ts';
import { WildfireError } from '../errors.ts';
import { loadPack, type ModelPack } from '../models/pack.ts';
import { packFolderOf } from '../models/pack-folders.ts';
import { createControlMetrics } from '../observability/control-metrics.ts';
import { createLog, type Log } from '../observability/log.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { type IncomingInvite, SipUserAgent } from '../sip/user-agent.ts';
import type { StoreClient } from '../store/store-client.ts';
import { type StatusServer, startStatusServer } from '../web/status-server.ts';
import { collectInQuietMoments } from '../workers/idle-collector.ts';
import type { TtsClient } from '../workers/tts/tts-client.ts';
import { VadClient } from '../workers/vad/vad-client.ts';
import { startStore } from './call-store.ts';
import { awakeOutsideCalls, type RunningEngines, startEngines } from './engines.ts';
import { raiseMainThread } from './main-priority.ts';
import { MediaSupervisor } from './media-supervisor.ts';
import { personaOf, promptSentences, spokenHere, turnConfigOf } from './persona.ts';
import { StatusReporter } from './status-reporter.ts';

/** Rate of the samples on a G.711 leg. */
const LEG_RATE_HZ = 8000;

/** Builds and starts a runtime. @throws WildfireError CONFIG_INVALID, MODEL_*, PORT_IN_USE; nothing is left running */
export async function startRuntime(
  config: Config,
  options: RuntimeOptions,
  parts: ReplaceableParts = {},
): Promise<RunningRuntime> {
  const isEcho = config.agent.mode === 'echo';
  const pack = isEcho ? null : await loadPack(packFolderOf(config.models.pack));
  const runtime = new Runtime(config, { ...options, ...parts });
  try {
    await runtime.start(pack);
    return runtime;
  } catch (error) {
    await runtime.stop();
    throw error;
  }
}

/** What tests of faults put in the place of our own. */
export type ReplaceableParts = Pick<ControlPlaneOptions, 'wrapTransport'>;

class Runtime implements RunningRuntime {
  readonly listening: string[] = [];
  readonly #config: Config;
  readonly #options: RuntimeOptions & ReplaceableParts;
  readonly #roles: ReadonlySet<Role>;
  readonly #log: Log;
  readonly #metrics: Metrics = createMetrics();
  readonly #registry: CallRegistry;
  readonly #calls = new Map<number, Call>();
  readonly #audio = new CallAudioStore();
  /** What to close, in the order of starting; stopped in reverse. */
  readonly #closers: (() => Promise<void>)[] = [];
  #sip: SipUserAgent | null = null;
  #store: StoreClient | null = null;
  #web: StatusServer | null = null;
  #reporter: StatusReporter | null = null;
  #engines: RunningEngines | null = null;
  #control: ControlPlane | null = null;
  #dependencies: CallDependencies | null = null;
  #isReady = false;

  constructor(config: Config, options: RuntimeOptions & ReplaceableParts) {
    this.#config = config;
    this.#options = options;
    this.#roles = options.roles ?? new Set(ROLES);
    this.#log = createLog(config.log.level, (reason, lines) =>
      this.#metrics.events.inc({ area: 'log', reason }, lines),
    );
    this.#registry = new CallRegistry(config.limits.maxCalls);
  }

  get sipPort(): number {
    return this.#sip?.port ?? 0;
  }

  get webPort(): number | null {
    return this.#web?.port ?? null;
  }

  get controlPorts(): ControlPorts | null {
    return this.#control?.ports ?? null;
  }

  /** @param pack null for an echo, which needs no models and serves nobody but callers */
  async start(pack: ModelPack | null): Promise<void> {
    const answers = pack === null || this.#roles.has('sip');
    if (answers) await this.#startStore();
    const sip = answers ? await this.#startSip() : null;
    const media = answers ? await this.#startMedia() : null;
    await this.#startWeb(sip, media);
    const agent = pack === null ? ({ isEcho: true } as const) : await this.#startAgent(pack, answers);
    if (media !== null && agent !== null) this.#dependencies = { ...this.#callSurroundings(media), ...agent };
    this.#isReady = true;
    this.#sip?.setUnavailable(undefined);
    raiseMainThread(media !== null);
    const stopCollecting = collectInQuietMoments();
    this.#closers.push(async () => stopCollecting());
    this.#reporter?.onReady();
  }

  /** @returns null where no calls are answered */
  async #startAgent(pack: ModelPack, answers: boolean): Promise<ConversingAgent | null> {
    const vad = answers ? await this.#startVad() : null;
    const sinks = { log: this.#log, metrics: this.#metrics, roles: this.#roles };
    const engines = await startEngines(this.#config, pack, sinks);
    this.#closers.push(() => engines.close());
    const agent = personaOf(this.#config, pack);
    if (answers && engines.tts !== undefined) await preloadPrompts(engines.tts, agent);
    this.#control = await this.#startControl(engines, agent);
    this.#engines = engines;
    return vad && this.#conversingAgent(vad, engines, agent);
  }

  async drain(): Promise<void> {
    const { drainTimeoutMs, retryAfterSeconds } = this.#config.limits;
    this.#registry.startDraining();
    this.#sip?.setUnavailable({ reason: 'draining', retryAfterS: retryAfterSeconds });
    this.#log.info({ activeCalls: this.#registry.activeCalls }, 'draining');
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainTimeoutMs);
    });
    const finished = Promise.all([this.#registry.idle(), this.#control?.drained()]);
    await Promise.race([finished, timeout]);
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

  /** First, and so closed last: the reports of the calls that a stop ends are kept, too. */
  async #startStore(): Promise<void> {
    const store = await startStore(this.#config, { log: this.#log, metrics: this.#metrics });
    this.#store = store;
    if (store !== null) this.#closers.push(() => store.close());
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
    // Whoever pings with OPTIONS must not send calls before the models are loaded.
    sip.setUnavailable({ reason: 'starting', retryAfterS: this.#config.limits.retryAfterSeconds });
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

  async #startVad(): Promise<VadClient> {
    const { model, sileroPath } = this.#config.vad;
    const vad = await VadClient.start({ model, sileroPath });
    this.#closers.push(() => vad.close());
    vad.onEvent((event) => {
      if (event.kind === 'speechStarted') this.#control?.calls?.onSpeechStarted(event.callId);
      this.#calls.get(event.callId)?.onSpeech(event);
    });
    vad.onDied((message) => {
      this.#metrics.events.inc({ area: 'worker', reason: 'vadDied' });
      this.#log.error({ error: message }, 'the VAD thread died and is replaced');
    });
    return vad;
  }

  /** After the models: whoever registers is served at once. */
  async #startControl(engines: RunningEngines, agent: AgentPersona): Promise<ControlPlane | null> {
    const { control: settings } = this.#config;
    const roles = this.#roles;
    const { wrapTransport } = this.#options;
    const routes = routesOf(roles, settings.listen);
    if (!usesWire(routes)) return null;
    const control = await ControlPlane.start({
      settings,
      routes,
      engines,
      hasCalls: roles.has('sip'),
      persona: {
        ...agent,
        rateHz: engines.tts?.description.modelRateHz ?? LEG_RATE_HZ,
        maxHistoryChars: MAX_HISTORY_CHARS,
        maxAwake: awakeOutsideCalls(this.#config, roles),
      },
      metrics: createControlMetrics(this.#metrics.registry),
      log: this.#log,
      count: (reason) => this.#metrics.events.inc({ area: 'control', reason }),
      wrapTransport,
    });
    this.#closers.push(() => control.close());
    this.listening.push(...control.listening);
    return control;
  }

  async #startWeb(sip: SipUserAgent | null, media: MediaSupervisor | null): Promise<void> {
    const { enabled, bindAddress, port } = this.#config.web;
    if (!enabled) return;
    const reporter = new StatusReporter({
      listening: this.listening,
      registry: this.#registry,
      audio: this.#audio,
      sip,
      media,
      engines: () => this.#engines,
      isReady: () => this.#isReady,
      control: () => this.#control,
      store: this.#store,
      metrics: this.#metrics,
    });
    this.#reporter = reporter;
    this.#closers.push(async () => reporter.close());
    const web = await startStatusServer({ bindAddress, port }, reporter, this.#store);
    this.#web = web;
    this.#closers.push(() => web.close());
    this.listening.push(`http tcp ${bindAddress}:${web.port}`);
  }

  #conversingAgent(vad: VadClient, here: RunningEngines, agent: AgentPersona): ConversingAgent {
    const calls = this.#control?.calls ?? null;
    const { whisper, llama, tts } = here;
    const local = whisper && llama && tts && { whisper, llama, tts };
    const engines = calls?.engines ?? local;
    if (engines === undefined) throw new WildfireError('INVALID_STATE', 'calls have no engines');
    return {
      vad,
      wire: this.#isSplit ? calls : null,
      engines,
      agent: spokenHere(agent, this.#config, this.#roles),
      turnConfig: turnConfigOf(this.#config, this.#roles),
      onTurn: (turn) => this.#onTurn(turn),
    };
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

  /** Whether a role that calls need runs elsewhere. */
  get #isSplit(): boolean {
    return ['whisper', 'llama', 'tts'].some((role) => !this.#roles.has(role as Role));
  }

  #onInvite(invite: IncomingInvite): void {
    if (this.#dependencies === null) return invite.reject(503); // not before the user agent lets calls in
    const admission = this.#registry.admit();
    if (!admission.admitted) {
      const retryAfter = [`Retry-After: ${this.#config.limits.retryAfterSeconds}`];
      this.#metrics.events.inc({ area: 'call', reason: admission.reason });
      return invite.reject(503, 'Service Unavailable', retryAfter);
    }
    const call = new Call(admission.callId, invite, this.#dependencies);
    this.#calls.set(call.id, call);
    this.#registry.add(call);
    this.#store?.callStarted(call.id, call.sipCallId);
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
    this.#store?.keepTurn(turn);
    this.#options.onTurn?.(turn);
  }

  #onCallEnded(call: CallReport): void {
    this.#metrics.calls.inc({ ended_by: call.endedBy });
    this.#log.info(call, 'call ended');
    this.#store?.keepCall(call);
    this.#options.onCallEnded?.(call);
  }

  #leave(callId: number): void {
    this.#calls.delete(callId);
    this.#registry.leave(callId);
    this.#metrics.activeCalls.set(this.#registry.activeCalls);
  }
}

/** Renders what the agent says word for word, so that a greeting costs nothing while many calls arrive. */
async function preloadPrompts(tts: TtsClient, agent: AgentPersona): Promise<void> {
  const voicing = { voice: agent.voice, speed: agent.speed, rateHz: LEG_RATE_HZ };
  for (const sentence of promptSentences(agent)) await tts.preload(sentence, voicing);
}
