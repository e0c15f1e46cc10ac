/** The decoding policy over a scripted model. */
import { describe, expect, it } from 'vitest';
import type { BeamSteps } from '../../../src/workers/whisper/beam-search.ts';
import type { Logits } from '../../../src/workers/whisper/decoder-model.ts';
import { WHISPER_GUARD_DEFAULTS } from '../../../src/workers/whisper/guards.ts';
import {
  type DecoderSteps,
  type DecodingRequest,
  type DecodingRules,
  decode,
} from '../../../src/workers/whisper/whisper-decoder.ts';

const VOCABULARY = 12;
const START = 8;
const END = 9;
const NO_SPEECH = 10;
const RULES: DecodingRules = {
  promptTokens: [START, 11],
  endToken: END,
  noSpeechToken: NO_SPEECH,
  suppressedTokens: Int32Array.of(START, NO_SPEECH, 11),
  suppressedFirstTokens: Int32Array.of(END, 7),
  maxTokens: 40,
};
const REQUEST: DecodingRequest = {
  audioMs: 1000,
  guards: WHISPER_GUARD_DEFAULTS,
  search: { beams: 1, unsureLogProbability: 0 },
  isCancelled: () => false,
};

/** Favours the scripted tokens one after another, the last for ever; remembers what it was fed. */
class ScriptedModel implements DecoderSteps {
  readonly fed: number[] = [];
  readonly #favoured: readonly number[];
  readonly #noSpeechScore: number;
  #step = 0;

  constructor(favoured: readonly number[], noSpeechScore = 0) {
    this.#favoured = favoured;
    this.#noSpeechScore = noSpeechScore;
  }

  async start(prompt: readonly number[]): Promise<Logits> {
    this.fed.push(...prompt);
    const scores = new Float32Array(VOCABULARY * prompt.length);
    scores[NO_SPEECH] = this.#noSpeechScore;
    this.#favour(scores.subarray(VOCABULARY * (prompt.length - 1)));
    return { scores, rows: prompt.length, vocabularyTokens: VOCABULARY };
  }

  async advance(token: number): Promise<Logits> {
    this.fed.push(token);
    const scores = new Float32Array(VOCABULARY);
    this.#favour(scores);
    return { scores, rows: 1, vocabularyTokens: VOCABULARY };
  }

  beams(): BeamSteps {
    throw new Error('nothing to search for');
  }

  #favour(scores: Float32Array): void {
    const token = this.#favoured[Math.min(this.#step++, this.#favoured.length - 1)]!;
    scores[token] = 8;
  }
}

describe('greedy decoding', () => {
  it('takes the best token until the end token, feeding each back', async () => {
    const model = new ScriptedModel([1, 2, 3, END]);
    const evidence = await decode(model, RULES, REQUEST);
    expect(evidence).toMatchObject({ tokens: [1, 2, 3], hasLooped: false });
    expect(model.fed).toEqual([START, 11, 1, 2, 3]);
  });

  it('never takes a suppressed token, and some only not first', async () => {
    // Where nothing that may be taken is favoured, the end comes before token 0, if it may be taken.
    const evidence = await decode(new ScriptedModel([7, 7, NO_SPEECH]), RULES, REQUEST);
    expect(evidence!.tokens).toEqual([0, 7]);
  });

  it('reads the no-speech probability after start-of-transcript', async () => {
    const loud = await decode(new ScriptedModel([1, END], 0), RULES, REQUEST);
    expect(loud!.noSpeechProbability).toBeCloseTo(1 / VOCABULARY, 6);
    const silent = await decode(new ScriptedModel([1, END], 20), RULES, REQUEST);
    expect(silent!.noSpeechProbability).toBeCloseTo(1, 6);
    const ignorant = await decode(
      new ScriptedModel([1, END], 20),
      { ...RULES, noSpeechToken: null },
      REQUEST,
    );
    expect(ignorant!.noSpeechProbability).toBe(0);
  });

  it('averages the log-probability over the tokens and the end', async () => {
    const evidence = await decode(new ScriptedModel([1, END]), RULES, REQUEST);
    // Suppressed tokens have no share: 12 - 3 - 2 candidates first, 12 - 3 then.
    const first = 8 - Math.log(Math.exp(8) + 6);
    const second = 8 - Math.log(Math.exp(8) + 8);
    expect(evidence!.meanLogProbability).toBeCloseTo((first + second) / 2, 5);
  });

  it('stops at the bound that the audio sets', async () => {
    const wandering = Array.from({ length: 100 }, (_, i) => Math.floor(i * i * 0.37) % 7);
    const short = await decode(new ScriptedModel(wandering), RULES, { ...REQUEST, audioMs: 500 });
    expect(short!.tokens).toHaveLength(14);
    const long = await decode(new ScriptedModel(wandering), RULES, { ...REQUEST, audioMs: 9000 });
    expect(long!.tokens).toHaveLength(RULES.maxTokens - RULES.promptTokens.length);
  });

  it('stops in a loop', async () => {
    const model = new ScriptedModel([1, 2, 3, 4]);
    const evidence = await decode(model, RULES, { ...REQUEST, audioMs: 9000 });
    expect(evidence).toMatchObject({ hasLooped: true });
    expect(evidence!.tokens.length).toBeLessThan(24);
  });

  it.each([0, 1, 2])('stops when cancelled after %i looks', async (looks) => {
    const model = new ScriptedModel([1, 2, 3, 4, END]);
    let looked = 0;
    const isCancelled = () => looked++ >= looks;
    expect(await decode(model, RULES, { ...REQUEST, isCancelled })).toBeNull();
    expect(model.fed.length).toBe(looks === 0 ? 0 : RULES.promptTokens.length + looks - 1);
  });
});

/** Two words begin alike; what follows the likelier one is anybody's guess, what follows the other is certain. */
class GardenPath implements DecoderSteps {
  searches = 0;
  readonly #sure: boolean;

  constructor(sure: boolean) {
    this.#sure = sure;
  }

  async start(prompt: readonly number[]): Promise<Logits> {
    const scores = new Float32Array(VOCABULARY * prompt.length);
    scores.set(this.#after(undefined), VOCABULARY * (prompt.length - 1));
    return { scores, rows: prompt.length, vocabularyTokens: VOCABULARY };
  }

  async advance(token: number): Promise<Logits> {
    return { scores: this.#after(token), rows: 1, vocabularyTokens: VOCABULARY };
  }

  beams(): BeamSteps {
    this.searches += 1;
    return {
      advance: async (tokens) => {
        const scores = Float32Array.from(tokens.flatMap((token) => [...this.#after(token)]));
        return { scores, rows: tokens.length, vocabularyTokens: VOCABULARY };
      },
    };
  }

  #after(token: number | undefined): Float32Array {
    const scores = new Float32Array(VOCABULARY);
    if (token === undefined) scores.set(this.#sure ? [0, 20, 0] : [0, 6, 5.9]);
    else if (token === 1 && !this.#sure) scores.fill(1);
    else scores[END] = 20;
    return scores;
  }
}

describe('searching where greedy decoding was unsure', () => {
  const searching = { ...REQUEST, search: { beams: 3, unsureLogProbability: -0.2 } };

  it('finds the text that greedy decoding passed by', async () => {
    const greedy = await decode(new GardenPath(false), RULES, REQUEST);
    const found = await decode(new GardenPath(false), RULES, searching);
    expect(greedy!.tokens[0]).toBe(1);
    expect(found!.tokens).toEqual([2]);
    expect(found!.meanLogProbability).toBeGreaterThan(greedy!.meanLogProbability);
    expect(found!.noSpeechProbability).toBe(greedy!.noSpeechProbability);
  });

  it('does not search when it was sure', async () => {
    const model = new GardenPath(true);
    expect((await decode(model, RULES, searching))!.tokens).toEqual([1]);
    expect(model.searches).toBe(0);
  });

  it('does not search where nothing was said', async () => {
    const model = new GardenPath(false);
    await decode(
      model,
      { ...RULES, noSpeechToken: 2 },
      { ...searching, guards: { ...searching.guards, noSpeechCertain: 0 } },
    );
    expect(model.searches).toBe(0);
  });

  it('is cancelled between two steps of the search', async () => {
    const model = new GardenPath(false);
    const isCancelled = () => model.searches > 0;
    expect(await decode(model, RULES, { ...searching, isCancelled })).toBeNull();
  });
});
