/** When a transcript is not believed. */
import { describe, expect, it } from 'vitest';
import {
  type DecodedEvidence,
  endsInLoop,
  WHISPER_GUARD_DEFAULTS as GUARDS,
  judge,
  loudestDbfs,
  rejectionOf,
} from '../../../src/workers/whisper/guards.ts';

const CLEAR: DecodedEvidence = {
  tokens: [1, 2],
  noSpeechProbability: 0.01,
  meanLogProbability: -0.1,
  hasLooped: false,
};

describe('judge', () => {
  it.each([
    ['a clear text', {}, 'none'],
    ['certain no-speech, however sure the tokens', { noSpeechProbability: 0.9 }, 'noSpeech'],
    ['likely no-speech with sure tokens', { noSpeechProbability: 0.6 }, 'none'],
    [
      'likely no-speech with unsure tokens',
      { noSpeechProbability: 0.6, meanLogProbability: -0.5 },
      'noSpeech',
    ],
    ['unsure tokens', { meanLogProbability: -0.65 }, 'none'],
    ['very unsure tokens', { meanLogProbability: -0.9 }, 'lowConfidence'],
    ['a loop, sure of itself', { hasLooped: true }, 'repetition'],
  ] as const)('%s', (_, change, verdict) => {
    expect(judge({ ...CLEAR, ...change }, GUARDS)).toBe(verdict);
  });
});

describe('an utterance of several windows', () => {
  it.each([
    ['all believed', ['none', 'none'], true, 'none'],
    ['a pause in the middle', ['none', 'noSpeech', 'none'], true, 'none'],
    ['a hole in the middle', ['none', 'lowConfidence', 'none'], true, 'lowConfidence'],
    ['a pause and a hole', ['noSpeech', 'none', 'repetition'], true, 'repetition'],
    ['no words: the first reason', ['noSpeech', 'repetition'], false, 'noSpeech'],
    ['no words, though nothing was rejected', ['none'], false, 'noSpeech'],
    ['no windows', [], false, 'noSpeech'],
  ] as const)('%s', (_, verdicts, hasWords, rejectedBy) => {
    expect(rejectionOf(verdicts, hasWords)).toBe(rejectedBy);
  });
});

describe('loops', () => {
  const say = (phrase: readonly number[], turns: number) =>
    Array.from({ length: turns }, () => phrase).flat();

  it.each([
    ['one token over and over', say([7], 16), true],
    ['a phrase over and over', say([1, 2, 3, 4], 4), true],
    ['a phrase over and over after other words', [9, 8, 7, 6, ...say([1, 2, 3], 6)], true],
    ['a long phrase, four times', say([1, 2, 3, 4, 5, 6, 7, 8], 4), true],
    ['a long phrase, three times', say([1, 2, 3, 4, 5, 6, 7, 8], 3), false],
    ['a phone number of one digit', say([5], 10), false],
    ['a phone number of pairs', say([5, 6], 5), false],
    ['ordinary words', [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 11, 12, 13, 14, 15, 16, 17], false],
    ['a loop that ended', [...say([7], 20), 1, 2, 3], false],
    ['nothing', [], false],
  ] as const)('%s', (_, tokens, isLoop) => {
    expect(endsInLoop(tokens, GUARDS)).toBe(isLoop);
  });
});

describe('level', () => {
  it('is that of the loudest 20 ms', () => {
    const samples = new Float32Array(16_000);
    expect(loudestDbfs(samples, 16_000)).toBe(Number.NEGATIVE_INFINITY);
    samples.fill(0.1, 3200, 3520);
    expect(loudestDbfs(samples, 16_000)).toBeCloseTo(-20, 5);
    expect(loudestDbfs(new Float32Array(0), 16_000)).toBe(Number.NEGATIVE_INFINITY);
  });
});
