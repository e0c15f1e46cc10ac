/**
 * What a call hears from a TTS elsewhere: chunks go into the call's ring as part of the reply that waits for them, are
 * kept while a question is on its way, are dropped after a barge-in until the next question was understood, and are played
 * as they come when nobody asked (a greeting by the LLaMA side). Thread: main. Never touches a sample.
 */
import { monotonicMs } from '../../observability/clock.ts';
import type { RingHandle } from '../../ring-buffers/layout.ts';
import { RingController } from '../../ring-buffers/ring.ts';
import type { CancelWord, Spoken } from '../../workers/protocol.ts';
import type { WireAudioClient } from '../audio/wire-audio-client.ts';
import { RemoteReply } from './remote-reply.ts';

export interface RemoteVoiceOptions {
  readonly audio: WireAudioClient;
  /** Names the ring at the wire-audio thread. */
  readonly feedId: number;
  readonly downlink: RingHandle;
  /** Silence that ends a reply. */
  readonly gapMs: number;
  readonly count: (reason: string) => void;
  /** A chunk came whose rate the ring cannot have. */
  readonly onRefused: () => void;
}

export interface RemoteSentence {
  readonly turnId: number;
  readonly epoch: number;
  readonly cancel: CancelWord;
  readonly text: string;
  /** How long the first audio may take. */
  readonly firstAudioMs: number;
}

interface KeptChunk {
  readonly rateHz: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Audio of a question that its reply has not been begun for: then it is played anyway. */
const KEPT_FOR_MS = 1_000;
const MAX_KEPT_BYTES = 8 * 1024 * 1024;
/** A reply that nobody can speak: one frame of silence at 8 kHz, as mu-law, so that the turn ends in order. */
const SILENT_FRAME_BYTES = 161;
const ULAW_SILENCE = 0xff;

export class RemoteVoice {
  readonly #options: RemoteVoiceOptions;
  readonly #controller: RingController;
  readonly #kept: KeptChunk[] = [];
  readonly #audibleWaiters = new Set<() => void>();
  #keptBytes = 0;
  #keptTimer: NodeJS.Timeout | null = null;
  #reply: RemoteReply | null = null;
  #chunksInFlight = 0;
  /** A question is on its way and its reply has not been begun. */
  #isAsked = false;
  #isDiscarding = false;
  /** When the last chunk came, or discarding began. */
  #quietSinceMs = 0;
  /** Something plays that nobody asked for. */
  #isUnasked = false;

  constructor(options: RemoteVoiceOptions) {
    const { audio, feedId, downlink, count, onRefused } = options;
    this.#options = options;
    this.#controller = new RingController(downlink);
    audio.openDownlink(feedId, downlink, {
      onWritten: (chunks, droppedSamples) => {
        this.#chunksInFlight -= chunks;
        if (droppedSamples > 0) count('speechDropped');
      },
      onRefused: () => {
        this.#chunksInFlight -= 1;
        onRefused();
      },
      onLost: () => {
        if (this.#chunksInFlight > 0) count('speechDropped');
        this.#chunksInFlight = 0;
      },
    });
  }

  /** Whether audio for the question has come. */
  get isAudible(): boolean {
    return this.#kept.length > 0 || this.#isUnasked;
  }

  /** Speech goes out that nobody has understood yet: what still comes of a reply that was cut short is no answer to it. */
  expect(): void {
    if (this.#reply?.isWanted === false) this.#reply.close();
    this.#isUnasked = false;
    this.#isAsked = true;
  }

  /** A question is known: what comes from now on is its answer. */
  ask(): void {
    this.expect();
    this.#isDiscarding = false;
  }

  /** @returns whether it is to be heard */
  onChunk(rateHz: number, bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#reply !== null && !this.#reply.isWanted) this.#reply.close();
    if (this.#isStale()) {
      this.#options.count('chunkDiscarded');
      return false;
    }
    if (this.#reply !== null) this.#write(this.#reply.epoch, rateHz, bytes);
    else if (this.#isAsked) this.#keep({ rateHz, bytes });
    else {
      this.#isUnasked = true;
      this.#write(this.#controller.epoch, rateHz, bytes);
    }
    return true;
  }

  /** Resolves when audio for the question has come, or after `limitMs`. @returns whether it has */
  async whenAudible(limitMs: number): Promise<boolean> {
    if (this.isAudible) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limitMs);
    this.#audibleWaiters.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#audibleWaiters.delete(resolve);
    return this.isAudible;
  }

  /** What comes is the audio of this sentence, and of others of its turn. */
  speak(sentence: RemoteSentence): Promise<Spoken> {
    const reply = this.#replyOf(sentence);
    const spoken = reply.add(sentence.text);
    this.#isAsked = false;
    this.#releaseKept(reply.epoch);
    return spoken;
  }

  /** Ends a reply that nobody can speak with one frame of silence. */
  speakSilence(sentence: RemoteSentence): Promise<Spoken> {
    const spoken = this.speak(sentence);
    this.#write(sentence.epoch, 8000, new Uint8Array(SILENT_FRAME_BYTES).fill(ULAW_SILENCE));
    return spoken;
  }

  /** The result of a sentence that was given up before it began. */
  nothingSpoken(): Spoken {
    const { writeIndex } = this.#controller;
    const times = { queueMs: 0, firstAudioMs: 0, leadInMs: 0, computeMs: 0, audioMs: 0 };
    return { kind: 'cancelled', startIndex: writeIndex, endIndex: writeIndex, ...times };
  }

  /** The caller speaks: what nobody asked for gives way. */
  onSpeechStarted(): void {
    if (this.#reply !== null || !this.#isUnasked || this.#controller.playableSamples === 0) return;
    this.#controller.requestFlush();
    this.#isUnasked = false;
    this.#discard();
  }

  close(): void {
    this.#reply?.close();
    if (this.#keptTimer !== null) clearTimeout(this.#keptTimer);
    this.#kept.length = 0;
    for (const wake of this.#audibleWaiters) wake();
    this.#options.audio.closeDownlink(this.#options.feedId);
  }

  #replyOf({ turnId, epoch, cancel, firstAudioMs }: RemoteSentence): RemoteReply {
    const known = this.#reply;
    if (known !== null && known.turnId === turnId && known.epoch === epoch) return known;
    known?.close();
    const { audio, feedId, gapMs } = this.#options;
    const reply: RemoteReply = new RemoteReply({
      turnId,
      epoch,
      cancel,
      controller: this.#controller,
      gapMs,
      firstAudioMs,
      chunksInFlight: () => this.#chunksInFlight,
      finishAudio: () => audio.finishDownlink(feedId, epoch),
      onOver: (how) => this.#onReplyOver(reply, how),
    });
    this.#reply = reply;
    if (this.#isUnasked) reply.onChunk(); // it had begun before anyone waited for it
    this.#isUnasked = false;
    return reply;
  }

  #onReplyOver(reply: RemoteReply, how: 'spoken' | 'cancelled' | 'silent'): void {
    if (this.#reply !== reply) return;
    this.#reply = null;
    this.#isDiscarding = false;
    if (how === 'cancelled') this.#discard();
  }

  #discard(): void {
    this.#isDiscarding = true;
    this.#quietSinceMs = monotonicMs();
  }

  // A Whisper that writes nothing back tells of no question: behind a pause that ends a reply, what comes is the answer.
  #isStale(): boolean {
    const nowMs = monotonicMs();
    if (this.#isAsked && nowMs - this.#quietSinceMs >= this.#options.gapMs) this.#isDiscarding = false;
    this.#quietSinceMs = nowMs;
    return this.#isDiscarding;
  }

  #write(epoch: number, rateHz: number, bytes: Uint8Array<ArrayBuffer>): void {
    const { audio, feedId } = this.#options;
    this.#chunksInFlight += 1;
    this.#reply?.onChunk();
    audio.writeDownlink(feedId, epoch, rateHz, bytes);
  }

  #keep(chunk: KeptChunk): void {
    if (this.#keptBytes + chunk.bytes.length > MAX_KEPT_BYTES) return this.#options.count('speechDropped');
    this.#kept.push(chunk);
    this.#keptBytes += chunk.bytes.length;
    this.#keptTimer ??= setTimeout(() => this.#onKeptTooLong(), KEPT_FOR_MS);
    for (const wake of this.#audibleWaiters) wake();
  }

  #onKeptTooLong(): void {
    this.#keptTimer = null;
    this.#isAsked = false;
    this.#isUnasked = this.#kept.length > 0;
    this.#releaseKept(this.#controller.epoch);
  }

  #releaseKept(epoch: number): void {
    if (this.#keptTimer !== null) clearTimeout(this.#keptTimer);
    this.#keptTimer = null;
    this.#keptBytes = 0;
    for (const { rateHz, bytes } of this.#kept.splice(0)) this.#write(epoch, rateHz, bytes);
  }
}
