/**
 * What a Whisper folder in Hugging Face layout says about its model: sizes, special tokens, prompt, window.
 * The tiny embedded model and large-v3-turbo differ here and in their tensors, nowhere in code.
 * Thread: whisper worker, at load.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, WildfireError } from '../../errors.ts';
import { HOP_SAMPLES, WHISPER_RATE_HZ } from './features/log-mel.ts';
import { FRAME_SAMPLES } from './features/power-spectrum.ts';
import { WhisperTokenizer } from './tokenizer.ts';

export interface WhisperConfig {
  readonly melBins: number;
  /** Feature frames of the full window, 10 ms each: 3000 in Whisper proper. */
  readonly windowFrames: number;
  readonly windowSamples: number;
  /** The most tokens the decoder has positions for, prompt included. */
  readonly maxTokens: number;
  readonly vocabularyTokens: number;
  readonly decoderHeads: number;
  readonly headSize: number;
  /** Tokens given to the decoder before the first one it writes; prompt[0] is start-of-transcript. */
  readonly promptTokens: readonly number[];
  readonly endToken: number;
  /** Null when the vocabulary has no such token: then the no-speech guard is off. */
  readonly noSpeechToken: number | null;
  /** Never written: the model's own list and every token that is not text, except the end. */
  readonly suppressedTokens: Int32Array;
  /** Not written first. */
  readonly suppressedFirstTokens: Int32Array;
  readonly tokenizer: WhisperTokenizer;
}

const count = z.int().positive();
const tokenId = z.int().nonnegative();
const tokenList = z.array(tokenId).nullish();

const modelConfigSchema = z.object({
  d_model: count,
  decoder_attention_heads: count,
  num_mel_bins: count,
  max_source_positions: count,
  max_target_positions: count,
  vocab_size: count,
  decoder_start_token_id: tokenId,
  eos_token_id: tokenId,
  suppress_tokens: tokenList,
  begin_suppress_tokens: tokenList,
  forced_decoder_ids: z.array(z.tuple([z.int(), tokenId.nullable()])).nullish(),
});

const generationConfigSchema = z.object({
  is_multilingual: z.boolean().optional(),
  lang_to_id: z.record(z.string(), tokenId).optional(),
  task_to_id: z.record(z.string(), tokenId).optional(),
  no_timestamps_token_id: tokenId.optional(),
  suppress_tokens: tokenList,
  begin_suppress_tokens: tokenList,
  forced_decoder_ids: z.array(z.tuple([z.int(), tokenId.nullable()])).nullish(),
});

const preprocessorConfigSchema = z.object({
  feature_size: count,
  n_fft: z.literal(FRAME_SAMPLES),
  hop_length: z.literal(HOP_SAMPLES),
  sampling_rate: z.literal(WHISPER_RATE_HZ),
  nb_max_frames: count,
});

type ModelConfig = z.infer<typeof modelConfigSchema>;
type GenerationConfig = z.infer<typeof generationConfigSchema>;

const NO_SPEECH_NAMES = ['<|nospeech|>', '<|nocaptions|>'];

/**
 * Reads and checks config.json, preprocessor_config.json, tokenizer.json and, if present, generation_config.json.
 * @param language ISO code such as 'en'; ignored by English-only models.
 * @throws WildfireError MODEL_MISSING or MODEL_DAMAGED naming the file; CONFIG_INVALID for an unknown language.
 */
export async function loadWhisperConfig(folder: string, language: string): Promise<WhisperConfig> {
  const model = await readJson(join(folder, 'config.json'), modelConfigSchema);
  const features = await readJson(join(folder, 'preprocessor_config.json'), preprocessorConfigSchema);
  const generation = await readGeneration(join(folder, 'generation_config.json'));
  const tokenizer = await readTokenizer(join(folder, 'tokenizer.json'));
  if (
    features.feature_size !== model.num_mel_bins ||
    features.nb_max_frames !== 2 * model.max_source_positions
  ) {
    throw damaged(join(folder, 'preprocessor_config.json'), 'its window does not fit config.json');
  }
  return {
    melBins: model.num_mel_bins,
    windowFrames: features.nb_max_frames,
    windowSamples: features.nb_max_frames * HOP_SAMPLES,
    maxTokens: model.max_target_positions,
    vocabularyTokens: model.vocab_size,
    decoderHeads: model.decoder_attention_heads,
    headSize: model.d_model / model.decoder_attention_heads,
    promptTokens: promptFor(model, generation, language),
    endToken: model.eos_token_id,
    noSpeechToken: tokenizer.idOfFirst(NO_SPEECH_NAMES),
    suppressedTokens: suppressedBy(model, generation, tokenizer),
    suppressedFirstTokens: Int32Array.from(
      generation.begin_suppress_tokens ?? model.begin_suppress_tokens ?? [],
    ),
    tokenizer,
  };
}

function promptFor(model: ModelConfig, generation: GenerationConfig, language: string): number[] {
  const forced = generation.forced_decoder_ids ?? model.forced_decoder_ids ?? [];
  const languages = generation.lang_to_id;
  if (generation.is_multilingual === false || languages === undefined) {
    const fixed = forced.map(([, id]) => id).filter((id) => id !== null);
    return [model.decoder_start_token_id, ...withNoTimestamps(fixed, generation)];
  }
  const languageId = languages[`<|${language}|>`];
  if (languageId === undefined) {
    const known = Object.keys(languages).map((name) => name.replace(/[<|>]/g, ''));
    throw new WildfireError(
      'CONFIG_INVALID',
      `this Whisper has no language '${language}'; it has ${known.join(', ')}`,
    );
  }
  const task = generation.task_to_id?.transcribe;
  return [
    model.decoder_start_token_id,
    ...withNoTimestamps(task === undefined ? [languageId] : [languageId, task], generation),
  ];
}

function withNoTimestamps(tokens: readonly number[], generation: GenerationConfig): number[] {
  const id = generation.no_timestamps_token_id;
  return id === undefined || tokens.includes(id) ? [...tokens] : [...tokens, id];
}

function suppressedBy(
  model: ModelConfig,
  generation: GenerationConfig,
  tokenizer: WhisperTokenizer,
): Int32Array {
  const ids = new Set(generation.suppress_tokens ?? model.suppress_tokens ?? []);
  for (let id = 0; id < model.vocab_size; id++) if (!tokenizer.isText(id)) ids.add(id);
  ids.delete(model.eos_token_id);
  return Int32Array.from(ids).sort();
}

async function readGeneration(path: string): Promise<GenerationConfig> {
  try {
    return await readJson(path, generationConfigSchema);
  } catch (error) {
    // Older folders have no such file and keep its fields in config.json.
    if (error instanceof WildfireError && error.code === 'MODEL_MISSING') return {};
    throw error;
  }
}

async function readTokenizer(path: string): Promise<WhisperTokenizer> {
  const text = await readText(path);
  try {
    return WhisperTokenizer.parse(text);
  } catch (error) {
    throw damaged(path, messageOf(error));
  }
}

async function readJson<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>> {
  const text = await readText(path);
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(path, error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error));
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new WildfireError('MODEL_MISSING', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function damaged(path: string, reason: string): WildfireError {
  return new WildfireError('MODEL_DAMAGED', `${path} is not usable: ${reason}`);
}
