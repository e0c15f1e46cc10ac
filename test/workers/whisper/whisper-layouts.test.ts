/** Every layout that converters write gives Hugging Face's numbers: a random Whisper of 16 numbers, no pack needed. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WHISPER_SEARCH_DEFAULTS } from '../../../src/workers/whisper/beam-search.ts';
import type { Logits } from '../../../src/workers/whisper/decoder-model.ts';
import { WHISPER_GUARD_DEFAULTS } from '../../../src/workers/whisper/guards.ts';
import { Transcriber } from '../../../src/workers/whisper/transcriber.ts';
import { loadWhisperConfig, type WhisperConfig } from '../../../src/workers/whisper/whisper-config.ts';
import { WhisperModel } from '../../../src/workers/whisper/whisper-model.ts';

interface Expected {
  readonly prompt: readonly number[];
  /** After each prompt token. */
  readonly scores: readonly (readonly number[])[];
  /** Twelve tokens chosen without any suppression. */
  readonly greedy: readonly number[];
  /** The scores that the last of them was chosen by. */
  readonly lastScores: readonly number[];
}

const FIXTURES = new URL('../../fixtures/whisper-random/', import.meta.url);
const EXPECTED: Expected = JSON.parse(readFileSync(new URL('expected.json', FIXTURES), 'utf8'));
const WINDOW_FRAMES = 100;
const MEL_BINS = 80;

describe.each([
  ['merged', 'fp32', null, 1e-3],
  ['split', 'fp32', WINDOW_FRAMES, 1e-3],
  ['split', 'fp16', WINDOW_FRAMES, 3e-2],
] as const)('%s decoder, %s', (layout, dtype, fixedFrames, tolerance) => {
  let config: WhisperConfig;
  let model: WhisperModel;

  beforeAll(async () => {
    const folder = folderOf(layout);
    config = await loadWhisperConfig(folder, 'en');
    const { decoderHeads, headSize } = config;
    model = await WhisperModel.load({
      folder,
      dtype,
      provider: 'cpu',
      intraOpThreads: 1,
      decoderHeads,
      headSize,
    });
  });

  afterAll(() => model?.release());

  it('prompts as Hugging Face does', () => {
    expect(config.promptTokens).toEqual(EXPECTED.prompt);
  });

  it('knows whether its window is fixed', () => {
    expect(model.fixedFrames).toBe(fixedFrames);
  });

  it('scores the prompt as Hugging Face does', async () => {
    const logits = await model.decoding(await model.encode(features(), MEL_BINS)).start(EXPECTED.prompt);
    expect([logits.rows, logits.vocabularyTokens]).toEqual([4, config.vocabularyTokens]);
    for (const [row, scores] of EXPECTED.scores.entries()) expectClose(rowOf(logits, row), scores, tolerance);
  });

  it('goes on with its cache as Hugging Face does without one', async () => {
    const decoding = model.decoding(await model.encode(features(), MEL_BINS));
    let logits = await decoding.start(EXPECTED.prompt);
    const greedy: number[] = [];
    for (const expected of EXPECTED.greedy) {
      greedy.push(best(rowOf(logits, logits.rows - 1)));
      if (greedy.length < EXPECTED.greedy.length) logits = await decoding.advance(expected);
    }
    expect(greedy).toEqual(EXPECTED.greedy);
    expectClose(rowOf(logits, 0), EXPECTED.lastScores, tolerance);
  });

  it('scores texts side by side as one after another, whichever ends and whichever is continued twice', async () => {
    const audio = await model.encode(features(), MEL_BINS);
    const decoding = model.decoding(audio);
    await decoding.start(EXPECTED.prompt);
    await decoding.advance(9); // what was advanced alone does not matter to the texts side by side
    const beams = decoding.beams();
    await beams.advance([1, 2, 3], [0, 0, 0]);
    await beams.advance([4, 5, 6, 7], [2, 0, 0, 1]);
    const logits = await beams.advance([8, 9], [3, 0]);
    expect(logits.rows).toBe(2);
    for (const [row, text] of [
      [2, 7, 8],
      [3, 4, 9],
    ].entries()) {
      const alone = model.decoding(audio);
      let last = await alone.start(EXPECTED.prompt);
      for (const token of text) last = await alone.advance(token);
      expectClose(rowOf(logits, row), rowOf(last, 0), tolerance);
    }
  });

  it('keeps decodings that run in turns apart', async () => {
    const [one, other] = [
      await model.encode(features(), MEL_BINS),
      await model.encode(features(0.9), MEL_BINS),
    ];
    const [first, second] = [model.decoding(one), model.decoding(other)];
    await first.start(EXPECTED.prompt);
    await second.start(EXPECTED.prompt);
    let logits: Logits | undefined;
    for (const token of EXPECTED.greedy.slice(0, -1)) {
      logits = await first.advance(token);
      await second.advance((token + 1) % 10);
    }
    expectClose(rowOf(logits!, 0), EXPECTED.lastScores, tolerance);
  });
});

describe('windows as long as the utterance', () => {
  it.each([
    ['merged', 'utterance', true],
    ['merged', 'full', false],
    ['split', 'utterance', false],
  ] as const)('%s weights, policy %s: trims %s', async (layout, window, trims) => {
    const transcriber = await Transcriber.load({
      folder: folderOf(layout),
      dtype: { encoder: 'fp32', decoder: 'fp32' },
      provider: 'cpu',
      intraOpThreads: 1,
      language: 'en',
      window,
      guards: { ...WHISPER_GUARD_DEFAULTS, minMeanLogProbability: -100, loopTokens: 1000 },
      search: WHISPER_SEARCH_DEFAULTS,
    });
    expect(transcriber.trimsWindow).toBe(trims);
    await transcriber.warmUp();
    const tone = Int16Array.from({ length: 4000 }, (_, i) => 8000 * Math.sin(i * 0.3));
    const heard = await transcriber.transcribe(tone, 8000, () => false);
    expect(heard).toMatchObject({ audioMs: 500, rejectedBy: 'none' });
    await transcriber.model.release();
  });
});

function folderOf(layout: string): string {
  return fileURLToPath(new URL(layout, FIXTURES));
}

/** The formula of make.py; `frequency` other than its own makes other audio. */
function features(frequency = 0.37): Float32Array {
  return Float32Array.from({ length: MEL_BINS * WINDOW_FRAMES }, (_, i) => Math.sin(i * frequency));
}

function rowOf(logits: Logits, row: number): number[] {
  return [...logits.scores.subarray(row * logits.vocabularyTokens, (row + 1) * logits.vocabularyTokens)];
}

function best(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores));
}

function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  const largest = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
  expect(largest).toBeLessThan(tolerance);
}
