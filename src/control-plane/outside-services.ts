/**
 * The services that a process offers to outside parties, wired to each other where they are neighbours here and to links
 * where they are not. Thread: main. Part of the composition of the control plane.
 */
import type { Engines } from '../call/ports.ts';
import type { WireAudioClient } from './audio/wire-audio-client.ts';
import type { WireCalls } from './calls/wire-calls.ts';
import type { ControlContext } from './control-context.ts';
import type { Routes } from './routes.ts';
import { HearingService } from './services/hearing-service.ts';
import { SpeakingService } from './services/speaking-service.ts';
import { TextLinks } from './services/text-links.ts';
import type { TextSink } from './services/text-sink.ts';
import { ThinkingService } from './services/thinking-service.ts';
import { UtteranceTapes } from './services/utterance-tapes.ts';

/** What the services say and how. */
export interface ServiceVoice {
  readonly systemPrompt: string;
  readonly greeting: string;
  readonly voice: string;
  readonly speed: number;
  /** Rate of speech on the wire. */
  readonly rateHz: number;
  /** Characters of history that the language model gets. */
  readonly maxHistoryChars: number;
  /** Outside calls that the language model may hold in its memory at once. */
  readonly maxAwake: number;
}

export interface OutsideOptions {
  readonly context: ControlContext;
  readonly routes: Routes;
  readonly engines: Partial<Engines>;
  readonly audio: WireAudioClient;
  readonly persona: ServiceVoice;
  /** Our own calls, whose text may come by the same ports; null without the sip role. */
  readonly calls: WireCalls | null;
}

export interface OutsideServices {
  readonly hearing: HearingService | null;
  readonly thinking: ThinkingService | null;
  readonly speaking: SpeakingService | null;
  /** Where text of port 8083, and of 8090, goes. */
  readonly callerText: TextSink | null;
  readonly replyText: TextSink | null;
  /** Links that stand for services elsewhere. */
  readonly links: readonly TextLinks[];
}

/** Makes the services that `routes` ask for. */
export function makeServices(options: OutsideOptions): OutsideServices {
  const { context, routes, engines, audio, persona, calls } = options;
  const { settings } = context;
  const links: TextLinks[] = [];
  const link = (leg: 'text8083' | 'text8090', host: string, port: number): TextLinks => {
    const made = new TextLinks(context, leg, { host, port });
    links.push(made);
    return made;
  };
  const speaking = engines.tts && new SpeakingService({ ...persona, context, tts: engines.tts, audio });
  const thinking =
    engines.llama &&
    new ThinkingService({
      ...persona,
      context,
      llama: engines.llama,
      greeting: settings.greet ? persona.greeting : '',
      next: speaking ?? link('text8090', settings.ttsHost, settings.ttsPort),
    });
  const tapes = new UtteranceTapes();
  const hearing =
    engines.whisper &&
    routes.hearsOutside &&
    new HearingService({
      context,
      whisper: engines.whisper,
      audio,
      tapes,
      next: thinking ?? link('text8083', settings.llamaHost, settings.llamaPort),
    });
  return {
    hearing: hearing || null,
    thinking: thinking ?? null,
    speaking: speaking ?? null,
    callerText: thinking === undefined ? null : (calls?.divert('onCallerText', thinking) ?? thinking),
    replyText: speaking === undefined ? null : (calls?.divert('onReplyText', speaking) ?? speaking),
    links,
  };
}
