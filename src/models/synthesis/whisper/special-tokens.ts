/**
 * Whisper's special tokens, in the order of their ids behind the text tokens: the end, the start, languages, tasks, and
 * 1501 timestamps. Pure. Source: OpenAI whisper/tokenizer.py.
 */
import type { WhisperShape } from '../shapes.ts';

export const LANGUAGES: readonly string[] = (
  'en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml cy ' +
  'sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo ' +
  'uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su'
).split(' ');

/** Start, language, task, no timestamps. */
export const PROMPT_TOKENS = 4;
const TASKS = ['translate', 'transcribe', 'startoflm', 'startofprev', 'nospeech', 'notimestamps'] as const;
const TIMESTAMPS = 1501;
const TIMESTAMP_STEP_S = 0.02;

/** Id of end-of-text: the first special token. */
export function endTokenOf({ textTokens }: WhisperShape): number {
  return textTokens;
}

/** Names of the special tokens; the first has id `textTokens`. */
export function specialTokens({ hasCantonese }: WhisperShape): string[] {
  const languages = hasCantonese ? [...LANGUAGES, 'yue'] : LANGUAGES;
  const names = ['endoftext', 'startoftranscript', ...languages, ...TASKS].map((word) => `<|${word}|>`);
  const times = Array.from({ length: TIMESTAMPS }, (_, i) => `<|${(i * TIMESTAMP_STEP_S).toFixed(2)}|>`);
  return [...names, ...times];
}
