/** The decoding policy over a scripted model. */
import { describe, expect, it } from 'vitest';
import { WHISPER_GUARD_DEFAULTS } from '../../../src/workers/whisper/guards.ts';
import {
  type DecoderSteps,
  type DecodingRequest,
  type DecodingRules,
  decodeGreedily,
} from '../../../src/workers/whisper/whisper-decoder.ts';
import type { Logits } from '../../../src/workers/whisper/whisper-model.ts';

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
const REQUEST: DecodingRequest = { audioMs: 1000, guards: WHISPER_GUARD_DEFAULTS, isCancelled: () => false };

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

  #favour(scores: Float32Array): void {
    const token = this.#favoured[Math.min(this.#step++, this.#favoured.length - 1)]!;
    scores[token] = 8;
  }
}

describe('greedy decoding', () => {
  it('takes the best token until the end token, feeding each back', async () => {
    const model = new ScriptedModel([1, 2, 3, END]);
    const evidence = await decodeGreedily(model, RULES, REQUEST);
    expect(evidence).toMatchObject({ tokens: [1, 2, 3], hasLooped: false });
    expect(model.fed).toEqual([START, 11, 1, 2, 3]);
  });

  it('never takes a suppressed token, and some only not first', async () => {
    // Where nothing that may be taken is favoured, the end comes before token 0, if it may be taken.
    const evidence = await decodeGreedily(new ScriptedModel([7, 7, NO_SPEECH]), RULES, REQUEST);
    expect(evidence!.tokens).toEqual([0, 7]);
  });

  it('reads the no-speech probability after start-of-transcript', async () => {
    const loud = await decodeGreedily(new ScriptedModel([1, END], 0), RULES, REQUEST);
    expect(loud!.noSpeechProbability).toBeCloseTo(1 / VOCABULARY, 6);
    const silent = await decodeGreedily(new ScriptedModel([1, END], 20), RULES, REQUEST);
    expect(silent!.noSpeechProbability).toBeCloseTo(1, 6);
    const ignorant = await decodeGreedily(
      new ScriptedModel([1, END], 20),
      { ...RULES, noSpeechToken: null },
      REQUEST,
    );
    expect(ignorant!.noSpeechProbability).toBe(0);
  });

  it('averages the log-probability over the tokens and the end', async () => {
    const evidence = await decodeGreedily(new ScriptedModel([1, END]), RULES, REQUEST);
    // Suppressed tokens have no share: 12 - 3 - 2 candidates first, 12 - 3 then.
    const first = 8 - Math.log(Math.exp(8) + 6);
    const second = 8 - Math.log(Math.exp(8) + 8);
    expect(evidence!.meanLogProbability).toBeCloseTo((first + second) / 2, 5);
  });

  it('stops at the bound that the audio sets', async () => {
    const wandering = Array.from({ length: 100 }, (_, i) => Math.floor(i * i * 0.37) % 7);
    const short = await decodeGreedily(new ScriptedModel(wandering), RULES, { ...REQUEST, audioMs: 500 });
    expect(short!.tokens).toHaveLength(14);
    const long = await decodeGreedily(new ScriptedModel(wandering), RULES, { ...REQUEST, audioMs: 9000 });
    expect(long!.tokens).toHaveLength(RULES.maxTokens - RULES.promptTokens.length);
  });

  it('stops in a loop', async () => {
    const model = new ScriptedModel([1, 2, 3, 4]);
    const evidence = await decodeGreedily(model, RULES, { ...REQUEST, audioMs: 9000 });
    expect(evidence).toMatchObject({ hasLooped: true });
    expect(evidence!.tokens.length).toBeLessThan(24);
  });

  it.each([0, 1, 2])('stops when cancelled after %i looks', async (looks) => {
    const model = new ScriptedModel([1, 2, 3, 4, END]);
    let looked = 0;
    const isCancelled = () => looked++ >= looks;
    expect(await decodeGreedily(model, RULES, { ...REQUEST, isCancelled })).toBeNull();
    expect(model.fed.length).toBe(looks === 0 ? 0 : RULES.promptTokens.length + looks - 1);
  });
});
