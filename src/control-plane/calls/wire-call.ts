/**
 * One of our own calls as its neighbours elsewhere see it: an id, the ports and links that its missing roles need, and
 * what arrives by them. Opened before the call is answered, closed with it; everything it holds is closed in one place.
 * Thread: main.
 */
import type { Socket } from 'node:dgram';
import type { CallAudio } from '../../call/call-audio.ts';
import { monotonicMs } from '../../observability/clock.ts';
import type { WireAudioClient } from '../audio/wire-audio-client.ts';
import type { ControlContext } from '../control-context.ts';
import type { Endpoint } from '../net/transport.ts';
import type { Routes } from '../routes.ts';
import type { TextLinks } from '../services/text-links.ts';
import { Arrivals } from './arrivals.ts';
import { Beacon } from './beacon.ts';
import { InboundPort } from './inbound-port.ts';
import { OutboundPort } from './outbound-port.ts';
import { RemoteVoice } from './remote-voice.ts';
import type { UnaskedSpeech } from './unasked-speech.ts';

export interface WireCallOptions {
  readonly context: ControlContext;
  readonly routes: Routes;
  /** The number of the call in this process. */
  readonly callId: number;
  /** Its id on the wire. */
  readonly wireId: number;
  readonly callAudio: CallAudio;
  readonly audio: WireAudioClient;
  readonly socket: Socket;
  readonly llamaLinks: TextLinks;
  readonly ttsLinks: TextLinks;
  /** What speaks texts that nobody asked for; null where the voice is elsewhere. */
  readonly unasked: UnaskedSpeech | null;
}

export class WireCall {
  readonly wireId: number;
  readonly callAudio: CallAudio;
  /** Set where the TTS is elsewhere. */
  readonly voice: RemoteVoice | null;
  /** What the Whisper elsewhere understood. */
  readonly transcripts = new Arrivals();
  /** What the LLaMA elsewhere answers, where the voice is here. */
  readonly replies = new Arrivals();
  inbound: InboundPort | null = null;
  readonly #options: WireCallOptions;
  #outbound: OutboundPort | null = null;
  #questions = 0;
  #isAsked = false;
  #downstreamAtMs = Number.NEGATIVE_INFINITY;

  private constructor(options: WireCallOptions) {
    const { routes, audio, callId, callAudio, context } = options;
    this.#options = options;
    this.wireId = options.wireId;
    this.callAudio = callAudio;
    const voiceOptions = {
      audio,
      feedId: callId,
      downlink: callAudio.downlink,
      gapMs: context.settings.replyGapMs,
      count: context.count,
      onRefused: () => this.#outbound?.refuse('rateRefused'),
    };
    this.voice = routes.ownOutbound ? new RemoteVoice(voiceOptions) : null;
  }

  /** Binds the ports, then registers and connects. @throws WildfireError PORT_IN_USE when another has a port */
  static async open(options: WireCallOptions): Promise<WireCall> {
    const call = new WireCall(options);
    try {
      await call.#listen();
    } catch (error) {
      await call.close();
      throw error;
    }
    call.inbound?.activate();
    call.#outbound?.activate();
    if (options.routes.ownLlamaLink) options.llamaLinks.begin(call.wireId);
    if (options.routes.ownTtsLink) options.ttsLinks.begin(call.wireId);
    return call;
  }

  get callId(): number {
    return this.#options.callId;
  }

  /** Speech goes out: whether it asks anything, the Whisper elsewhere will tell. @returns the number of the question */
  expect(): number {
    this.voice?.expect();
    this.replies.release();
    this.replies.clear();
    this.#isAsked = true;
    this.#questions += 1;
    return this.#questions;
  }

  /** A question goes out by whatever road there is. @returns its number */
  ask(): number {
    const question = this.expect();
    this.onUnderstood();
    return question;
  }

  /** The question is known: what is said from now on is the answer. */
  onUnderstood(): void {
    this.voice?.ask();
  }

  /** Whether an answer is waited for. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  get question(): number {
    return this.#questions;
  }

  /** The question has its answer, or will have none: what comes now nobody asked for. */
  settle(question: number): void {
    if (question === this.#questions) this.#isAsked = false;
  }

  /** By the call's link, which is made now where Whisper's is the usual way. */
  askLlama(text: string): void {
    this.#options.llamaLinks.text(this.wireId, text);
  }

  speakElsewhere(text: string): void {
    this.#options.ttsLinks.text(this.wireId, text);
  }

  /** No answer came by way of a link of ours: whoever was behind it may be gone. */
  renewLink(name: 'llama' | 'tts'): void {
    const { llamaLinks, ttsLinks } = this.#options;
    (name === 'llama' ? llamaLinks : ttsLinks).renew(this.wireId);
  }

  /** Text of the caller came by 8083: from the Whisper elsewhere. */
  onCallerText(text: string): void {
    if (!this.transcripts.push(text)) this.#options.context.count('textDropped');
  }

  /** Text to speak came by 8090: from the LLaMA elsewhere. */
  onReplyText(text: string): void {
    this.#downstreamAtMs = monotonicMs();
    this.transcripts.release(); // whoever answers has understood
    if (this.#isAsked) this.replies.push(text);
    else if (this.#options.unasked !== null) this.#options.unasked.say(text);
    else this.#options.context.count('textDropped');
  }

  /** Whether an answer has begun to arrive since `sinceMs`. */
  isAnsweredSince(sinceMs: number): boolean {
    return this.#downstreamAtMs >= sinceMs;
  }

  /** The caller began to speak. */
  onSpeechStarted(): void {
    this.voice?.onSpeechStarted();
    this.#options.unasked?.onSpeechStarted();
  }

  /** Safe to call more than once. */
  async close(): Promise<void> {
    const { llamaLinks, ttsLinks } = this.#options;
    const ports = [this.inbound?.close(), this.#outbound?.close()];
    this.inbound = null;
    this.#outbound = null;
    llamaLinks.end(this.wireId);
    ttsLinks.end(this.wireId);
    this.voice?.close();
    this.transcripts.release();
    this.replies.release();
    this.#options.unasked?.close();
    await Promise.all(ports);
  }

  async #listen(): Promise<void> {
    const { context, routes, wireId } = this.#options;
    const { whisperHost, whisperPort, ttsHost, ttsRegisterPort } = context.settings;
    if (routes.ownInbound) {
      this.inbound = await InboundPort.listen({
        context,
        callId: wireId,
        beacon: this.#beacon({ host: whisperHost, port: whisperPort }),
        onText: (text) => this.#onWrittenBack(text),
      });
    }
    if (routes.ownOutbound) {
      this.#outbound = await OutboundPort.listen({
        context,
        callId: wireId,
        beacon: this.#beacon({ host: ttsHost, port: ttsRegisterPort }),
        onChunk: (rateHz, bytes) => this.#onChunk(rateHz, bytes),
      });
    }
  }

  #beacon(endpoint: Endpoint): Beacon {
    const { context, socket, wireId } = this.#options;
    return new Beacon({ context, socket, endpoint, callId: wireId });
  }

  #onChunk(rateHz: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (this.voice?.onChunk(rateHz, bytes) !== true) return;
    this.#downstreamAtMs = monotonicMs();
    // Whoever answers has understood; but our own language model answers nothing before it has the text.
    if (!this.#options.routes.takesCallerText) this.transcripts.release();
  }

  // With our own language model the text comes by 8083, and here only whether there is one.
  #onWrittenBack(text: string): void {
    const isByLlamaPort = this.#options.routes.takesCallerText;
    if (!isByLlamaPort || text.trim() === '') this.onCallerText(text);
  }
}
