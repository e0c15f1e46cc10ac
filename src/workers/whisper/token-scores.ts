/**
 * One row of the decoder's scores: what may be taken, how likely it is. Thread: whisper worker; pure.
 * Hot: one pass over the vocabulary for each token written.
 */
import type { Logits } from './decoder-model.ts';
import type { DecodingRules } from './whisper-decoder.ts';

export interface ScoredToken {
  readonly token: number;
  readonly logProbability: number;
}

/** The scores of row `row`, a view. */
export function rowOf({ scores, vocabularyTokens }: Logits, row: number): Float32Array {
  return scores.subarray(row * vocabularyTokens, (row + 1) * vocabularyTokens);
}

/** Overwrites what may never be taken, or not as the first token, with minus infinity. */
export function suppressTokens(scores: Float32Array, rules: DecodingRules, isFirst: boolean): void {
  suppress(scores, rules.suppressedTokens);
  if (isFirst) suppress(scores, rules.suppressedFirstTokens);
}

/** The best token and its log-probability among those that may be taken; the end token where nothing is better. */
export function bestToken(scores: Float32Array, endToken: number): ScoredToken {
  let token = endToken;
  for (let id = 0; id < scores.length; id++) if (scores[id]! > scores[token]!) token = id;
  return { token, logProbability: scores[token]! - logSumExp(scores) };
}

/** The `count` best tokens, best first. */
export function bestTokens(scores: Float32Array, count: number): ScoredToken[] {
  const total = logSumExp(scores);
  const best: ScoredToken[] = [];
  for (let token = 0; token < scores.length; token++) {
    const logProbability = scores[token]! - total;
    if (best.length === count && logProbability <= best[count - 1]!.logProbability) continue;
    if (logProbability === Number.NEGATIVE_INFINITY) continue;
    let at = best.length;
    while (at > 0 && best[at - 1]!.logProbability < logProbability) at--;
    best.splice(at, 0, { token, logProbability });
    best.length = Math.min(best.length, count);
  }
  return best;
}

export function logSumExp(scores: Float32Array): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) if (scores[i]! > max) max = scores[i]!;
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i]! - max);
  return max + Math.log(sum);
}

function suppress(scores: Float32Array, ids: Int32Array): void {
  for (const id of ids) if (id < scores.length) scores[id] = Number.NEGATIVE_INFINITY;
}
