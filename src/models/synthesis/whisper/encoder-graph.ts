/**
 * Whisper's encoder as ONNX: input_features [batch, mel bins, frames] -> last_hidden_state [batch, positions, width].
 * Names and layout as in encoder_model.onnx of the Hugging Face exports. Pure.
 */

import { add, attend, convolution, gelu, layerNorm, linear, multiply, splitHeads } from '../onnx/layers.ts';
import { type FloatType, OnnxGraph } from '../onnx/onnx-graph.ts';
import type { RandomWeights } from '../random-weights.ts';
import type { WhisperShape } from '../shapes.ts';

export function whisperEncoder(shape: WhisperShape, type: FloatType, weights: RandomWeights): OnnxGraph {
  const { width, melBins, audioPositions } = shape;
  const graph = new OnnxGraph('whisper-encoder', type, weights);
  const features = graph.input('input_features', 'fp32', ['batch_size', melBins, 2 * audioPositions]);
  const first = convolution(graph, 'conv1', graph.toFloat(features), { from: melBins, to: width, kernel: 3 });
  const second = convolution(graph, 'conv2', gelu(graph, first), {
    from: width,
    to: width,
    kernel: 3,
    stride: 2,
  });
  const frames = graph.node('Transpose', [gelu(graph, second)], { perm: [0, 2, 1] });
  let x = add(graph, frames, graph.weight('embed_positions.weight', [audioPositions, width], 0.5));
  for (let layer = 0; layer < shape.encoderLayers; layer++)
    x = encoderLayer(graph, `layers.${layer}`, x, shape);
  const states = graph.cast(layerNorm(graph, 'layer_norm', x, width), 'fp32');
  graph.output('last_hidden_state', states, 'fp32', ['batch_size', audioPositions, width]);
  return graph;
}

function encoderLayer(graph: OnnxGraph, name: string, x: string, shape: WhisperShape): string {
  const { width } = shape;
  const y = layerNorm(graph, `${name}.self_attn_layer_norm`, x, width);
  const parts = projections(graph, `${name}.self_attn`, y, y, shape);
  const mixed = attend(graph, parts, width);
  const heard = add(graph, x, linear(graph, `${name}.self_attn.out_proj`, mixed, { from: width, to: width }));
  return feedForward(graph, name, heard, shape);
}

/** Queries of `x`, keys and values of `source`, by heads; Whisper's keys have no bias. */
export function projections(
  graph: OnnxGraph,
  name: string,
  x: string,
  source: string,
  { width, heads }: WhisperShape,
): { readonly queries: string; readonly keys: string; readonly values: string } {
  const headSize = width / heads;
  const part = (word: string, of: string, hasBias: boolean): string =>
    linear(graph, `${name}.${word}_proj`, of, { from: width, to: width, hasBias });
  const scaled = multiply(graph, part('q', x, true), graph.floats([headSize ** -0.5]));
  return {
    queries: splitHeads(graph, scaled, heads, headSize),
    keys: splitHeads(graph, part('k', source, false), heads, headSize),
    values: splitHeads(graph, part('v', source, true), heads, headSize),
  };
}

export function feedForward(
  graph: OnnxGraph,
  name: string,
  x: string,
  { width, feedForward: inner }: WhisperShape,
): string {
  const y = layerNorm(graph, `${name}.final_layer_norm`, x, width);
  const grown = gelu(graph, linear(graph, `${name}.fc1`, y, { from: width, to: inner }));
  return add(graph, x, linear(graph, `${name}.fc2`, grown, { from: inner, to: width }));
}
