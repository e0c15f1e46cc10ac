/**
 * A Llama 3 as GGUF: its metadata, tensor names and shapes, chat template, and a vocabulary of the real size.
 * Thread: the CLI. Source: llama.cpp convert_hf_to_gguf.py, class LlamaModel.
 */
import type { PackFile } from '../../manifest.ts';
import { makeBytePairs } from '../byte-pairs.ts';
import type { RandomWeights, WeightType } from '../random-weights.ts';
import type { LlamaShape } from '../shapes.ts';
import { type GgufTensor, type GgufValue, writeGguf } from './gguf-file.ts';

export interface LlamaFileOptions {
  readonly shape: LlamaShape;
  readonly type: WeightType;
  readonly weights: RandomWeights;
  readonly name: string;
  /** What the file says of itself. */
  readonly description: string;
}

/** llama_ftype. */
const FILE_TYPE: Readonly<Record<WeightType, number>> = { fp32: 0, fp16: 1, q4_0: 2, q8_0: 7 };
const ROPE_BASE = 500_000;
const NORM_EPSILON = 1e-5;
const SPECIAL_TOKENS = 256;
/** Ids behind the text tokens; the others are reserved. */
const SPECIAL_NAMES: Readonly<Record<number, string>> = {
  0: '<|begin_of_text|>',
  1: '<|end_of_text|>',
  4: '<|finetune_right_pad_id|>',
  6: '<|start_header_id|>',
  7: '<|end_header_id|>',
  8: '<|eom_id|>',
  9: '<|eot_id|>',
  10: '<|python_tag|>',
};
const BEGIN_OF_TEXT = 0;
const END_OF_TURN = 9;
/** tokenizer.ggml.token_type. */
const TOKEN_TYPE = { normal: 1, control: 3 } as const;
/** To the letter: with any other spelling node-llama-cpp does not recognise Llama 3. */
const CHAT_TEMPLATE =
  "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + " +
  "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}" +
  '{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}' +
  "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

/** @returns the file as a manifest lists it. */
export function writeLlama(folder: string, path: string, options: LlamaFileOptions): Promise<PackFile> {
  return writeGguf(folder, path, metadataOf(options), [...tensorsOf(options)]);
}

function metadataOf({ shape, type, name, description }: LlamaFileOptions): Record<string, GgufValue> {
  const { textTokens, width, heads } = shape;
  const { tokens, merges } = makeBytePairs(textTokens);
  return {
    'general.architecture': 'llama',
    'general.type': 'model',
    'general.name': name,
    'general.description': description,
    'general.file_type': FILE_TYPE[type],
    'general.quantization_version': 2,
    'llama.block_count': shape.layers,
    'llama.context_length': shape.contextTokens,
    'llama.embedding_length': width,
    'llama.feed_forward_length': shape.feedForward,
    'llama.attention.head_count': heads,
    'llama.attention.head_count_kv': shape.keyValueHeads,
    'llama.attention.layer_norm_rms_epsilon': { float: NORM_EPSILON },
    'llama.rope.freq_base': { float: ROPE_BASE },
    'llama.rope.dimension_count': width / heads,
    'llama.vocab_size': textTokens + SPECIAL_TOKENS,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'llama-bpe',
    'tokenizer.ggml.tokens': [...tokens, ...specialTokens()],
    'tokenizer.ggml.token_type': [
      ...tokens.map(() => TOKEN_TYPE.normal),
      ...specialTokens().map(() => TOKEN_TYPE.control),
    ],
    'tokenizer.ggml.merges': merges.map((pair) => pair.join(' ')),
    'tokenizer.ggml.bos_token_id': textTokens + BEGIN_OF_TEXT,
    'tokenizer.ggml.eos_token_id': textTokens + END_OF_TURN,
    'tokenizer.chat_template': CHAT_TEMPLATE,
  };
}

function specialTokens(): string[] {
  let reserved = 0;
  return Array.from(
    { length: SPECIAL_TOKENS },
    (_, id) => SPECIAL_NAMES[id] ?? `<|reserved_special_token_${reserved++}|>`,
  );
}

function* tensorsOf({ shape, type, weights }: LlamaFileOptions): Generator<GgufTensor> {
  const { width, layers, heads, keyValueHeads, feedForward, textTokens, isTied } = shape;
  const headSize = width / heads;
  const vocabulary = textTokens + SPECIAL_TOKENS;
  const matrix = (name: string, from: number, to: number, as: WeightType = type): GgufTensor => {
    const data = weights.tensor(name, as, from * to, 1 / Math.sqrt(from));
    return { name: `${name}.weight`, type: as, dims: [from, to], data };
  };
  // As llama-quantize does: four bits are too few where each token's scores come from.
  const edge: WeightType = type === 'q4_0' ? 'q8_0' : type;
  yield matrix('token_embd', width, vocabulary, edge);
  yield ones('output_norm', width);
  if (!isTied) yield matrix('output', width, vocabulary, edge);
  yield ones('rope_freqs', headSize / 2);
  for (let layer = 0; layer < layers; layer++) {
    const name = `blk.${layer}`;
    yield ones(`${name}.attn_norm`, width);
    yield matrix(`${name}.attn_q`, width, width);
    yield matrix(`${name}.attn_k`, width, keyValueHeads * headSize);
    yield matrix(`${name}.attn_v`, width, keyValueHeads * headSize);
    yield matrix(`${name}.attn_output`, width, width);
    yield ones(`${name}.ffn_norm`, width);
    yield matrix(`${name}.ffn_gate`, width, feedForward);
    yield matrix(`${name}.ffn_up`, width, feedForward);
    yield matrix(`${name}.ffn_down`, feedForward, width);
  }
}

// Vectors are float32 in every file.
function ones(name: string, length: number): GgufTensor {
  const data = new Uint8Array(new Float32Array(length).fill(1).buffer);
  return { name: `${name}.weight`, type: 'fp32', dims: [length], data };
}
