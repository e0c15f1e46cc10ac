/**
 * The voice of one outside call: texts become sentences in a ring, by the engine that all calls share, and leave the
 * ring as chunks. Thread: main; samples are touched by the TTS and wire-audio threads only.
 */
import type { TextToSpeech } from '../../call/ports.ts';
import { messageOf } from '../../errors.ts';
import type { RingHandle } from '../../ring-buffers/layout.ts';
import { RingController } from '../../ring-buffers/ring.ts';
import { splitSentences } from '../../turn/sentence-splitter.ts';
import type { CancelWord } from '../../workers/protocol.ts';
import type { WireAudioClient } from '../audio/wire-audio-client.ts';
import { type ControlContext, engineCallId } from '../control-context.ts';
import type { Endpoint } from '../net/transport.ts';
import { ChunkLink } from './chunk-link.ts';

export interface SpeakingParts {
  readonly context: ControlContext;
  readonly tts: TextToSpeech;
  readonly audio: WireAudioClient;
  readonly voice: string;
  readonly speed: number;
  /** Rate of the samples on the wire. */
  readonly rateHz: number;
}

export interface SpeakingCallOptions extends SpeakingParts {
  readonly callId: number;
  /** Names the ring at the wire-audio thread; never used twice, as ids of calls may be. */
  readonly sourceId: number;
  readonly ring: RingHandle;
  readonly endpoint: () => Endpoint;
}

/** Sentences that may wait for the engine; more are dropped: nobody listens to minutes of backlog. */
const MAX_WAITING_SENTENCES = 64;
const TURN_ID = 1;

export class SpeakingCall {
  readonly #options: SpeakingCallOptions;
  readonly #link: ChunkLink;
  readonly #epoch: number;
  readonly #cancel: CancelWord = new Int32Array(new SharedArrayBuffer(4));
  readonly #sentences = new Set<Promise<void>>();
  /** Called when everything has been handed to the link. */
  #onSpokenOut: (() => void) | null = null;
  #isSourceActive = false;
  #isCancelled = false;

  constructor(options: SpeakingCallOptions) {
    const { context, callId, sourceId, ring, audio, rateHz, endpoint } = options;
    this.#options = options;
    this.#epoch = new RingController(ring).epoch;
    this.#link = new ChunkLink({ context, callId, rateHz, endpoint });
    const chunkSamples = Math.max(1, Math.round((context.settings.chunkMs * rateHz) / 1000));
    audio.openSource(sourceId, ring, chunkSamples, {
      onChunk: (bytes) => this.#link.add(bytes),
      onDrained: () => this.#onDrained(),
    });
  }

  get callId(): number {
    return this.#options.callId;
  }

  get ring(): RingHandle {
    return this.#options.ring;
  }

  onReadiness(): void {
    this.#link.onReadiness();
  }

  /** Speaks after what was given before. */
  say(text: string): void {
    this.#link.want();
    for (const sentence of splitSentences(text)) this.#speak(sentence);
  }

  /** Nothing more is spoken: what waits is dropped. */
  cancel(): void {
    Atomics.store(this.#cancel, 0, TURN_ID);
    this.#isCancelled = true;
    this.#onSpokenOut?.();
    this.#link.close();
  }

  /** Ends after what was given so far. Resolves when neither engine nor ring is used any more. */
  async close(): Promise<void> {
    while (this.#sentences.size > 0) await Promise.allSettled(this.#sentences);
    if (!this.#isCancelled) await this.#drained();
    if (!this.#isCancelled) await this.#link.sentOut();
    const closed = this.#options.audio.closeSource(this.#options.sourceId);
    this.#link.close();
    await closed;
  }

  #speak(sentence: string): void {
    const { context, callId, tts, voice, speed, ring } = this.#options;
    if (sentence.trim() === '') return;
    if (this.#sentences.size >= MAX_WAITING_SENTENCES) return context.count('sentenceDropped');
    this.#setSourceActive(true);
    const task = { sentence, voice, speed, downlink: ring, epoch: this.#epoch, cancel: this.#cancel };
    const spoken = tts.speak({ callId: engineCallId(callId), turnId: TURN_ID, ...task }).then(
      () => {},
      (error: unknown) => {
        context.count('sentenceFailed');
        context.log.warn({ callId, error: messageOf(error) }, 'a sentence of an outside call was lost');
      },
    );
    this.#sentences.add(spoken);
    void spoken.then(() => {
      this.#sentences.delete(spoken);
      if (this.#sentences.size === 0) this.#setSourceActive(false);
    });
  }

  #setSourceActive(isActive: boolean): void {
    this.#isSourceActive = isActive;
    this.#options.audio.setSourceActive(this.#options.sourceId, isActive);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSpokenOut = resolve;
      this.#setSourceActive(false); // answered by onDrained, behind every chunk
    });
  }

  #onDrained(): void {
    if (this.#isSourceActive) return;
    this.#onSpokenOut?.();
  }
}
