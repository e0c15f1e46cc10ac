/**
 * Greedy decoding: which token comes next, when to stop, and how sure the model was. The policy over
 * whisper-model.ts; it sees scores and token ids, never a tensor.
 * Thread: whisper worker. Hot: the scan over the vocabulary, once per token.
 * Source: OpenAI whisper/decoding.py (GreedyDecoder, SuppressTokens, no_speech_prob at start-of-transcript).
 */
import { type DecodedEvidence, endsInLoop, type WhisperGuards } from './guards.ts';
import type { Logits } from './whisper-model.ts';

/** The model as the decoder needs it. */
export interface DecoderSteps {
  /** Scores after each prompt token. */
  start(prompt: readonly number[]): Promise<Logits>;
  /** Scores after `token`. */
  advance(token: number): Promise<Logits>;
}

/** The fixed facts of one model, from its WhisperConfig. */
export interface DecodingRules {
  readonly promptTokens: readonly number[];
  readonly endToken: number;
  readonly noSpeechToken: number | null;
  readonly suppressedTokens: Int32Array;
  readonly suppressedFirstTokens: Int32Array;
  /** Decoder positions, prompt included. */
  readonly maxTokens: number;
}

export interface DecodingRequest {
  readonly audioMs: number;
  readonly guards: WhisperGuards;
  /** Looked at before every token. */
  readonly isCancelled: () => boolean;
}

/** Nobody speaks faster: auctioneers reach about 6 words or 9 tokens a second. */
const MAX_TOKENS_PER_SECOND = 12;
/** For the last word's pieces, and for the start of a very short clip. */
const SPARE_TOKENS = 8;

/**
 * Writes tokens until the end token, the bound that the audio's length sets, a loop, or a cancel.
 * @returns null when cancelled.
 */
export async function decodeGreedily(
  steps: DecoderSteps,
  rules: DecodingRules,
  request: DecodingRequest,
): Promise<DecodedEvidence | null> {
  if (request.isCancelled()) return null;
  let logits = await steps.start(rules.promptTokens);
  const noSpeechProbability = noSpeechIn(logits, rules.noSpeechToken);
  const limit = tokenLimit(rules, request.audioMs);
  const tokens: number[] = [];
  let sumLogProbability = 0;
  let hasLooped = false;
  for (;;) {
    const choice = choose(lastRow(logits), rules, tokens.length === 0);
    sumLogProbability += choice.logProbability;
    if (choice.token === rules.endToken) break;
    tokens.push(choice.token);
    hasLooped = endsInLoop(tokens, request.guards);
    if (hasLooped || tokens.length >= limit) break;
    if (request.isCancelled()) return null;
    logits = await steps.advance(choice.token);
  }
  // The end token's score counts, too, as in OpenAI's code.
  const meanLogProbability = sumLogProbability / (tokens.length + 1);
  return { tokens, noSpeechProbability, meanLogProbability, hasLooped };
}

/** The most tokens that so much audio can hold, and that the decoder has positions for. */
function tokenLimit(rules: DecodingRules, audioMs: number): number {
  const byAudio = Math.ceil((audioMs / 1000) * MAX_TOKENS_PER_SECOND) + SPARE_TOKENS;
  return Math.max(1, Math.min(byAudio, rules.maxTokens - rules.promptTokens.length));
}

/** Probability of the no-speech token right after start-of-transcript; 0 when the model has no such token. */
function noSpeechIn(logits: Logits, token: number | null): number {
  if (token === null) return 0;
  const scores = logits.scores.subarray(0, logits.vocabularyTokens);
  return Math.exp(scores[token]! - logSumExp(scores));
}

function lastRow(logits: Logits): Float32Array {
  return logits.scores.subarray(
    (logits.rows - 1) * logits.vocabularyTokens,
    logits.rows * logits.vocabularyTokens,
  );
}

/** The best token that is not suppressed, and its log-probability among those. Overwrites `scores`. */
function choose(
  scores: Float32Array,
  rules: DecodingRules,
  isFirst: boolean,
): { token: number; logProbability: number } {
  suppress(scores, rules.suppressedTokens);
  if (isFirst) suppress(scores, rules.suppressedFirstTokens);
  let token = rules.endToken;
  for (let id = 0; id < scores.length; id++) if (scores[id]! > scores[token]!) token = id;
  return { token, logProbability: scores[token]! - logSumExp(scores) };
}

function suppress(scores: Float32Array, ids: Int32Array): void {
  for (const id of ids) if (id < scores.length) scores[id] = Number.NEGATIVE_INFINITY;
}

function logSumExp(scores: Float32Array): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) if (scores[i]! > max) max = scores[i]!;
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i]! - max);
  return max + Math.log(sum);
}
