/** How a sentence begins: whole frames that are too quiet to hear, at the rate of its ring. */
import { describe, expect, it } from 'vitest';
import { createRing } from '../../../src/ring-buffers/layout.ts';
import { RingSentence } from '../../../src/workers/tts/ring-sentence.ts';
import { createSentencePlace, type SpeakAttempt } from '../../../src/workers/tts/tts-task.ts';

const LOUD = 3000;
/** -58 dBFS. */
const QUIET = 40;

function sentenceOf(
  rateHz: number,
  ...parts: readonly (readonly [level: number, ms: number])[]
): RingSentence {
  const attempt = {
    downlink: createRing({ rateHz, capacitySamples: 65_536 }),
    epoch: 0,
    cancel: new Int32Array(new SharedArrayBuffer(4)),
    turnId: 1,
    place: createSentencePlace(),
  } as unknown as SpeakAttempt;
  const sentence = new RingSentence(attempt);
  const speech = parts.flatMap(([level, ms]) => Array<number>((ms * rateHz) / 1000).fill(level));
  sentence.add(Int16Array.from(speech), 0);
  return sentence;
}

describe('the quiet start of a sentence', () => {
  it.each([
    [8000, [[LOUD, 200]], 0],
    [
      8000,
      [
        [QUIET, 100],
        [LOUD, 200],
      ],
      100,
    ],
    [
      8000,
      [
        [QUIET, 110],
        [LOUD, 200],
      ],
      100,
    ],
    [
      16_000,
      [
        [QUIET, 60],
        [LOUD, 200],
      ],
      60,
    ],
    [
      8000,
      [
        [LOUD, 20],
        [QUIET, 100],
        [LOUD, 200],
      ],
      0,
    ],
    [8000, [[0, 40]], 40],
  ] as const)('at %i Hz of %o is %i ms', (rateHz, parts, leadInMs) => {
    expect(sentenceOf(rateHz, ...parts).leadInMs).toBe(leadInMs);
  });
});
