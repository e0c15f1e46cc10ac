/**
 * Texts that nobody asked for, spoken by the voice of this process: the greeting of a language model elsewhere, or an
 * answer that came too late. They give way to a caller who speaks. Thread: main.
 */
import type { TextToSpeech } from '../../call/ports.ts';
import type { RingHandle } from '../../ring-buffers/layout.ts';
import { signedDistance } from '../../ring-buffers/position.ts';
import { RingController } from '../../ring-buffers/ring.ts';
import { splitSentences } from '../../turn/sentence-splitter.ts';
import type { CancelWord } from '../../workers/protocol.ts';

export interface UnaskedSpeechOptions {
  readonly callId: number;
  readonly downlink: RingHandle;
  readonly tts: TextToSpeech;
  readonly voice: string;
  readonly speed: number;
  readonly onFailed: (error: unknown) => void;
}

const ALL_TURNS = 2 ** 31 - 1;

export class UnaskedSpeech {
  readonly #options: UnaskedSpeechOptions;
  readonly #controller: RingController;
  readonly #cancel: CancelWord = new Int32Array(new SharedArrayBuffer(4));
  /** Of the texts, for the cancel word: not those of the conversation. */
  #turnId = 0;
  #pendingSentences = 0;
  /** Behind the last sample that was written. */
  #endIndex: number;

  constructor(options: UnaskedSpeechOptions) {
    this.#options = options;
    this.#controller = new RingController(options.downlink);
    this.#endIndex = this.#controller.writeIndex;
  }

  say(text: string): void {
    const { callId, downlink, tts, voice, speed, onFailed } = this.#options;
    this.#turnId += 1;
    const { epoch } = this.#controller;
    const task = { callId, turnId: this.#turnId, voice, speed, downlink, epoch, cancel: this.#cancel };
    for (const sentence of splitSentences(text)) {
      this.#pendingSentences += 1;
      tts.speak({ ...task, sentence }).then(
        ({ endIndex }) => {
          this.#pendingSentences -= 1;
          this.#endIndex = endIndex;
        },
        (error: unknown) => {
          this.#pendingSentences -= 1;
          onFailed(error);
        },
      );
    }
  }

  /** The caller speaks: what is still to be heard is not. */
  onSpeechStarted(): void {
    const isPlaying = signedDistance(this.#controller.readIndex, this.#endIndex) > 0;
    if (this.#pendingSentences === 0 && !isPlaying) return;
    this.#endIndex = this.#controller.readIndex;
    Atomics.store(this.#cancel, 0, this.#turnId);
    this.#controller.requestFlush();
  }

  close(): void {
    Atomics.store(this.#cancel, 0, ALL_TURNS);
  }
}
