/**
 * The language model's side of one outside call: texts in, replies out, with the history between them. What is
 * heard of a reply is not known here, so all of it counts as said. A new text takes the place of the reply under way.
 * Thread: main.
 */
import type { LanguageModel } from '../../call/ports.ts';
import { SentenceSplitter } from '../../turn/sentence-splitter.ts';
import { Transcript } from '../../turn/transcript.ts';
import type { CancelWord } from '../../workers/protocol.ts';

export interface DialogueOptions {
  /** The number of the call in the engine. */
  readonly engineCallId: number;
  readonly llama: LanguageModel;
  readonly systemPrompt: string;
  readonly maxHistoryChars: number;
  /** One text for each sentence of a reply, or the whole of it. */
  readonly replyFrames: 'sentence' | 'whole';
  readonly onReply: (text: string) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Rate and range of the transcript's ring, which does not exist here: each sentence counts as played. */
const NO_RING_RATE_HZ = 8000;
const PLAYED = { startIndex: 0, endIndex: 1, isWhole: true } as const;

export class Dialogue {
  readonly #options: DialogueOptions;
  readonly #transcript: Transcript;
  readonly #cancel: CancelWord = new Int32Array(new SharedArrayBuffer(4));
  #turnId = 0;
  #answers = 0;

  constructor(options: DialogueOptions) {
    const { systemPrompt, maxHistoryChars } = options;
    this.#options = options;
    this.#transcript = new Transcript({ rateHz: NO_RING_RATE_HZ, systemPrompt, maxHistoryChars });
  }

  /** Whether a reply is being made. */
  get isAnswering(): boolean {
    return this.#answers > 0;
  }

  /** Says something that nobody asked for: the greeting. */
  say(text: string): void {
    this.#turnId += 1;
    this.#remember(this.#turnId, text);
    this.#options.onReply(text);
  }

  /** The caller said something: a reply will follow. */
  hear(text: string): void {
    Atomics.store(this.#cancel, 0, this.#turnId);
    this.#turnId += 1;
    this.#transcript.addUser(this.#turnId, text);
    this.#answers += 1;
    this.#answer(this.#turnId)
      .catch((error: unknown) => this.#options.onFailed(error))
      .finally(() => {
        this.#answers -= 1;
      });
  }

  /** Gives the engine's memory of the call back; the history stays here and is read again at the next text. */
  async sleep(): Promise<void> {
    await this.#options.llama.closeConversation(this.#options.engineCallId);
  }

  /** Ends the reply under way and gives the engine's memory of the call back. */
  async close(): Promise<void> {
    Atomics.store(this.#cancel, 0, 2 ** 31 - 1);
    await this.sleep();
  }

  async #answer(turnId: number): Promise<void> {
    const { engineCallId, llama, replyFrames, onReply } = this.#options;
    const splitter = new SentenceSplitter();
    const sentences: string[] = [];
    const isWanted = (): boolean => Atomics.load(this.#cancel, 0) < turnId;
    const take = (made: readonly string[]): void => {
      for (const sentence of made.map((text) => text.trim()).filter((text) => text !== '' && isWanted())) {
        sentences.push(sentence);
        this.#remember(turnId, sentence);
        if (replyFrames === 'sentence') onReply(sentence);
      }
    };
    const messages = this.#transcript.messages();
    await llama.generate(
      { callId: engineCallId, turnId, messages, replyPrefix: '', cancel: this.#cancel },
      (text) => take(splitter.push(text)),
    );
    take(splitter.flush());
    if (replyFrames === 'whole' && sentences.length > 0 && isWanted()) onReply(sentences.join(' '));
  }

  #remember(turnId: number, sentence: string): void {
    const number = this.#transcript.addSentence(turnId, sentence);
    this.#transcript.markSpoken(turnId, number, PLAYED);
    this.#transcript.settleReply(turnId, PLAYED.endIndex);
  }
}
