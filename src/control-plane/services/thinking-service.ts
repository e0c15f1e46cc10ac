/**
 * The `llama` role for outside calls: text in (from 8083, or straight from the hearing service of this process), replies
 * out to the next sink. Nothing here waits for a call while another one speaks. Thread: main.
 */
import type { LanguageModel } from '../../call/ports.ts';
import { messageOf } from '../../errors.ts';
import { type ControlContext, engineCallId } from '../control-context.ts';
import { Dialogue } from './dialogue.ts';
import type { TextSink } from './text-sink.ts';

export interface ThinkingOptions {
  readonly context: ControlContext;
  readonly llama: LanguageModel;
  readonly next: TextSink;
  readonly systemPrompt: string;
  /** Said when a call begins; '' says nothing. */
  readonly greeting: string;
  readonly maxHistoryChars: number;
  /** Calls that the engine may hold in its memory at once. */
  readonly maxAwake: number;
}

export class ThinkingService implements TextSink {
  readonly #options: ThinkingOptions;
  readonly #dialogues = new Map<number, Dialogue>();
  /** Those that the engine may hold in its memory, the longest idle first. */
  readonly #awake = new Set<Dialogue>();

  constructor(options: ThinkingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#dialogues.size;
  }

  has(callId: number): boolean {
    return this.#dialogues.has(callId);
  }

  begin(callId: number): void {
    const { greeting, next } = this.#options;
    if (this.#dialogues.has(callId)) return;
    const dialogue = this.#open(callId);
    next.begin(callId);
    if (greeting !== '') dialogue.say(greeting);
  }

  text(callId: number, text: string): void {
    if (text.trim() === '') return;
    this.begin(callId);
    const dialogue = this.#dialogues.get(callId);
    if (dialogue === undefined) return;
    this.#wake(dialogue);
    dialogue.hear(text);
  }

  end(callId: number): void {
    const dialogue = this.#dialogues.get(callId);
    if (dialogue === undefined) return;
    this.#dialogues.delete(callId);
    this.#awake.delete(dialogue);
    this.#options.context.metrics.sessions.set({ role: 'llama' }, this.size);
    dialogue.close().catch((error: unknown) => this.#onFailed(callId, error));
    this.#options.next.end(callId);
  }

  close(): void {
    for (const callId of [...this.#dialogues.keys()]) this.end(callId);
  }

  #open(callId: number): Dialogue {
    const { context, llama, next, systemPrompt, maxHistoryChars } = this.#options;
    const dialogue = new Dialogue({
      engineCallId: engineCallId(callId),
      llama,
      systemPrompt,
      maxHistoryChars,
      replyFrames: context.settings.replyFrames,
      onReply: (text) => next.text(callId, text),
      onFailed: (error) => this.#onFailed(callId, error),
    });
    this.#dialogues.set(callId, dialogue);
    context.metrics.sessions.set({ role: 'llama' }, this.size);
    return dialogue;
  }

  // Calls that nobody has ended must not keep the engine from those that speak.
  #wake(dialogue: Dialogue): void {
    this.#awake.delete(dialogue);
    this.#awake.add(dialogue);
    for (const idle of this.#awake) {
      if (this.#awake.size <= this.#options.maxAwake) return;
      if (idle.isAnswering || idle === dialogue) continue;
      this.#awake.delete(idle);
      void idle.sleep();
    }
  }

  #onFailed(callId: number, error: unknown): void {
    const { context } = this.#options;
    context.count('replyFailed');
    context.log.warn({ callId, error: messageOf(error) }, 'a reply to an outside call failed');
  }
}
