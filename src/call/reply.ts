/**
 * One reply on its way to the caller: sentences go to the TTS in order as they come, their places in the downlink
 * ring go to the transcript, and the reply is done when all of it was written and played.
 * Thread: main. Walk: turn steps 7 to 11.
 */
import type { RingHandle } from '../ring-buffers/layout.ts';
import { signedDistance } from '../ring-buffers/position.ts';
import type { RingController } from '../ring-buffers/ring.ts';
import type { Transcript } from '../turn/transcript.ts';
import type { CancelWord, Spoken } from '../workers/protocol.ts';
import type { TextToSpeech } from './ports.ts';

export interface ReplyOptions {
  readonly callId: number;
  readonly turnId: number;
  readonly tts: TextToSpeech;
  readonly voice: string;
  readonly speed: number;
  readonly downlink: RingHandle;
  readonly controller: RingController;
  readonly cancel: CancelWord;
  readonly transcript: Transcript;
  /** The first sentence is in the ring. */
  readonly onSpoken: (spoken: Spoken) => void;
  /** Everything was written and played. Neither this nor `onFailed` follows `abandon`. */
  readonly onDone: () => void;
  /** A sentence could not be spoken, or there was nothing to hear. */
  readonly onFailed: (error: unknown) => void;
}

export class Reply {
  readonly turnId: number;
  readonly #options: ReplyOptions;
  readonly #epoch: number;
  /** Nothing before this ring index belongs to this reply. */
  readonly #floorIndex: number;
  #sentences = 0;
  #pendingSentences = 0;
  #isComplete = false;
  #isOver = false;

  constructor(options: ReplyOptions) {
    const { controller } = options;
    this.turnId = options.turnId;
    this.#options = options;
    this.#epoch = controller.epoch;
    this.#floorIndex = controller.writeIndex;
  }

  /** Queues one sentence behind those before it. */
  say(sentence: string): void {
    if (this.#isOver || sentence.trim() === '') return;
    const { callId, turnId, tts, voice, speed, downlink, cancel, transcript } = this.#options;
    const number = transcript.addSentence(turnId, sentence);
    this.#sentences += 1;
    this.#pendingSentences += 1;
    tts.speak({ callId, turnId, sentence, voice, speed, downlink, epoch: this.#epoch, cancel }).then(
      (spoken) => this.#onSpoken(number, spoken),
      (error: unknown) => this.#onFailed(error),
    );
  }

  /** Nothing was to be said up to now. */
  get isEmpty(): boolean {
    return this.#sentences === 0;
  }

  /** No more sentences will come. */
  complete(): void {
    this.#isComplete = true;
    this.#options.transcript.markGenerated(this.turnId);
    this.settle();
  }

  /** The reply is no longer wanted. */
  abandon(): void {
    this.#isOver = true;
    this.#options.controller.setReplyOpen(false);
  }

  /** Whether playout at this ring index is about this reply. */
  owns(ringIndex: number): boolean {
    return !this.#isOver && signedDistance(this.#floorIndex, ringIndex) >= 0;
  }

  /** Looks whether all was played; to be called when the media thread has found the ring empty. */
  settle(): void {
    const { controller, transcript } = this.#options;
    if (this.#isOver || !this.#isComplete || this.#pendingSentences > 0) return;
    controller.setReplyOpen(false);
    if (transcript.firstIndex(this.turnId) === null) {
      this.#fail(new Error('the reply held nothing to hear'));
    } else if (transcript.isPlayed(this.turnId, controller.readIndex)) {
      this.#isOver = true;
      this.#options.onDone();
    }
  }

  #onSpoken(number: number, spoken: Spoken): void {
    this.#pendingSentences -= 1;
    this.#options.transcript.markSpoken(this.turnId, number, {
      startIndex: spoken.startIndex,
      endIndex: spoken.endIndex,
      isWhole: spoken.kind === 'spoken',
    });
    if (this.#isOver) return;
    this.#options.onSpoken(spoken);
    // While more is to come, an empty ring is an underrun and not the end.
    this.#options.controller.setReplyOpen(!this.#isComplete || this.#pendingSentences > 0);
    this.settle();
  }

  #onFailed(error: unknown): void {
    this.#pendingSentences -= 1;
    if (!this.#isOver) this.#fail(error);
  }

  #fail(error: unknown): void {
    this.abandon();
    this.#options.onFailed(error);
  }
}
