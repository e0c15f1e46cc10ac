/**
 * Our own calls on the wire: gives each an id whose two ports are really free, finds them by number and by id, and hands
 * text that comes for one of them on to it. Thread: main.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { CallAudio } from '../../call/call-audio.ts';
import type { Engines } from '../../call/ports.ts';
import { messageOf, WildfireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import type { WireAudioClient } from '../audio/wire-audio-client.ts';
import type { ControlContext } from '../control-context.ts';
import type { Routes } from '../routes.ts';
import { TextLinks } from '../services/text-links.ts';
import type { TextSink } from '../services/text-sink.ts';
import { CallIds } from '../wire/call-ids.ts';
import { enginesFor } from './remote-engines.ts';
import { UnaskedSpeech } from './unasked-speech.ts';
import { WireCall } from './wire-call.ts';

export interface WireCallsOptions {
  readonly context: ControlContext;
  readonly routes: Routes;
  readonly audio: WireAudioClient;
  /** The engines that are here. */
  readonly local: Partial<Engines>;
  readonly voice: string;
  readonly speed: number;
}

/** Ids whose ports turn out to be taken before a call is given up. */
const OPEN_ATTEMPTS = 32;
/** Long enough for what is still on its way to an ended call. */
const REST_MS = 10_000;
const FIRST_EPHEMERAL_PORT = 32_768;

export class WireCalls {
  /** What calls use to hear, think and speak. */
  readonly engines: Engines;
  readonly #options: WireCallsOptions;
  readonly #ids: CallIds;
  readonly #socket: Socket;
  readonly #byCallId = new Map<number, WireCall>();
  readonly #byWireId = new Map<number, WireCall>();
  readonly #llamaLinks: TextLinks;
  readonly #ttsLinks: TextLinks;

  constructor(options: WireCallsOptions) {
    const { context, local, routes, audio } = options;
    const { settings } = context;
    this.#options = options;
    this.#ids = new CallIds({
      inboundPortBase: settings.inboundPortBase,
      outboundPortBase: settings.outboundPortBase,
      reservedPorts: [settings.whisperPort, settings.ttsRegisterPort, settings.llamaPort, settings.ttsPort],
      firstId: settings.firstCallId || randomEvenId(settings, context.random()),
      restMs: REST_MS,
      nowMs: monotonicMs,
    });
    this.#socket = createSocket(isIPv6(settings.whisperHost) || isIPv6(settings.ttsHost) ? 'udp6' : 'udp4');
    this.#socket.on('error', () => context.count('datagramNotSent'));
    this.#llamaLinks = new TextLinks(context, 'text8083', {
      host: settings.llamaHost,
      port: settings.llamaPort,
    });
    this.#ttsLinks = new TextLinks(context, 'text8090', { host: settings.ttsHost, port: settings.ttsPort });
    this.engines = enginesFor({
      settings,
      routes,
      audio,
      local,
      callOf: (callId) => this.#callOf(callId),
    });
  }

  get size(): number {
    return this.#byCallId.size;
  }

  /** Whether one of our own calls has this id on the wire. */
  has(wireId: number): boolean {
    return this.#byWireId.has(wireId);
  }

  /** Ids that calls hold. */
  get idsInUse(): number {
    return this.#ids.inUse;
  }

  /**
   * Binds the ports of a call and registers it.
   * @throws WildfireError PORT_POOL_EMPTY (retryable) when no id with free ports is left
   */
  async open(callId: number, callAudio: CallAudio): Promise<void> {
    for (let attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
      const wireId = this.#ids.take();
      try {
        const call = await WireCall.open({
          ...this.#options,
          callId,
          wireId,
          callAudio,
          socket: this.#socket,
          llamaLinks: this.#llamaLinks,
          ttsLinks: this.#ttsLinks,
          unasked: this.#unaskedSpeech(callId, callAudio),
        });
        this.#byCallId.set(callId, call);
        this.#byWireId.set(wireId, call);
        return;
      } catch (error) {
        this.#ids.giveBack(wireId);
        if (!(error instanceof WildfireError) || error.code !== 'PORT_IN_USE') throw error;
        this.#reportTaken(wireId, error);
      }
    }
    throw new WildfireError(
      'PORT_POOL_EMPTY',
      `${OPEN_ATTEMPTS} call ids in a row have ports that others hold`,
      {
        retryable: true,
      },
    );
  }

  async close(callId: number): Promise<void> {
    const call = this.#byCallId.get(callId);
    if (call === undefined) return;
    this.#byCallId.delete(callId);
    this.#byWireId.delete(call.wireId);
    await call.close();
    this.#ids.giveBack(call.wireId);
  }

  onSpeechStarted(callId: number): void {
    this.#byCallId.get(callId)?.onSpeechStarted();
  }

  /** A sink that keeps what is for one of our own calls and lets the rest pass. */
  divert(take: 'onCallerText' | 'onReplyText', others: TextSink): TextSink {
    const calls = this.#byWireId;
    return {
      begin: (wireId) => (calls.has(wireId) ? undefined : others.begin(wireId)),
      text: (wireId, text) => {
        const call = calls.get(wireId);
        if (call === undefined) others.text(wireId, text);
        else call[take](text);
      },
      end: (wireId) => (calls.has(wireId) ? undefined : others.end(wireId)),
    };
  }

  async shutDown(): Promise<void> {
    await Promise.all([...this.#byCallId.keys()].map((callId) => this.close(callId)));
    this.#llamaLinks.close();
    this.#ttsLinks.close();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #callOf(callId: number): WireCall {
    const call = this.#byCallId.get(callId);
    if (call === undefined)
      throw new WildfireError('INVALID_STATE', `call ${callId} has no ports on the wire`);
    return call;
  }

  #unaskedSpeech(callId: number, { downlink }: CallAudio): UnaskedSpeech | null {
    const { context, local, voice, speed } = this.#options;
    const { tts } = local;
    if (tts === undefined) return null;
    const onFailed = (error: unknown): void => {
      context.count('sentenceFailed');
      context.log.warn({ callId, error: messageOf(error) }, 'a text that nobody asked for was not spoken');
    };
    return new UnaskedSpeech({ callId, downlink, tts, voice, speed, onFailed });
  }

  #reportTaken(wireId: number, error: WildfireError): void {
    const { context } = this.#options;
    context.count('idCollision');
    const { port } = error.context;
    context.log.error(
      { wireId, port: port ?? 0 },
      `call id ${wireId} is skipped: ${error.message}; ids of other programs on this box must keep two apart from ours`,
    );
  }
}

/**
 * Anywhere below the ports that systems hand out by themselves (32768 and up), so that a process that was started anew
 * does not meet the calls of its past.
 */
function randomEvenId({ outboundPortBase }: { outboundPortBase: number }, random: number): number {
  const ids = Math.max(2, FIRST_EPHEMERAL_PORT - 1 - outboundPortBase);
  return 2 * (1 + Math.floor((random * (ids - 2)) / 2));
}
