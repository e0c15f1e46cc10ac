/**
 * One call at the hearing service: its connection, its frames in order, its place in the state table. It owns its
 * sockets and timers and shares nothing with other calls but the engine's queue. Thread: main.
 */
import type { Socket } from 'node:net';
import type { SpeechToText } from '../../call/ports.ts';
import { messageOf } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import type { CancelWord } from '../../workers/protocol.ts';
import type { WireAudioClient } from '../audio/wire-audio-client.ts';
import { type ControlContext, engineCallId, helloFrame } from '../control-context.ts';
import { type CloseReason, FramedSocket } from '../net/framed-socket.ts';
import type { Frame } from '../wire/frame-reader.ts';
import { byeFrame, LEG_RULES, lengthPrefixed } from '../wire/frames.ts';
import { type HearingAction, type HearingEvent, type HearingState, hearingStep } from './hearing-machine.ts';
import type { TextSink } from './text-sink.ts';
import type { UtteranceTapes } from './utterance-tapes.ts';

export interface HearingParts {
  readonly context: ControlContext;
  readonly whisper: SpeechToText;
  readonly audio: WireAudioClient;
  readonly tapes: UtteranceTapes;
  readonly next: TextSink;
  /** The call is over and holds nothing any more. */
  readonly onEnded: (callId: number) => void;
}

/** Frames that may wait for the engine; then the socket is not read, and the sender waits. */
const MAX_WAITING_FRAMES = 8;
/** Sent where nothing was understood, so that the caller's side need not wait for a text. */
const NOTHING_HEARD = ' ';

export class HearingCall {
  readonly callId: number;
  readonly #parts: HearingParts;
  readonly #cancel: CancelWord = new Int32Array(new SharedArrayBuffer(4));
  readonly #waiting: Uint8Array<ArrayBuffer>[] = [];
  #address: string;
  #state: HearingState = 'dialling';
  #leg: FramedSocket | null = null;
  #giveUpDial: (() => void) | null = null;
  #helloTimer: NodeJS.Timeout | null = null;
  #graceTimer: NodeJS.Timeout | null = null;
  #turnId = 0;
  #isTranscribing = false;

  /** Begins to connect. @param address where the REGISTER came from */
  constructor(callId: number, address: string, parts: HearingParts) {
    this.callId = callId;
    this.#address = address;
    this.#parts = parts;
    this.#dial();
  }

  /** A REGISTER. @returns whether it was news */
  register(address: string): boolean {
    if (hearingStep(this.#state, 'register') === null) return false;
    this.#address = address;
    this.#step('register');
    return true;
  }

  /** BYE by datagram. */
  bye(): void {
    this.#step('bye');
  }

  #step(event: HearingEvent): void {
    const cell = hearingStep(this.#state, event);
    if (cell === null) return;
    this.#state = cell.next;
    for (const action of cell.actions) this.#perform(action);
  }

  #perform(action: HearingAction): void {
    switch (action) {
      case 'dial':
        return this.#dial();
      case 'awaitHello':
        return this.#awaitHello();
      case 'begin':
        return this.#begin();
      case 'startGrace':
        this.#graceTimer = setTimeout(
          () => this.#step('graceElapsed'),
          this.#parts.context.settings.lostGraceMs,
        );
        return;
      case 'end':
        return this.#end();
    }
  }

  #dial(): void {
    const { context } = this.#parts;
    const registeredAtMs = monotonicMs();
    const port = context.settings.inboundPortBase + this.callId;
    this.#giveUpDial = context.dial(
      { host: this.#address, port },
      {
        onConnected: (socket, tookMs) => {
          context.metrics.registerToConnectSeconds.observe((monotonicMs() - registeredAtMs) / 1000);
          context.metrics.connectSeconds.observe({ leg: 'audioIn' }, tookMs / 1000);
          this.#onConnected(socket);
        },
        onFailed: (reason) => {
          this.#giveUpDial = null;
          context.count(reason);
          this.#step('connectFailed');
        },
      },
    );
  }

  #onConnected(socket: Socket): void {
    const { context } = this.#parts;
    this.#giveUpDial = null;
    context.metrics.connections.inc({ leg: 'audioIn' });
    const leg = new FramedSocket(socket, LEG_RULES.audioIn, context.health, {
      onFrame: (frame) => this.#onFrame(frame),
      onClosed: (reason) => this.#onClosed(leg, reason),
    });
    this.#leg = leg;
    // The earlier protocol has only the listener say HELLO: with a secret both sides are ours.
    if (context.identity.isSigned) leg.send(helloFrame(context, this.callId, 'hearing'));
    this.#step('connected');
  }

  #awaitHello(): void {
    const { context } = this.#parts;
    this.#helloTimer = setTimeout(() => this.#refuse('helloTimeout'), context.helloTimeoutMs);
  }

  #onFrame(frame: Frame): void {
    if (frame.kind === 'audio') return this.#onSpeech(frame.bytes);
    if (frame.kind !== 'hello') return;
    const who = this.#parts.context.identity.read('hello', frame.payload);
    if (who === this.callId) this.#step('hello');
    else this.#refuse(typeof who === 'number' ? 'helloMismatch' : who);
  }

  /** Somebody else, or nobody, is behind the port: most likely another call's, whose id is next to this one. */
  #refuse(reason: string): void {
    const { context } = this.#parts;
    context.count(reason);
    context.log.warn({ callId: this.callId, reason }, 'the audio connection of a call was refused');
    this.#leg?.close();
  }

  #begin(): void {
    if (this.#helloTimer !== null) clearTimeout(this.#helloTimer);
    if (this.#graceTimer !== null) clearTimeout(this.#graceTimer);
    this.#parts.next.begin(this.callId);
  }

  #onClosed(leg: FramedSocket, reason: CloseReason): void {
    const { context } = this.#parts;
    context.metrics.connections.dec({ leg: 'audioIn' });
    if (this.#leg !== leg) return;
    this.#leg = null;
    if (this.#helloTimer !== null) clearTimeout(this.#helloTimer);
    if (reason !== 'closedHere') context.count(reason);
    this.#step(reason === 'peerBye' ? 'legBye' : reason === 'closedHere' ? 'helloWrong' : 'legLost');
  }

  #end(): void {
    const { next, onEnded } = this.#parts;
    for (const timer of [this.#helloTimer, this.#graceTimer]) if (timer !== null) clearTimeout(timer);
    this.#giveUpDial?.();
    const leg = this.#leg;
    this.#leg = null;
    leg?.close(byeFrame());
    Atomics.store(this.#cancel, 0, 2 ** 31 - 1);
    this.#waiting.length = 0;
    next.end(this.callId);
    onEnded(this.callId);
  }

  // ---- speech -------------------------------------------------------------------------------------------

  #onSpeech(bytes: Uint8Array<ArrayBuffer>): void {
    this.#waiting.push(bytes);
    if (this.#waiting.length >= MAX_WAITING_FRAMES) this.#leg?.setPaused(true);
    if (!this.#isTranscribing) void this.#transcribeAll();
  }

  async #transcribeAll(): Promise<void> {
    this.#isTranscribing = true;
    for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
      this.#leg?.setPaused(false);
      const text = await this.#transcribe(bytes);
      if (this.#state === 'ended') return;
      this.#leg?.send(lengthPrefixed(text || NOTHING_HEARD));
      if (text !== '') this.#parts.next.text(this.callId, text);
    }
    this.#isTranscribing = false;
  }

  /** @returns '' when nothing was understood, or the engine failed */
  async #transcribe(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const { context, whisper, audio, tapes } = this.#parts;
    const uplink = await tapes.take();
    try {
      if (this.#state === 'ended') return '';
      const range = await audio.storeSpeech(uplink, bytes);
      this.#turnId += 1;
      const task = { callId: engineCallId(this.callId), turnId: this.#turnId, uplink, cancel: this.#cancel };
      const { fromSample, toSample } = range;
      const heard = await whisper.transcribe({ ...task, fromSample, toSample });
      return heard.kind === 'transcript' ? heard.text.trim() : '';
    } catch (error) {
      context.count('transcriptionFailed');
      context.log.warn(
        { callId: this.callId, error: messageOf(error) },
        'speech of an outside call was lost',
      );
      return '';
    } finally {
      tapes.giveBack(uplink);
    }
  }
}
