/** The tensors, on real weights: the cache changes nothing, bad files are named. */
import { cpSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPack } from '../../../src/models/pack.ts';
import type { EncodedAudio } from '../../../src/workers/whisper/decoder-model.ts';
import { LogMel } from '../../../src/workers/whisper/features/log-mel.ts';
import { loadWhisperConfig, type WhisperConfig } from '../../../src/workers/whisper/whisper-config.ts';
import { WhisperModel, type WhisperModelOptions } from '../../../src/workers/whisper/whisper-model.ts';
import { hasTestPack, TEST_PACK_FOLDER } from '../../models/test-pack.ts';
import { recording } from './utterances.ts';

describe.skipIf(!hasTestPack('manifest.json'))('whisper model', () => {
  let options: WhisperModelOptions;
  let config: WhisperConfig;
  let model: WhisperModel;

  beforeAll(async () => {
    const { whisper } = await loadPack(TEST_PACK_FOLDER);
    config = await loadWhisperConfig(whisper.folder, 'en');
    const { decoderHeads, headSize } = config;
    options = {
      folder: whisper.folder,
      dtype: whisper.dtype,
      provider: 'cpu',
      intraOpThreads: 1,
      decoderHeads,
      headSize,
    };
    model = await WhisperModel.load(options);
  });

  afterAll(() => model?.release());

  it('decodes with the cache as without it', async () => {
    const encoded = await encodeRecording('book-table.wav');
    const tokens = [...config.promptTokens];
    const cached = model.decoding(encoded);
    let logits = await cached.start(tokens);
    for (let step = 0; step < 10; step++) {
      const withCache = logits.scores.slice((logits.rows - 1) * logits.vocabularyTokens);
      const whole = await model.decoding(encoded).start(tokens);
      const withoutCache = whole.scores.slice((whole.rows - 1) * whole.vocabularyTokens);
      expect(largestDifference(withCache, withoutCache)).toBeLessThan(1e-3);
      const best = withCache.indexOf(Math.max(...withCache));
      expect(withoutCache.indexOf(Math.max(...withoutCache))).toBe(best);
      if (best === config.endToken) break;
      tokens.push(best);
      logits = await cached.advance(best);
    }
    expect(tokens.length).toBeGreaterThan(config.promptTokens.length + 5);
  });

  it('keeps decodings of different audio apart', async () => {
    const [one, other] = [await encodeRecording('book-table.wav'), await encodeRecording('my-name.wav')];
    const alone = await firstScores(one, 3);
    const first = model.decoding(one);
    const second = model.decoding(other);
    let scores = (await first.start(config.promptTokens)).scores;
    await second.start(config.promptTokens);
    for (const token of [1, 2, 3]) {
      scores = (await first.advance(token)).scores;
      await second.advance(token);
    }
    expect(largestDifference(scores, alone)).toBe(0);
  });

  it('gives memory back with each step, and never what is still to be read', async () => {
    const encoded = await encodeRecording('book-table.wav');
    const [decoding, other] = [model.decoding(encoded), model.decoding(encoded)];
    const prompt = await decoding.start(config.promptTokens);
    const expected = await firstScores(encoded, 2);
    const one = await decoding.advance(1);
    const two = await decoding.advance(2);
    expect([one.scores.length, largestDifference(two.scores, expected)]).toEqual([0, 0]);
    const search = decoding.beams();
    const beams = await search.advance([1, 1], [0, 0]);
    const rows = await search.advance([2, 2], [0, 1]);
    expect([beams.scores.length, prompt.scores.length > 0]).toEqual([0, true]);
    expect(largestDifference(rows.scores.subarray(0, rows.vocabularyTokens), expected)).toBeLessThan(1e-3);
    decoding.free();
    expect([prompt, two, rows].map(({ scores }) => scores.length)).toEqual([0, 0, 0]);
    await other.start(config.promptTokens);
    await other.advance(1);
    expect(largestDifference((await other.advance(2)).scores, expected)).toBe(0);
    other.free();
    model.free(encoded);
    expect((encoded.hiddenStates.data as Float32Array).length).toBe(0);
  });

  it('reports the provider in use when the one asked for is not there', async () => {
    const asked = await WhisperModel.load({ ...options, provider: 'cuda' });
    expect(['cpu', 'cuda']).toContain(asked.provider);
    expect(asked.providerNote === '').toBe(asked.provider === 'cuda');
    if (asked.provider === 'cpu') expect(asked.providerNote).toContain('--onnxruntime-node-install');
    await asked.release();
  });

  it.each(['encoder_model', 'decoder_model_merged'])('names a missing and a damaged %s', async (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'wildfire-whisper-model-'));
    cpSync(options.folder, folder, { recursive: true });
    const half = name.startsWith('encoder') ? 'encoder' : 'decoder';
    const dtype = typeof options.dtype === 'string' ? options.dtype : options.dtype[half];
    const suffix = dtype === 'fp32' ? '' : `_${dtype === 'q8' ? 'quantized' : dtype}`;
    const file = join(folder, 'onnx', `${name}${suffix}.onnx`);
    truncateSync(file, 5000);
    await expect(WhisperModel.load({ ...options, folder })).rejects.toMatchObject({
      code: 'MODEL_DAMAGED',
      message: expect.stringContaining(file),
    });
    rmSync(file);
    await expect(WhisperModel.load({ ...options, folder })).rejects.toMatchObject({ code: 'MODEL_MISSING' });
    rmSync(folder, { recursive: true });
  });

  async function firstScores(encoded: EncodedAudio, steps: number): Promise<Float32Array> {
    const decoding = model.decoding(encoded);
    let scores = (await decoding.start(config.promptTokens)).scores;
    for (let token = 1; token <= steps; token++) scores = (await decoding.advance(token)).scores;
    return scores;
  }

  async function encodeRecording(file: string): Promise<EncodedAudio> {
    const { samples } = recording(file);
    // Every sample twice stands for 16 kHz here: what the features hold does not matter to these tests.
    const doubled = Float32Array.from({ length: samples.length * 2 }, (_, i) => samples[i >> 1]! / 32_768);
    const features = new Float32Array(config.melBins * config.windowFrames);
    new LogMel({ melBins: config.melBins }).extract(doubled, config.windowFrames, features);
    return model.encode(features, config.melBins);
  }
});

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}
