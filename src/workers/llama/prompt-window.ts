/**
 * Which part of a conversation fits the KV cache. When it outgrows the cache the oldest turns go (never the system
 * prompt), more than needed at once, so that the prefix stays the same, and reusable, for many turns.
 * Thread: llama. Pure.
 */
import { WildfireError } from '../../errors.ts';
import type { ChatMessage } from '../protocol.ts';

/** After an overflow the conversation is cut to this share of the budget, so that the next cut is far away. */
const SHARE_AFTER_CUT = 0.6;

export interface FittedPrompt {
  readonly tokens: readonly number[];
  /** Messages after the system prompt that were left out. Hand it back with the next turn. */
  readonly droppedMessages: number;
}

export interface PromptWindowInput {
  readonly messages: readonly ChatMessage[];
  /** What the previous turn of this call left out. */
  readonly droppedMessages: number;
  readonly budgetTokens: number;
  /** Lays messages out by the chat template and tokenises them. */
  readonly render: (messages: readonly ChatMessage[]) => readonly number[];
}

/**
 * The longest end of the conversation, behind its system prompt, that fits the budget.
 * @throws WildfireError INFERENCE_FAILED when the last turn alone does not fit.
 */
export function fitPrompt(input: PromptWindowInput): FittedPrompt {
  const starts = turnStarts(input.messages);
  let turn = firstTurnFrom(starts, input.droppedMessages);
  let tokens = renderFrom(input, starts[turn] ?? 0);
  if (tokens.length > input.budgetTokens) {
    const targetTokens = Math.floor(input.budgetTokens * SHARE_AFTER_CUT);
    while (tokens.length > targetTokens && turn < starts.length - 1) {
      turn += 1;
      tokens = renderFrom(input, starts[turn] ?? 0);
    }
  }
  if (tokens.length > input.budgetTokens) {
    throw new WildfireError(
      'INFERENCE_FAILED',
      `the last turn alone takes ${tokens.length} tokens, the model's context holds ${input.budgetTokens}`,
    );
  }
  return { tokens, droppedMessages: starts[turn] ?? 0 };
}

/** How many tokens two token lists share from the start. */
export function commonPrefixTokens(left: readonly number[], right: readonly number[]): number {
  const limit = Math.min(left.length, right.length);
  let length = 0;
  while (length < limit && left[length] === right[length]) length += 1;
  return length;
}

/** The system prompt and what follows the dropped messages. */
export function keptMessages(
  messages: readonly ChatMessage[],
  droppedMessages: number,
): readonly ChatMessage[] {
  const systemCount = systemMessageCount(messages);
  return [...messages.slice(0, systemCount), ...messages.slice(systemCount + droppedMessages)];
}

/** Messages before the caller's first turn: system prompt and greeting, equal for every call. */
export function openingMessages(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const firstUser = messages.findIndex((message) => message.role === 'user');
  return firstUser < 0 ? messages : messages.slice(0, firstUser);
}

// Places where the conversation may begin, counted behind the system prompt: at 0 and at every user message.
function turnStarts(messages: readonly ChatMessage[]): number[] {
  const systemCount = systemMessageCount(messages);
  const starts = [0];
  for (let index = systemCount + 1; index < messages.length; index += 1) {
    if (messages[index]?.role === 'user') starts.push(index - systemCount);
  }
  return starts;
}

// A rewritten history may be shorter than what was dropped from it: then the last turn is kept.
function firstTurnFrom(starts: readonly number[], droppedMessages: number): number {
  const turn = starts.findIndex((start) => start >= droppedMessages);
  return turn < 0 ? starts.length - 1 : turn;
}

function renderFrom(input: PromptWindowInput, droppedMessages: number): readonly number[] {
  return input.render(keptMessages(input.messages, droppedMessages));
}

function systemMessageCount(messages: readonly ChatMessage[]): number {
  const first = messages.findIndex((message) => message.role !== 'system');
  return first < 0 ? messages.length : first;
}
