/**
 * A language model for tests of the engine: one token per character, replies by a script, and a record of everything
 * it was made to evaluate. Operations of all sequences advance together in "decodes", as the real one's do.
 */
import { setImmediate as nextTick } from 'node:timers/promises';
import type { LanguageModel, LanguageSequence } from '../../../src/workers/llama/language-model.ts';
import type { ChatMessage } from '../../../src/workers/protocol.ts';

/** Private use characters stand for the control tokens of a chat template. */
export const END_OF_TURN = 0xe000;
export const FOREIGN_CONTROL = 0xe001;
const ROLE_TOKENS = { system: 0xe002, user: 0xe003, assistant: 0xe004 } as const;

export interface ScriptedModelOptions {
  readonly sequenceCount?: number;
  readonly contextTokens?: number;
  /** The reply to a whole prompt, as tokens or text. */
  readonly reply: (promptText: string) => string;
  /** How many decodes later than others a sequence gets what it asked for; 0 without. */
  readonly lateness?: (sequence: number) => number;
}

export class ScriptedModel implements LanguageModel {
  readonly backend = { gpu: 'none', gpuDevices: [], gpuLayers: 0, cpuThreads: 1, chatTemplate: 'scripted' };
  readonly replyRules = { stopTexts: ['<end>'], hiddenSections: [], startsInside: null };
  readonly contextTokens: number;
  readonly sequenceCount: number;
  readonly sequences: ScriptedSequence[] = [];
  readonly reply: (promptText: string) => string;
  readonly lateness: (sequence: number) => number;
  /** Fails the next evaluation. */
  failsNext = false;
  /** Sizes of all evaluations, in order. */
  readonly evaluations: { readonly sequence: number; readonly tokens: number }[] = [];

  constructor(options: ScriptedModelOptions) {
    this.sequenceCount = options.sequenceCount ?? 2;
    this.contextTokens = options.contextTokens ?? 1024;
    this.reply = options.reply;
    this.lateness = options.lateness ?? (() => 0);
  }

  openSequence(): LanguageSequence {
    if (this.sequences.length === this.sequenceCount) throw new Error('no sequences left');
    const sequence = new ScriptedSequence(this, this.sequences.length);
    this.sequences.push(sequence);
    return sequence;
  }

  renderPrompt(messages: readonly ChatMessage[], replyPrefix: string): readonly number[] {
    return [
      ...messages.flatMap(({ role, text }) => [ROLE_TOKENS[role], ...codes(text), END_OF_TURN]),
      ROLE_TOKENS.assistant,
      ...codes(replyPrefix),
    ];
  }

  detokenize(tokens: readonly number[]): string {
    return String.fromCharCode(...tokens);
  }

  isSpecial(token: number): boolean {
    return token >= 0xe000 && token < 0xe010;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export class ScriptedSequence implements LanguageSequence {
  readonly index: number;
  tokens: number[] = [];
  readonly #model: ScriptedModel;

  constructor(model: ScriptedModel, index: number) {
    this.#model = model;
    this.index = index;
  }

  get length(): number {
    return this.tokens.length;
  }

  keepPrefix(length: number): Promise<void> {
    this.tokens = this.tokens.slice(0, length);
    return Promise.resolve();
  }

  async prefill(tokens: readonly number[]): Promise<void> {
    for (let decode = 0; decode <= this.#model.lateness(this.index); decode++) await nextTick();
    if (this.#model.failsNext) {
      this.#model.failsNext = false;
      throw new Error('decode failed');
    }
    this.tokens = [...this.tokens, ...tokens];
    if (this.tokens.length > this.#model.contextTokens) throw new Error('context overflow');
    this.#model.evaluations.push({ sequence: this.index, tokens: tokens.length });
  }

  async *generate(tokens: readonly number[]): AsyncGenerator<number> {
    await this.prefill(tokens);
    const prompt = String.fromCharCode(...this.tokens);
    for (const token of codes(this.#model.reply(prompt))) {
      yield token;
      await this.prefill([token]);
    }
  }
}

function codes(text: string): number[] {
  return [...text].map((character) => character.charCodeAt(0));
}
