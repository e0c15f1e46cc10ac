/** The search over models small enough to look at every text. */
import { describe, expect, it } from 'vitest';
import { type BeamSteps, searchBeams, type Text } from '../../../src/workers/whisper/beam-search.ts';
import { WHISPER_GUARD_DEFAULTS } from '../../../src/workers/whisper/guards.ts';
import type { DecodingRules } from '../../../src/workers/whisper/whisper-decoder.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

const WORDS = 3;
const END = WORDS;
const VOCABULARY = WORDS + 1;
const LIMIT = 4;
const RULES: DecodingRules = {
  promptTokens: [],
  endToken: END,
  noSpeechToken: null,
  suppressedTokens: Int32Array.of(),
  suppressedFirstTokens: Int32Array.of(),
  maxTokens: 40,
};
const WORST: Text = { tokens: [], meanLogProbability: -100 };

/** Scores that depend on all tokens before; drawn once for each text. */
class RandomModel implements BeamSteps {
  readonly #random: SeededRandom;
  readonly #known = new Map<string, readonly number[]>();
  #rows: (readonly number[])[] = [[]];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  scoresAfter(text: readonly number[]): readonly number[] {
    const key = text.join(' ');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = Array.from({ length: VOCABULARY }, () => 5 * this.#random.next());
    this.#known.set(key, made);
    return made;
  }

  async advance(tokens: readonly number[], parents: readonly number[]) {
    this.#rows = tokens.map((token, row) => [...this.#rows[parents[row]!]!, token]);
    const scores = Float32Array.from(this.#rows.flatMap((text) => [...this.scoresAfter(text)]));
    return { scores, rows: tokens.length, vocabularyTokens: VOCABULARY };
  }

  logProbability(text: readonly number[], token: number): number {
    const scores = this.scoresAfter(text);
    return scores[token]! - Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
  }
}

describe('beam search', () => {
  const seed = printedSeed('beam search');

  it('finds the best of all texts when it keeps them all', async () => {
    for (let round = 0; round < 30; round++) {
      const model = new RandomModel(seed + round);
      const found = await search(model, { beams: WORDS ** LIMIT });
      const best = bestOf(everyText(model));
      expect(found!.meanLogProbability).toBeCloseTo(best.meanLogProbability, 4);
      expect(found!.tokens).toEqual(best.tokens);
    }
  });

  it.each([1, 2, 3, 5])(
    'tells the true score of what it finds with %i beams, never a worse one than the rival',
    async (beams) => {
      for (let round = 0; round < 30; round++) {
        const model = new RandomModel(seed + round);
        const rival = everyText(model)[round % 20]!;
        const found = await search(model, { beams, rival });
        expect(found!.meanLogProbability).toBeGreaterThanOrEqual(rival.meanLogProbability);
        expect(found!.meanLogProbability).toBeCloseTo(scoreOf(model, found!.tokens), 4);
      }
    },
  );

  it('writes no more tokens than the limit, and takes the rival where nothing ended', async () => {
    const endless: BeamSteps = {
      advance: async (tokens) => ({
        scores: new Float32Array(VOCABULARY * tokens.length).map((_, i) =>
          i % VOCABULARY === END ? -1e9 : 0,
        ),
        rows: tokens.length,
        vocabularyTokens: VOCABULARY,
      }),
    };
    const start = Float32Array.of(0, 0, 0, -1e9);
    expect(await searchBeams(start, endless, RULES, request({ beams: 2 }))).toBe(WORST);
  });

  it('takes no suppressed token, and no token first that may not be', async () => {
    const rules = {
      ...RULES,
      suppressedTokens: Int32Array.of(1),
      suppressedFirstTokens: Int32Array.of(0, END),
    };
    for (let round = 0; round < 20; round++) {
      const model = new RandomModel(seed + round);
      const start = Float32Array.from(model.scoresAfter([]));
      const found = await searchBeams(start, model, rules, request({ beams: 4 }));
      expect(found!.tokens[0]).toBe(2);
      expect(found!.tokens).not.toContain(1);
    }
  });

  it('keeps no text that runs in a loop', async () => {
    const stuck: BeamSteps = {
      advance: async (tokens) => ({
        scores: Float32Array.from(tokens.flatMap(() => [9, 0, 0, 3])),
        rows: tokens.length,
        vocabularyTokens: VOCABULARY,
      }),
    };
    const guards = { ...WHISPER_GUARD_DEFAULTS, loopTokens: 6, loopTurns: 3 };
    const found = await searchBeams(Float32Array.of(9, 0, 0, 3), stuck, RULES, {
      ...request({ beams: 1 }),
      guards,
      limitTokens: 30,
    });
    expect(found!.tokens.length).toBeLessThan(6);
  });

  it('stops when cancelled', async () => {
    let steps = 0;
    const endless: BeamSteps = {
      advance: async (tokens) => {
        steps += 1;
        const scores = Float32Array.from(tokens.flatMap(() => [0, 0, 0, -1e9]));
        return { scores, rows: tokens.length, vocabularyTokens: VOCABULARY };
      },
    };
    const isCancelled = () => steps >= 2;
    const start = Float32Array.of(0, 0, 0, -1e9);
    expect(await searchBeams(start, endless, RULES, request({ beams: 3, isCancelled }))).toBeNull();
    expect(steps).toBe(2);
  });
});

interface Asked {
  readonly beams: number;
  readonly rival?: Text;
  readonly isCancelled?: () => boolean;
}

function request({ beams, rival = WORST, isCancelled = () => false }: Asked) {
  const search = { beams, unsureLogProbability: 0 };
  return { search, guards: WHISPER_GUARD_DEFAULTS, limitTokens: LIMIT, rival, isCancelled };
}

function search(model: RandomModel, asked: Asked): Promise<Text | null> {
  return searchBeams(Float32Array.from(model.scoresAfter([])), model, RULES, request(asked));
}

/** Every text of less than LIMIT tokens, with its score. */
function everyText(model: RandomModel, text: readonly number[] = []): Text[] {
  const own = { tokens: text, meanLogProbability: scoreOf(model, text) };
  if (text.length === LIMIT - 1) return [own];
  return [own, ...Array.from({ length: WORDS }, (_, word) => everyText(model, [...text, word])).flat()];
}

function scoreOf(model: RandomModel, text: readonly number[]): number {
  const parts = [...text, END].map((token, at) => model.logProbability(text.slice(0, at), token));
  return parts.reduce((sum, part) => sum + part, 0) / parts.length;
}

function bestOf(texts: readonly Text[]): Text {
  return texts.reduce((best, text) => (text.meanLogProbability > best.meanLogProbability ? text : best));
}
