/**
 * Which token comes next, when to stop, and how sure the model was: greedily, and by beam search when that was not
 * sure. The policy over whisper-model.ts; it sees scores and token ids, never a tensor. Thread: whisper worker.
 * Source: OpenAI whisper/decoding.py (GreedyDecoder, SuppressTokens, no_speech_prob at start-of-transcript).
 */
import { type BeamSteps, searchBeams, type WhisperSearch } from './beam-search.ts';
import type { Logits } from './decoder-model.ts';
import { type DecodedEvidence, endsInLoop, type WhisperGuards } from './guards.ts';
import { bestToken, logSumExp, rowOf, suppressTokens } from './token-scores.ts';

/** The model as the decoder needs it. */
export interface DecoderSteps {
  /** Scores after each prompt token. */
  start(prompt: readonly number[]): Promise<Logits>;
  /** Scores after `token`. */
  advance(token: number): Promise<Logits>;
  /** Continuations of the prompt side by side; called after `start`. */
  beams(): BeamSteps;
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
  readonly search: WhisperSearch;
  /** Looked at before every token. */
  readonly isCancelled: () => boolean;
}

/** Nobody speaks faster: auctioneers reach about 6 words or 9 tokens a second. */
const MAX_TOKENS_PER_SECOND = 12;
/** For the last word's pieces, and for the start of a very short clip. */
const SPARE_TOKENS = 8;

/**
 * Decodes greedily, and searches for a better text where that was unsure or ran in a loop.
 * @returns null when cancelled.
 */
export async function decode(
  steps: DecoderSteps,
  rules: DecodingRules,
  request: DecodingRequest,
): Promise<DecodedEvidence | null> {
  if (request.isCancelled()) return null;
  const logits = await steps.start(rules.promptTokens);
  const noSpeechProbability = noSpeechIn(logits, rules.noSpeechToken);
  const afterPrompt = rowOf(logits, logits.rows - 1);
  const greedy = await decodeGreedily(afterPrompt, steps, rules, request);
  if (greedy === null || !needsSearch(greedy, noSpeechProbability, request)) {
    return greedy === null ? null : { ...greedy, noSpeechProbability };
  }
  const found = await searchBeams(afterPrompt, steps.beams(), rules, {
    ...request,
    limitTokens: tokenLimit(rules, request.audioMs),
    rival: greedy,
  });
  if (found === null) return null;
  return { ...found, noSpeechProbability, hasLooped: greedy.hasLooped && found === greedy };
}

type Greedy = Omit<DecodedEvidence, 'noSpeechProbability'>;

/** Writes the best token until the end token, the bound that the audio's length sets, a loop, or a cancel. */
async function decodeGreedily(
  afterPrompt: Float32Array,
  steps: DecoderSteps,
  rules: DecodingRules,
  request: DecodingRequest,
): Promise<Greedy | null> {
  const limit = tokenLimit(rules, request.audioMs);
  const tokens: number[] = [];
  let scores = afterPrompt;
  let sumLogProbability = 0;
  let hasLooped = false;
  for (;;) {
    suppressTokens(scores, rules, tokens.length === 0);
    const choice = bestToken(scores, rules.endToken);
    sumLogProbability += choice.logProbability;
    if (choice.token === rules.endToken) break;
    tokens.push(choice.token);
    hasLooped = endsInLoop(tokens, request.guards);
    if (hasLooped || tokens.length >= limit) break;
    if (request.isCancelled()) return null;
    scores = rowOf(await steps.advance(choice.token), 0);
  }
  // The end token's score counts, too, as in OpenAI's code.
  return { tokens, meanLogProbability: sumLogProbability / (tokens.length + 1), hasLooped };
}

/** Not where nothing was said: the guards throw that away, whatever its text. */
function needsSearch(
  greedy: Greedy,
  noSpeechProbability: number,
  { search, guards }: DecodingRequest,
): boolean {
  if (search.beams < 2 || noSpeechProbability >= guards.noSpeechCertain) return false;
  return greedy.hasLooped || greedy.meanLogProbability < search.unsureLogProbability;
}

/** The most tokens that so much audio can hold, and that the decoder has positions for. */
function tokenLimit(rules: DecodingRules, audioMs: number): number {
  const byAudio = Math.ceil((audioMs / 1000) * MAX_TOKENS_PER_SECOND) + SPARE_TOKENS;
  return Math.max(1, Math.min(byAudio, rules.maxTokens - rules.promptTokens.length));
}

/** Probability of the no-speech token right after start-of-transcript; 0 when the model has no such token. */
function noSpeechIn(logits: Logits, token: number | null): number {
  if (token === null) return 0;
  const scores = rowOf(logits, 0);
  return Math.exp(scores[token]! - logSumExp(scores));
}
