/** An utterance of several windows: what was lost of it is told, what was a pause is not. */
import { expect, it } from 'vitest';
import { heardWords } from '../../src/call/heard-words.ts';
import type { Cancelled, Lapped, Transcript } from '../../src/workers/protocol.ts';

const LAPPED: Lapped = { kind: 'lapped' };
const CANCELLED: Cancelled = { kind: 'cancelled' };

function window(text: string, rejectedBy: Transcript['rejectedBy'] = 'none'): Transcript {
  const figures = { noSpeechProbability: 0, meanLogProbability: -0.1, tokens: 4, audioMs: 1, queueMs: 1 };
  return { kind: 'transcript', text, rejectedBy, ...figures, computeMs: 1 };
}

it.each([
  ['all windows heard', [window('a table'), window('for four')], 'a table for four', false],
  [
    'a pause between them',
    [window('a table'), window('', 'noSpeech'), window('please')],
    'a table please',
    false,
  ],
  [
    'one not believed',
    [window('a table'), window('', 'lowConfidence'), window('please')],
    'a table please',
    true,
  ],
  ['one with a hole of its own', [window('a table please', 'repetition')], 'a table please', true],
  ['one overwritten', [LAPPED, window('please')], 'please', true],
  ['none believed', [window('', 'lowConfidence'), window('', 'noSpeech')], '', false],
  ['all overwritten', [LAPPED], '', false],
  ['cancelled', [CANCELLED, CANCELLED], '', false],
] as const)('%s', (_, windows, text, isPartial) => {
  expect(heardWords(windows)).toEqual({ text, isPartial });
});
