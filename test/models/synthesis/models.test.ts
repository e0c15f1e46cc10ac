/** Made-up models in the engines that run the real ones: every stage loads its files and computes with them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { writeKokoro } from '../../../src/models/synthesis/kokoro/kokoro-files.ts';
import { writeLlama } from '../../../src/models/synthesis/llama/llama-file.ts';
import { RandomWeights, type WeightType } from '../../../src/models/synthesis/random-weights.ts';
import { WRITTEN_TOKENS } from '../../../src/models/synthesis/whisper/decoder-graph.ts';
import { writeWhisper } from '../../../src/models/synthesis/whisper/whisper-files.ts';
import { LlamaClient } from '../../../src/workers/llama/llama-client.ts';
import { openKokoro } from '../../../src/workers/tts/kokoro-model.ts';
import { WHISPER_SEARCH_DEFAULTS } from '../../../src/workers/whisper/beam-search.ts';
import { WHISPER_GUARD_DEFAULTS } from '../../../src/workers/whisper/guards.ts';
import { Transcriber } from '../../../src/workers/whisper/transcriber.ts';
import { utterancesOf } from '../../workers/tts/engine-speech.ts';
import { TINY_KOKORO, TINY_LLAMA, TINY_WHISPER } from './tiny-shapes.ts';

const folder = mkdtempSync(join(tmpdir(), 'wildfire-synthesis-'));
afterAll(() => rmSync(folder, { recursive: true }));
const metadata = { weights: 'random' };
const noise = Int16Array.from({ length: 8000 }, (_, i) => 5000 * Math.sin(i * i * 1e-3));

describe('a made-up Whisper', () => {
  const write = (name: string, type: 'fp32' | 'fp16', mostInlineBytes?: number) =>
    writeWhisper(folder, name, {
      shape: TINY_WHISPER,
      type,
      weights: new RandomWeights(4),
      metadata,
      ...(mostInlineBytes === undefined ? {} : { mostInlineBytes }),
    });
  const transcribe = async (name: string, dtype: 'fp32' | 'fp16', beams = 1) => {
    const transcriber = await Transcriber.load({
      folder: join(folder, name),
      dtype,
      language: 'en',
      window: 'full',
      guards: {
        ...WHISPER_GUARD_DEFAULTS,
        minMeanLogProbability: -1000,
        noSpeechCertain: 2,
        noSpeechLikely: 2,
      },
      search: { ...WHISPER_SEARCH_DEFAULTS, beams },
      provider: 'cpu',
      intraOpThreads: 1,
    });
    const heard = await transcriber.transcribe(noise, 8000, () => false);
    await transcriber.model.release();
    return heard!;
  };

  it('writes a sentence of always the same length', async () => {
    await write('whisper', 'fp32');
    const heard = await transcribe('whisper', 'fp32');
    expect(heard).toMatchObject({ tokens: WRITTEN_TOKENS, rejectedBy: 'none' });
    expect(heard.text).not.toBe('');
  });

  it('has the inputs and outputs of the Hugging Face files', async () => {
    await write('names', 'fp32');
    const encoder = await InferenceSession.create(join(folder, 'names/onnx/encoder_model.onnx'));
    const decoder = await InferenceSession.create(join(folder, 'names/onnx/decoder_model_merged.onnx'));
    expect([encoder.inputNames, encoder.outputNames]).toEqual([['input_features'], ['last_hidden_state']]);
    const caches = [0, 1].flatMap((layer) =>
      ['decoder.key', 'decoder.value', 'encoder.key', 'encoder.value'].map((part) => `${layer}.${part}`),
    );
    expect(decoder.inputNames).toEqual([
      'input_ids',
      'encoder_hidden_states',
      ...caches.map((name) => `past_key_values.${name}`),
      'use_cache_branch',
    ]);
    expect(decoder.outputNames).toEqual(['logits', ...caches.map((name) => `present.${name}`)]);
    await Promise.all([encoder.release(), decoder.release()]);
  });

  it('is the same with its weights in a file beside it', async () => {
    await write('inside', 'fp32');
    const files = await write('outside', 'fp32', 0);
    expect(files.map(({ path }) => path)).toContain('outside/onnx/encoder_model.onnx_data');
    expect((await transcribe('outside', 'fp32')).text).toBe((await transcribe('inside', 'fp32')).text);
  });

  it('is searched by the decoder that real ones are searched by', async () => {
    await write('searched', 'fp32');
    const greedy = await transcribe('searched', 'fp32');
    const found = await transcribe('searched', 'fp32', 3);
    expect(found.meanLogProbability).toBeGreaterThanOrEqual(greedy.meanLogProbability);
  });

  it('comes in half precision, too', async () => {
    await write('half', 'fp16');
    expect(await transcribe('half', 'fp16')).toMatchObject({ tokens: WRITTEN_TOKENS });
  });

  it('is deterministic, and says in its files that it means nothing', async () => {
    const [one, other] = [await write('one', 'fp32'), await write('other', 'fp32')];
    expect(one.map(({ sha256 }) => sha256)).toEqual(other.map(({ sha256 }) => sha256));
    expect(readFileSync(join(folder, 'one/onnx/encoder_model.onnx'), 'latin1')).toMatch(/weights..random/s);
  });
});

describe('a made-up Llama', () => {
  it.each<WeightType>(['fp16', 'q8_0', 'q4_0'])('generates, its weights stored as %s', async (type) => {
    const path = `${type}.gguf`;
    const options = {
      shape: TINY_LLAMA,
      type,
      weights: new RandomWeights(2),
      name: 'tiny',
      description: 'random',
    };
    await writeLlama(folder, path, options);
    const client = await LlamaClient.start({
      modelPath: join(folder, path),
      sequences: 1,
      contextTokens: 512,
      threads: 1,
      maxTokens: 6,
      temperature: 0,
      gpu: false,
      niceIncrement: 0,
    });
    const cancel = new Int32Array(new SharedArrayBuffer(4));
    const messages = [{ role: 'user', text: 'a table for two' }] as const;
    const finished = await client.generate({ callId: 1, turnId: 1, messages, cancel }, () => {});
    const [backend] = client.backends;
    await client.close();
    expect(backend?.chatTemplate).toMatch(/^Llama 3/);
    expect(finished.generatedTokens).toBeGreaterThan(0);
  });
});

describe('a made-up Kokoro', () => {
  it('speaks as long as the text takes', async () => {
    await writeKokoro(folder, 'kokoro', { shape: TINY_KOKORO, weights: new RandomWeights(6), metadata });
    const engine = await openKokoro({ folder: join(folder, 'kokoro'), dtype: 'fp32', intraOpThreads: 1 });
    const lengths: number[] = [];
    for (const text of ['Hello.', 'Hello, your table for four is booked.']) {
      const [samples = new Float32Array(0)] = await utterancesOf(engine, text, {
        voice: 'af_heart',
        speed: 1,
      });
      expect(samples.every(Number.isFinite)).toBe(true);
      expect(samples.some((sample) => Math.abs(sample) > 1e-4)).toBe(true);
      lengths.push(samples.length / engine.rateHz);
    }
    await engine.close();
    const [short, long] = lengths as [number, number];
    expect(short).toBeGreaterThan(0.3);
    expect(long).toBeGreaterThan(2 * short);
  });
});
