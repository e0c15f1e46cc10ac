/**
 * Beam search: several texts side by side, for what greedy decoding was not sure of. In noise the best first word is
 * often not the beginning of the best sentence. Thread: whisper worker.
 * Source: OpenAI whisper/decoding.py (BeamSearchDecoder, MaximumLikelihoodRanker with the mean over the tokens).
 */
import type { Logits } from './decoder-model.ts';
import { endsInLoop, type WhisperGuards } from './guards.ts';
import { bestTokens, rowOf, suppressTokens } from './token-scores.ts';
import type { DecodingRules } from './whisper-decoder.ts';

export interface WhisperSearch {
  /** Texts kept side by side; 1 searches never. */
  readonly beams: number;
  /** Searched is only when greedy decoding's mean log-probability is below this: most utterances are clear. */
  readonly unsureLogProbability: number;
}

/** The only defaults, the width is OpenAI's; a pack's manifest may state others for its model (`stages.whisper.search`). */
export const WHISPER_SEARCH_DEFAULTS: WhisperSearch = { beams: 5, unsureLogProbability: -0.2 };

/** The model as the search needs it: one batch row for each text. */
export interface BeamSteps {
  /** Scores after `tokens[i]`, which continues row `parents[i]` of the step before (of the prompt: row 0). */
  advance(tokens: readonly number[], parents: readonly number[]): Promise<Logits>;
}

export interface Text {
  readonly tokens: readonly number[];
  /** Over the tokens and the end token. */
  readonly meanLogProbability: number;
}

export interface SearchRequest {
  readonly search: WhisperSearch;
  readonly guards: WhisperGuards;
  /** The most tokens of a text. */
  readonly limitTokens: number;
  /** The text to beat, which greedy decoding wrote. */
  readonly rival: Text;
  /** Looked at before every step. */
  readonly isCancelled: () => boolean;
}

interface Beam {
  readonly tokens: readonly number[];
  readonly sumLogProbability: number;
  /** Its row in the step before. */
  readonly parent: number;
}

/**
 * @param afterPrompt the scores of the first token, unsuppressed or not; overwritten.
 * @returns the text with the best mean log-probability, or null when cancelled.
 */
export async function searchBeams(
  afterPrompt: Float32Array,
  steps: BeamSteps,
  rules: DecodingRules,
  request: SearchRequest,
): Promise<Text | null> {
  const { search, limitTokens } = request;
  const done: Text[] = [request.rival];
  let beams: Beam[] = [{ tokens: [], sumLogProbability: 0, parent: 0 }];
  let rows = [afterPrompt];
  for (let length = 0; length < limitTokens; length++) {
    for (const scores of rows) suppressTokens(scores, rules, length === 0);
    beams = continueBeams(beams, rows, { ...request, endToken: rules.endToken, done });
    if (beams.length === 0 || (done.length > search.beams && bestMean(done) >= bestHope(beams))) break;
    if (request.isCancelled()) return null;
    const logits = await steps.advance(
      beams.map(({ tokens }) => tokens.at(-1)!),
      beams.map(({ parent }) => parent),
    );
    rows = beams.map((_, row) => rowOf(logits, row));
  }
  return done.reduce((best, text) => (text.meanLogProbability > best.meanLogProbability ? text : best));
}

interface Continuing extends SearchRequest {
  readonly endToken: number;
  /** Takes the texts that end here. */
  readonly done: Text[];
}

/** The likeliest continuations that do not end, at most `beams`; those that end and are likelier go to `done`. */
function continueBeams(beams: readonly Beam[], rows: readonly Float32Array[], step: Continuing): Beam[] {
  const { search, guards, endToken, done } = step;
  const candidates = beams.flatMap((beam, row) =>
    bestTokens(rows[row]!, search.beams + 1).map(({ token, logProbability }) => ({
      beam,
      row,
      token,
      sum: beam.sumLogProbability + logProbability,
    })),
  );
  candidates.sort((one, other) => other.sum - one.sum);
  const next: Beam[] = [];
  for (const { beam, row, token, sum } of candidates) {
    if (next.length === search.beams) break;
    const tokens = token === endToken ? beam.tokens : [...beam.tokens, token];
    if (token === endToken) done.push({ tokens, meanLogProbability: sum / (tokens.length + 1) });
    else if (!endsInLoop(tokens, guards)) next.push({ tokens, sumLogProbability: sum, parent: row });
  }
  return next;
}

function bestMean(texts: readonly Text[]): number {
  return Math.max(...texts.map(({ meanLogProbability }) => meanLogProbability));
}

/** What the best beam would come to if it ended now, for certain. */
function bestHope(beams: readonly Beam[]): number {
  return Math.max(...beams.map(({ tokens, sumLogProbability }) => sumLogProbability / (tokens.length + 1)));
}
