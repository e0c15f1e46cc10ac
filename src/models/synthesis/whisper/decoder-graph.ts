/**
 * Whisper's decoder as ONNX, both steps in one file as in decoder_model_merged.onnx of the Hugging Face exports: an If
 * on `use_cache_branch` whose branches share all weights. The first step makes the cross-attention cache from
 * encoder_hidden_states, the later ones read it and give nothing back for it. Pure.
 */

import { add, attend, layerNorm, linear, multiply, splitHeads } from '../onnx/layers.ts';
import { type ElementType, type FloatType, OnnxGraph } from '../onnx/onnx-graph.ts';
import type { PatternBytes, RandomWeights } from '../random-weights.ts';
import type { WhisperShape } from '../shapes.ts';
import { feedForward, projections } from './encoder-graph.ts';
import { endTokenOf, PROMPT_TOKENS } from './special-tokens.ts';

/** What random weights write before they end, whatever they hear: a short sentence. */
export const WRITTEN_TOKENS = 12;
const MASKED = -1e4;
const PARTS = ['decoder.key', 'decoder.value', 'encoder.key', 'encoder.value'] as const;

interface Step {
  readonly graph: OnnxGraph;
  readonly shape: WhisperShape;
  readonly isFirst: boolean;
  /** [query, key] added to the scores of the first step. */
  readonly mask: string | undefined;
}

export function whisperDecoder(shape: WhisperShape, type: FloatType, weights: RandomWeights): OnnxGraph {
  const graph = new OnnxGraph('whisper-decoder', type, weights);
  graph.input('input_ids', 'int64', ['batch_size', 'decoder_sequence_length']);
  graph.input('encoder_hidden_states', 'fp32', ['batch_size', 'encoder_sequence_length', shape.width]);
  for (const name of cacheNames(shape))
    graph.input(`past_key_values.${name}`, type, cacheAxes(shape, 'past'));
  graph.input('use_cache_branch', 'bool', [1]);
  const made = ['logits', ...cacheNames(shape).map((name) => `present.${name}`)];
  const later = branchOf(graph.branch('with_past'), shape, false);
  const first = branchOf(graph.branch('no_past'), shape, true);
  graph.nodes('If', ['use_cache_branch'], { then_branch: later, else_branch: first }, made);
  graph.output('logits', 'logits', 'fp32', ['batch_size', 'decoder_sequence_length', vocabularyOf(shape)]);
  for (const name of made.slice(1)) graph.output(name, name, type, cacheAxes(shape, 'present'));
  return graph;
}

/** All tokens, the special ones included. */
export function vocabularyOf(shape: WhisperShape): number {
  return shape.textTokens + SPECIAL_COUNT + (shape.hasCantonese ? 1 : 0);
}
const SPECIAL_COUNT = 1608;

function cacheNames({ decoderLayers }: WhisperShape): string[] {
  return Array.from({ length: decoderLayers }, (_, layer) => PARTS.map((part) => `${layer}.${part}`)).flat();
}

function cacheAxes({ width, heads }: WhisperShape, word: string): (string | number)[] {
  return ['batch_size', heads, `${word}_length`, width / heads];
}

function branchOf(graph: OnnxGraph, shape: WhisperShape, isFirst: boolean): OnnxGraph {
  const { width } = shape;
  const prefix = isFirst ? 'first' : 'later';
  const step: Step = { graph, shape, isFirst, mask: isFirst ? causalMask(graph) : undefined };
  let x = embedded(step);
  const caches: string[] = [];
  for (let layer = 0; layer < shape.decoderLayers; layer++) {
    const self = attendSelf(step, layer, x);
    const cross = attendAudio(step, layer, self.x);
    x = feedForward(graph, `layers.${layer}`, cross.x, shape);
    caches.push(...self.cache, ...cross.cache);
  }
  const states = layerNorm(graph, 'layer_norm', x, width);
  const outputs = graph.node('Transpose', [tokenEmbedding(graph, shape)], { perm: [1, 0] });
  const logits = graph.cast(graph.node('MatMul', [states, outputs]), 'fp32');
  graph.output(`${prefix}.logits`, logits, 'fp32', [
    'batch_size',
    'decoder_sequence_length',
    vocabularyOf(shape),
  ]);
  cacheNames(shape).forEach((name, index) => {
    const value = caches[index] as string;
    graph.output(`${prefix}.${name}`, value, graph.floatType as ElementType, cacheAxes(shape, prefix));
  });
  return graph;
}

function embedded({ graph, shape, isFirst }: Step): string {
  const tokens = graph.node('Gather', [tokenEmbedding(graph, shape), 'input_ids'], { axis: 0 });
  const count = sizeOf(graph, 'input_ids', 1);
  const start = isFirst ? graph.integers([0]) : sizeOf(graph, 'past_key_values.0.decoder.key', 2);
  const end = add(graph, start, count);
  const positions = graph.node('Slice', [positionEmbedding(graph, shape), start, end, graph.integers([0])]);
  return add(graph, tokens, positions);
}

function attendSelf(step: Step, layer: number, x: string): { x: string; cache: string[] } {
  const { graph, shape, isFirst, mask } = step;
  const name = `layers.${layer}.self_attn`;
  const y = layerNorm(graph, `${name}_layer_norm`, x, shape.width);
  const made = projections(graph, name, y, y, shape);
  const past = (part: string, value: string): string =>
    isFirst ? value : graph.node('Concat', [`past_key_values.${layer}.decoder.${part}`, value], { axis: 2 });
  const keys = past('key', made.keys);
  const values = past('value', made.values);
  const mixed = attend(
    graph,
    { queries: made.queries, keys, values, ...(mask === undefined ? {} : { mask }) },
    shape.width,
  );
  return { x: add(graph, x, outProjection(step, name, mixed)), cache: [keys, values] };
}

function attendAudio(step: Step, layer: number, x: string): { x: string; cache: string[] } {
  const { graph, shape, isFirst } = step;
  const { width, heads } = shape;
  const name = `layers.${layer}.encoder_attn`;
  const y = layerNorm(graph, `${name}_layer_norm`, x, width);
  if (isFirst) {
    const { queries, keys, values } = projections(
      graph,
      name,
      y,
      graph.toFloat('encoder_hidden_states'),
      shape,
    );
    const mixed = attend(graph, { queries, keys, values }, width);
    return { x: add(graph, x, outProjection(step, name, mixed)), cache: [keys, values] };
  }
  const headSize = width / heads;
  const scaled = multiply(
    graph,
    linear(graph, `${name}.q_proj`, y, { from: width, to: width }),
    graph.floats([headSize ** -0.5]),
  );
  const queries = splitHeads(graph, scaled, heads, headSize);
  const [keys, values] = ['key', 'value'].map((part) => `past_key_values.${layer}.encoder.${part}`) as [
    string,
    string,
  ];
  const mixed = attend(graph, { queries, keys, values }, width);
  const nothing = graph.floats([], [0, heads, 1, headSize]);
  return { x: add(graph, x, outProjection(step, name, mixed)), cache: [nothing, nothing] };
}

function outProjection({ graph, shape }: Step, name: string, mixed: string): string {
  return linear(graph, `${name}.out_proj`, mixed, { from: shape.width, to: shape.width });
}

// Token i sees tokens 0..i.
function causalMask(graph: OnnxGraph): string {
  const count = sizeOf(graph, 'input_ids', 1);
  const square = graph.node('Concat', [count, count], { axis: 0 });
  const all = graph.node('Expand', [graph.floats([MASKED], [1, 1]), square]);
  return graph.node('Trilu', [all, graph.integers([1], [])], { upper: 1 });
}

function sizeOf(graph: OnnxGraph, value: string, axis: number): string {
  return graph.node('Gather', [graph.node('Shape', [value]), graph.integers([axis])], { axis: 0 });
}

// Value 0 of every position says whether the text is over, and only the end token listens to it.
function tokenEmbedding(graph: OnnxGraph, shape: WhisperShape): string {
  const patches = [patchAt(graph, endTokenOf(shape) * shape.width, 1)];
  return graph.weight('embed_tokens.weight', [vocabularyOf(shape), shape.width], 0.03, patches);
}

function positionEmbedding(graph: OnnxGraph, shape: WhisperShape): string {
  const { width, textPositions } = shape;
  const strength = 1.5 * Math.sqrt(width);
  const lastPosition = PROMPT_TOKENS + WRITTEN_TOKENS - 1;
  const patches = Array.from({ length: textPositions }, (_, position) =>
    patchAt(graph, position * width, position >= lastPosition ? strength : -strength),
  );
  return graph.weight('embed_positions.weight', [textPositions, width], 1, patches);
}

function patchAt({ floatType }: OnnxGraph, index: number, value: number): PatternBytes['patches'][number] {
  const values = floatType === 'fp32' ? Float32Array.of(value) : Float16Array.of(value);
  return { atByte: index * values.BYTES_PER_ELEMENT, bytes: new Uint8Array(values.buffer) };
}
