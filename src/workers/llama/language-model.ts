/**
 * What the LLaMA engine needs of a language model: sequences with a KV cache, a chat template, tokens. The real one
 * is llama-model.ts; tests script their own. Thread: llama. Tokens are vocabulary indices.
 */
import type { ChatMessage, LlamaBackend, TokenSampling } from '../protocol.ts';
import type { ReplyRules } from './reply-text.ts';

/** One KV sequence: the evaluated tokens of one conversation. Operations on it follow each other, never overlap. */
export interface LanguageSequence {
  /** Its number among those of the model, counted as they are opened. */
  readonly index: number;
  readonly tokens: readonly number[];
  /** Number of evaluated tokens. */
  readonly length: number;
  /** Forgets everything behind the first `length` tokens. */
  keepPrefix(length: number): Promise<void>;
  /** Evaluates tokens behind what is there. */
  prefill(tokens: readonly number[]): Promise<void>;
  /** Evaluates `tokens` (one at least), then generates until the model ends its turn; that last token is not given. */
  generate(tokens: readonly number[], sampling: TokenSampling): AsyncIterable<number>;
}

export interface LanguageModel {
  readonly backend: LlamaBackend;
  /** Tokens one sequence can hold. */
  readonly contextTokens: number;
  readonly sequenceCount: number;
  readonly replyRules: ReplyRules;
  /** May be called `sequenceCount` times. */
  openSequence(): LanguageSequence;
  /** The conversation by the model's chat template, ending in an open assistant turn that begins with `replyPrefix`. */
  renderPrompt(messages: readonly ChatMessage[], replyPrefix: string): readonly number[];
  /** Text of `tokens` behind `recentTokens`; U+FFFD stands for an incomplete character. */
  detokenize(tokens: readonly number[], recentTokens: readonly number[]): string;
  /** A control token of the vocabulary, never to be spoken. */
  isSpecial(token: number): boolean;
  /** Only when no operation is running. */
  close(): Promise<void>;
}
