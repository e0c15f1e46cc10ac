/**
 * When not to believe what Whisper wrote. Whisper answers silence and noise with fluent sentences, so an empty
 * transcript is decided here, from the sound's level, the model's own no-speech score, how sure it was of its
 * tokens, and whether it ran in a loop. Thread: any; pure.
 */
import type { Transcript } from '../protocol.ts';

export interface WhisperGuards {
  /** Loudest 20 ms below this: nothing was said, the model is not asked. G.711 idles near -70 dBFS. */
  readonly silenceDbfs: number;
  /** At or above this no-speech probability nothing was said, however sure the tokens look. */
  readonly noSpeechCertain: number;
  /** At or above this nothing was said if the tokens are unsure, too. OpenAI's figure is 0.6. */
  readonly noSpeechLikely: number;
  /** What "unsure" means beside `noSpeechLikely`: mean natural-log probability of the tokens. */
  readonly unsureLogProbability: number;
  /** Below this mean log-probability the text is not used at all. OpenAI's -1 is for temperature fallback. */
  readonly minMeanLogProbability: number;
  /** A loop is at least this many tokens long. A ten digit phone number of one digit must not be one. */
  readonly loopTokens: number;
  /** A loop says the same at least this many times. */
  readonly loopTurns: number;
}

/** The only defaults; a pack's manifest may state others for its model (`stages.whisper.guards`). */
export const WHISPER_GUARD_DEFAULTS: WhisperGuards = {
  silenceDbfs: -60,
  noSpeechCertain: 0.8,
  noSpeechLikely: 0.5,
  unsureLogProbability: -0.35,
  minMeanLogProbability: -0.7,
  loopTokens: 16,
  loopTurns: 4,
};

/** The longest phrase a loop is looked for with. */
const MAX_PHRASE_TOKENS = 12;

/** What the decoder measured about one window. */
export interface DecodedEvidence {
  readonly tokens: readonly number[];
  readonly noSpeechProbability: number;
  readonly meanLogProbability: number;
  readonly hasLooped: boolean;
}

/** The guard that rejects this text, or 'none'. */
export function judge(evidence: DecodedEvidence, guards: WhisperGuards): Transcript['rejectedBy'] {
  const { noSpeechProbability: noSpeech, meanLogProbability: mean } = evidence;
  if (noSpeech >= guards.noSpeechCertain) return 'noSpeech';
  if (noSpeech >= guards.noSpeechLikely && mean < guards.unsureLogProbability) return 'noSpeech';
  if (evidence.hasLooped) return 'repetition';
  return mean < guards.minMeanLogProbability ? 'lowConfidence' : 'none';
}

/**
 * Why an utterance of several windows has no words, or, where it has some, why others are missing: a window in which
 * nothing was said is a pause, one that cannot be believed is a hole.
 */
export function rejectionOf(
  verdicts: readonly Transcript['rejectedBy'][],
  hasWords: boolean,
): Transcript['rejectedBy'] {
  const isMissing = (verdict: Transcript['rejectedBy']) =>
    verdict !== 'none' && !(hasWords && verdict === 'noSpeech');
  return verdicts.find(isMissing) ?? (hasWords ? 'none' : 'noSpeech');
}

/** Whether the tokens end in one phrase said over and over. */
export function endsInLoop(tokens: readonly number[], guards: WhisperGuards): boolean {
  for (let phrase = 1; phrase <= MAX_PHRASE_TOKENS; phrase++) {
    const needed = Math.max(guards.loopTokens, phrase * guards.loopTurns);
    if (needed > tokens.length) continue;
    if (repeatedTokens(tokens, phrase) >= needed) return true;
  }
  return false;
}

/** How many tokens at the end repeat with period `phrase`, the first saying included. */
function repeatedTokens(tokens: readonly number[], phrase: number): number {
  let at = tokens.length - 1;
  while (at >= phrase && tokens[at] === tokens[at - phrase]) at--;
  return tokens.length - 1 - at + phrase;
}

/** Level of the loudest 20 ms of `samples` (-1..1), dBFS of a full-scale square wave; -Infinity for silence. */
export function loudestDbfs(samples: Float32Array, rateHz: number): number {
  const frameSamples = Math.round(rateHz / 50);
  let loudest = 0;
  for (let start = 0; start < samples.length; start += frameSamples) {
    const end = Math.min(samples.length, start + frameSamples);
    let sum = 0;
    for (let i = start; i < end; i++) sum += samples[i]! * samples[i]!;
    loudest = Math.max(loudest, sum / frameSamples);
  }
  return 10 * Math.log10(loudest);
}
