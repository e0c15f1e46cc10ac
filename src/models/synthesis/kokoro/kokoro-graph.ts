/**
 * Kokoro as ONNX: input_ids [1, tokens], style [1, 256], speed [1] -> waveform [samples] at 24 kHz. From here the text
 * side: ALBERT, durations, pitch and energy; `vocoder.ts` makes the sound. Pure.
 * Source: hexgrad/kokoro, model.py and modules.py.
 */
import { add, attend, convolution, layerNorm, linear, multiply, splitHeads } from '../onnx/layers.ts';
import { OnnxGraph } from '../onnx/onnx-graph.ts';
import { adaptiveLayerNorm, leaky, lstm, residualBlock, type Style } from '../onnx/styled-layers.ts';
import type { RandomWeights } from '../random-weights.ts';
import type { KokoroShape } from '../shapes.ts';
import { vocoder } from './vocoder.ts';

const MOST_TOKENS = 512;
const MOST_FRAMES_PER_TOKEN = 50;
/** About what speech has: 75 ms a phoneme. */
const FRAMES_PER_TOKEN = 3;

export function kokoro(shape: KokoroShape, weights: RandomWeights): OnnxGraph {
  const graph = new OnnxGraph('kokoro', 'fp32', weights);
  const ids = graph.input('input_ids', 'int64', [1, 'sequence_length']);
  graph.input('style', 'fp32', [1, 2 * shape.style]);
  graph.input('speed', 'fp32', [1]);
  const ofSound = styleAt(graph, 0, shape);
  const ofProsody = styleAt(graph, shape.style, shape);
  const meaning = linear(graph, 'bert_encoder', albert(graph, ids, shape), {
    from: shape.bert.width,
    to: shape.hidden,
  });
  const prosody = durationEncoder(graph, meaning, shape, ofProsody);
  const alignment = alignmentOf(graph, prosody, shape);
  const aligned = graph.node('MatMul', [turned(graph, prosody), alignment]);
  const shared = turned(
    graph,
    lstm(graph, 'predictor.shared', turned(graph, aligned), shape.hidden + shape.style, shape.hidden),
  );
  const pitch = curve(graph, 'predictor.F0', shared, shape, ofProsody);
  const energy = curve(graph, 'predictor.N', shared, shape, ofProsody);
  const text = graph.node('MatMul', [textEncoder(graph, ids, shape), alignment]);
  const waveform = vocoder(graph, { text, pitch, energy, style: ofSound }, shape);
  graph.output('waveform', waveform, 'fp32', ['num_samples']);
  return graph;
}

function styleAt(graph: OnnxGraph, from: number, { style }: KokoroShape): Style {
  const value = graph.node('Slice', [
    'style',
    graph.integers([from]),
    graph.integers([from + style]),
    graph.integers([1]),
  ]);
  return { value, width: style };
}

/** [batch, one, other] -> [batch, other, one]. */
function turned(graph: OnnxGraph, x: string): string {
  return graph.node('Transpose', [x], { perm: [0, 2, 1] });
}

function albert(graph: OnnxGraph, ids: string, { bert, tokens }: KokoroShape): string {
  const { width, embedding } = bert;
  const words = graph.node('Gather', [graph.weight('bert.word_embeddings', [tokens, embedding], 1), ids], {
    axis: 0,
  });
  const count = graph.node('Gather', [graph.node('Shape', [ids]), graph.integers([1])], { axis: 0 });
  const all = graph.weight('bert.position_embeddings', [MOST_TOKENS, embedding], 1);
  const places = graph.node('Slice', [all, graph.integers([0]), count, graph.integers([0])]);
  const type = graph.weight('bert.token_type_embeddings', [1, embedding], 1);
  const sum = layerNorm(graph, 'bert.LayerNorm', add(graph, add(graph, words, places), type), embedding);
  let x = linear(graph, 'bert.embedding_hidden_mapping_in', sum, { from: embedding, to: width });
  for (let repeat = 0; repeat < bert.repeats; repeat++) x = albertLayer(graph, x, bert);
  return x;
}

// The same weights at every repeat.
function albertLayer(
  graph: OnnxGraph,
  x: string,
  { width, heads, feedForward }: KokoroShape['bert'],
): string {
  const headSize = width / heads;
  const square = { from: width, to: width };
  const part = (word: string): string =>
    splitHeads(graph, linear(graph, `bert.layer.${word}`, x, square), heads, headSize);
  const queries = multiply(graph, part('query'), graph.floats([headSize ** -0.5]));
  const mixed = attend(graph, { queries, keys: part('key'), values: part('value') }, width);
  const heard = layerNorm(
    graph,
    'bert.layer.attention_norm',
    add(graph, x, linear(graph, 'bert.layer.dense', mixed, square)),
    width,
  );
  const grown = tanhGelu(graph, linear(graph, 'bert.layer.ffn', heard, { from: width, to: feedForward }));
  const out = linear(graph, 'bert.layer.ffn_output', grown, { from: feedForward, to: width });
  return layerNorm(graph, 'bert.layer.full_norm', add(graph, out, heard), width);
}

function tanhGelu(graph: OnnxGraph, x: string): string {
  const cubed = multiply(graph, graph.node('Pow', [x, graph.floats([3])]), graph.floats([0.044715]));
  const inner = multiply(graph, add(graph, x, cubed), graph.floats([Math.sqrt(2 / Math.PI)]));
  return multiply(
    graph,
    multiply(graph, x, graph.floats([0.5])),
    add(graph, graph.node('Tanh', [inner]), graph.floats([1])),
  );
}

/** @returns [1, tokens, hidden + style]. */
function durationEncoder(
  graph: OnnxGraph,
  meaning: string,
  { hidden, style: styleWidth, layers }: KokoroShape,
  style: Style,
): string {
  const count = graph.node('Gather', [graph.node('Shape', [meaning]), graph.integers([1])], { axis: 0 });
  const shape = graph.node('Concat', [graph.integers([1]), count, graph.integers([styleWidth])], { axis: 0 });
  const everywhere = graph.node('Expand', [
    graph.node('Unsqueeze', [style.value, graph.integers([1])]),
    shape,
  ]);
  const withStyle = (x: string): string => graph.node('Concat', [x, everywhere], { axis: 2 });
  let x = withStyle(meaning);
  for (let layer = 0; layer < layers; layer++) {
    const name = `predictor.text_encoder.${layer}`;
    const passed = lstm(graph, `${name}.lstm`, x, hidden + styleWidth, hidden);
    x = withStyle(adaptiveLayerNorm(graph, `${name}.norm`, passed, hidden, style));
  }
  return x;
}

/** Which frames each token sounds in, [tokens, frames] of 0 and 1. */
function alignmentOf(graph: OnnxGraph, prosody: string, { hidden, style }: KokoroShape): string {
  const passed = lstm(graph, 'predictor.lstm', prosody, hidden + style, hidden);
  const scores = linear(graph, 'predictor.duration_proj', passed, {
    from: hidden,
    to: MOST_FRAMES_PER_TOKEN,
    hasBias: false,
  });
  const share = FRAMES_PER_TOKEN / MOST_FRAMES_PER_TOKEN;
  const bias = graph.floats([Math.log(share / (1 - share))]);
  const chances = graph.node('Sigmoid', [add(graph, scores, bias)]);
  const summed = graph.node('ReduceSum', [chances, graph.integers([2])], { keepdims: 0 });
  const wanted = graph.node('Round', [graph.node('Div', [summed, 'speed'])]);
  const frames = graph.node('Squeeze', [graph.node('Max', [wanted, graph.floats([1])]), graph.integers([0])]);
  const ends = graph.node('CumSum', [frames, graph.integers([0], [])]);
  const total = graph.node('ReduceMax', [ends], { keepdims: 0 });
  const at = graph.node('Range', [graph.floats([0]), total, graph.floats([1])]);
  const column = (value: string): string => graph.node('Unsqueeze', [value, graph.integers([1])]);
  const begun = graph.node('GreaterOrEqual', [at, column(graph.node('Sub', [ends, frames]))]);
  return graph.toFloat(graph.node('And', [begun, graph.node('Less', [at, column(ends)])]));
}

/** Pitch or energy, [1, 1, 2 * frames]. */
function curve(graph: OnnxGraph, name: string, x: string, { hidden }: KokoroShape, style: Style): string {
  const half = hidden / 2;
  const first = residualBlock(graph, `${name}.0`, x, { from: hidden, to: hidden }, style);
  const second = residualBlock(graph, `${name}.1`, first, { from: hidden, to: half, doubles: true }, style);
  const third = residualBlock(graph, `${name}.2`, second, { from: half, to: half }, style);
  return convolution(graph, `${name}_proj`, third, { from: half, to: 1, kernel: 1 });
}

/** @returns [1, hidden, tokens]. */
function textEncoder(
  graph: OnnxGraph,
  ids: string,
  { hidden, tokens, layers, textKernel }: KokoroShape,
): string {
  const words = graph.node('Gather', [graph.weight('text_encoder.embedding', [tokens, hidden], 1), ids], {
    axis: 0,
  });
  let x = turned(graph, words);
  for (let layer = 0; layer < layers; layer++) {
    const name = `text_encoder.cnn.${layer}`;
    const passed = convolution(graph, name, x, { from: hidden, to: hidden, kernel: textKernel });
    x = leaky(graph, turned(graph, layerNorm(graph, `${name}.norm`, turned(graph, passed), hidden)), 0.2);
  }
  return turned(graph, lstm(graph, 'text_encoder.lstm', turned(graph, x), hidden, hidden));
}
