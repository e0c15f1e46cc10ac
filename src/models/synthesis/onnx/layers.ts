/**
 * Layers as the exporters write them: several nodes each, in the patterns that onnxruntime fuses. Weights are spread so
 * that values neither vanish nor explode on their way through a deep model. Pure.
 */
import type { OnnxGraph } from './onnx-graph.ts';

export interface LinearShape {
  readonly from: number;
  readonly to: number;
  readonly hasBias?: boolean;
}

export interface ConvolutionShape {
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly dilation?: number;
  /** Zeros at either end; half the kernel when not given. */
  readonly pad?: number;
  readonly groups?: number;
}

export function add(graph: OnnxGraph, one: string, other: string): string {
  return graph.node('Add', [one, other]);
}

export function multiply(graph: OnnxGraph, one: string, other: string): string {
  return graph.node('Mul', [one, other]);
}

/** [..., from] -> [..., to]. */
export function linear(
  graph: OnnxGraph,
  name: string,
  x: string,
  { from, to, hasBias = true }: LinearShape,
): string {
  const product = graph.node('MatMul', [x, graph.weight(`${name}.weight`, [from, to], 1 / Math.sqrt(from))]);
  return hasBias ? add(graph, product, graph.weight(`${name}.bias`, [to], 0.02)) : product;
}

/** Over the last axis. */
export function layerNorm(graph: OnnxGraph, name: string, x: string, width: number): string {
  const scale = graph.filled(`${name}.weight`, [width], 1);
  const shift = graph.filled(`${name}.bias`, [width], 0);
  return graph.node('LayerNormalization', [x, scale, shift], { axis: -1, epsilon: { float: 1e-5 } });
}

/** The exact form, with erf. */
export function gelu(graph: OnnxGraph, x: string): string {
  const erf = graph.node('Erf', [graph.node('Div', [x, graph.floats([Math.SQRT2])])]);
  return multiply(graph, multiply(graph, x, add(graph, erf, graph.floats([1]))), graph.floats([0.5]));
}

/** [batch, from, time] -> [batch, to, time / stride]. */
export function convolution(graph: OnnxGraph, name: string, x: string, shape: ConvolutionShape): string {
  const { from, to, kernel, stride = 1, dilation = 1, groups = 1 } = shape;
  const pad = shape.pad ?? ((kernel - 1) / 2) * dilation;
  const inputs = from / groups;
  const weight = graph.weight(`${name}.weight`, [to, inputs, kernel], 1 / Math.sqrt(inputs * kernel));
  return graph.node('Conv', [x, weight, graph.weight(`${name}.bias`, [to], 0.02)], {
    kernel_shape: [kernel],
    strides: [stride],
    dilations: [dilation],
    pads: [pad, pad],
    group: groups,
  });
}

/** [batch, time, heads * headSize] -> [batch, heads, time, headSize]. */
export function splitHeads(graph: OnnxGraph, x: string, heads: number, headSize: number): string {
  const split = graph.node('Reshape', [x, graph.integers([0, -1, heads, headSize])]);
  return graph.node('Transpose', [split], { perm: [0, 2, 1, 3] });
}

export interface AttentionInputs {
  /** [batch, heads, time, headSize]; scaled already. */
  readonly queries: string;
  readonly keys: string;
  readonly values: string;
  /** Added to the scores. */
  readonly mask?: string;
}

/** @returns [batch, time, heads * headSize]. */
export function attend(
  graph: OnnxGraph,
  { queries, keys, values, mask }: AttentionInputs,
  width: number,
): string {
  const turned = graph.node('Transpose', [keys], { perm: [0, 1, 3, 2] });
  const scores = graph.node('MatMul', [queries, turned]);
  const weights = graph.node('Softmax', [mask === undefined ? scores : add(graph, scores, mask)], {
    axis: -1,
  });
  const mixed = graph.node('Transpose', [graph.node('MatMul', [weights, values])], { perm: [0, 2, 1, 3] });
  return graph.node('Reshape', [mixed, graph.integers([0, -1, width])]);
}
