/**
 * A whole Whisper folder in Hugging Face layout, as the worker and transformers.js read it: both halves as ONNX and the
 * five JSON files. Thread: the CLI.
 */
import type { PackFile } from '../../manifest.ts';
import { makeBytePairs } from '../byte-pairs.ts';
import { writeOnnx } from '../onnx/onnx-file.ts';
import type { FloatType } from '../onnx/onnx-graph.ts';
import type { RandomWeights } from '../random-weights.ts';
import type { WhisperShape } from '../shapes.ts';
import { writeParts } from '../streamed-file.ts';
import { vocabularyOf, whisperDecoder } from './decoder-graph.ts';
import { whisperEncoder } from './encoder-graph.ts';
import { endTokenOf, specialTokens } from './special-tokens.ts';

export interface WhisperFilesOptions {
  readonly shape: WhisperShape;
  readonly type: FloatType;
  readonly weights: RandomWeights;
  readonly metadata: Readonly<Record<string, string>>;
  readonly mostInlineBytes?: number;
}

/** File name endings of the Hugging Face converters. */
const SUFFIX: Readonly<Record<FloatType, string>> = { fp32: '', fp16: '_fp16' };

/**
 * @param folder of the pack. @param path of the stage inside it.
 * @returns the files as a manifest lists them.
 */
export async function writeWhisper(
  folder: string,
  path: string,
  options: WhisperFilesOptions,
): Promise<PackFile[]> {
  const { shape, type, weights, metadata, mostInlineBytes } = options;
  const bound = mostInlineBytes === undefined ? {} : { mostInlineBytes };
  const onnx = { folder, metadata, ...bound };
  const encoder = await writeOnnx(whisperEncoder(shape, type, weights), {
    ...onnx,
    path: `${path}/onnx/encoder_model${SUFFIX[type]}.onnx`,
  });
  const decoder = await writeOnnx(whisperDecoder(shape, type, weights), {
    ...onnx,
    path: `${path}/onnx/decoder_model_merged${SUFFIX[type]}.onnx`,
  });
  const external =
    encoder.length > 1 ? { use_external_data_format: { [`encoder_model${SUFFIX[type]}.onnx`]: true } } : {};
  const documents: Record<string, object> = {
    'config.json': modelConfig(shape, { ...external, kv_cache_dtype: { fp16: 'float16' } }),
    'generation_config.json': generationConfig(shape),
    'preprocessor_config.json': preprocessorConfig(shape),
    'tokenizer.json': tokenizerOf(shape),
    'tokenizer_config.json': TOKENIZER_CONFIG,
  };
  const files = [...encoder, ...decoder];
  for (const [name, document] of Object.entries(documents)) {
    files.push(await writeParts(folder, `${path}/${name}`, [Buffer.from(JSON.stringify(document))]));
  }
  return files;
}

function modelConfig(shape: WhisperShape, forTransformersJs: object): object {
  const end = endTokenOf(shape);
  return {
    architectures: ['WhisperForConditionalGeneration'],
    model_type: 'whisper',
    activation_function: 'gelu',
    is_encoder_decoder: true,
    use_cache: true,
    d_model: shape.width,
    encoder_layers: shape.encoderLayers,
    encoder_attention_heads: shape.heads,
    encoder_ffn_dim: shape.feedForward,
    decoder_layers: shape.decoderLayers,
    decoder_attention_heads: shape.heads,
    decoder_ffn_dim: shape.feedForward,
    num_mel_bins: shape.melBins,
    max_source_positions: shape.audioPositions,
    max_target_positions: shape.textPositions,
    vocab_size: vocabularyOf(shape),
    bos_token_id: end,
    eos_token_id: end,
    pad_token_id: end,
    decoder_start_token_id: end + 1,
    'transformers.js_config': forTransformersJs,
  };
}

function generationConfig(shape: WhisperShape): object {
  const id = idsOf(shape);
  const languages = specialTokens(shape).filter((name) => /^<\|[a-z]{2,3}\|>$/.test(name));
  return {
    bos_token_id: endTokenOf(shape),
    eos_token_id: endTokenOf(shape),
    pad_token_id: endTokenOf(shape),
    decoder_start_token_id: id('<|startoftranscript|>'),
    is_multilingual: true,
    lang_to_id: Object.fromEntries(languages.map((name) => [name, id(name)])),
    task_to_id: { transcribe: id('<|transcribe|>'), translate: id('<|translate|>') },
    no_timestamps_token_id: id('<|notimestamps|>'),
    prev_sot_token_id: id('<|startofprev|>'),
    suppress_tokens: [],
    begin_suppress_tokens: [endTokenOf(shape)],
    max_initial_timestamp_index: 50,
    max_length: shape.textPositions,
    return_timestamps: false,
  };
}

function idsOf(shape: WhisperShape): (name: string) => number {
  const names = specialTokens(shape);
  return (name) => endTokenOf(shape) + names.indexOf(name);
}

function preprocessorConfig({ melBins, audioPositions }: WhisperShape): object {
  const chunkSeconds = (2 * audioPositions) / 100;
  return {
    feature_extractor_type: 'WhisperFeatureExtractor',
    processor_class: 'WhisperProcessor',
    chunk_length: chunkSeconds,
    feature_size: melBins,
    hop_length: 160,
    n_fft: 400,
    n_samples: chunkSeconds * 16_000,
    nb_max_frames: 2 * audioPositions,
    padding_side: 'right',
    padding_value: 0,
    return_attention_mask: false,
    sampling_rate: 16_000,
  };
}

const TOKENIZER_CONFIG = {
  tokenizer_class: 'WhisperTokenizer',
  bos_token: '<|endoftext|>',
  eos_token: '<|endoftext|>',
  pad_token: '<|endoftext|>',
  unk_token: '<|endoftext|>',
  clean_up_tokenization_spaces: false,
};

function tokenizerOf(shape: WhisperShape): object {
  const { tokens, merges } = makeBytePairs(shape.textTokens);
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const added = specialTokens(shape).map((content, index) => ({
    id: endTokenOf(shape) + index,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map((pair) => pair.join(' ')),
    },
  };
}
