/** What a recogniser of a test's own gives. */
import type { Transcript } from '../../../src/workers/protocol.ts';

/** A text that was believed. */
export function heardAs(text: string): Transcript {
  return {
    kind: 'transcript',
    text,
    rejectedBy: 'none',
    noSpeechProbability: 0,
    meanLogProbability: 0,
    tokens: 1,
    audioMs: 0,
    queueMs: 0,
    computeMs: 0,
  };
}
