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
}

export class ThinkingService implements TextSink {
  readonly #options: ThinkingOptions;
  readonly #dialogues = new Map<number, Dialogue>();

  constructor(options: ThinkingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#dialogues.size;
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
    this.#dialogues.get(callId)?.hear(text);
  }

  end(callId: number): void {
    const dialogue = this.#dialogues.get(callId);
    if (dialogue === undefined) return;
    this.#dialogues.delete(callId);
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

  #onFailed(callId: number, error: unknown): void {
    const { context } = this.#options;
    context.count('replyFailed');
    context.log.warn({ callId, error: messageOf(error) }, 'a reply to an outside call failed');
  }
}
