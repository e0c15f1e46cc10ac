/**
 * Layers of StyleTTS 2, which a voice's style bends: adaptive normalisation, residual blocks, and the recurrent layer
 * between them. Sequences are [batch, channels, time] here, [batch, time, channels] in `lstm`. Pure.
 * Source: hexgrad/kokoro, modules.py and istftnet.py.
 */
import { add, convolution, linear, multiply } from './layers.ts';
import type { OnnxGraph } from './onnx-graph.ts';

/** The style [batch, width] that all layers of one part listen to. */
export interface Style {
  readonly value: string;
  readonly width: number;
}

/** Both directions, [batch, time, from] -> [batch, time, to]. */
export function lstm(graph: OnnxGraph, name: string, x: string, from: number, to: number): string {
  const hidden = to / 2;
  const input = graph.weight(`${name}.W`, [2, 4 * hidden, from], 1 / Math.sqrt(from));
  const recurrent = graph.weight(`${name}.R`, [2, 4 * hidden, hidden], 1 / Math.sqrt(hidden));
  const bias = graph.weight(`${name}.B`, [2, 8 * hidden], 0.02);
  const first = graph.node('Transpose', [x], { perm: [1, 0, 2] });
  const output = `${name}.Y`;
  graph.nodes('LSTM', [first, input, recurrent, bias], { direction: 'bidirectional', hidden_size: hidden }, [
    output,
  ]);
  const turned = graph.node('Transpose', [output], { perm: [2, 0, 1, 3] });
  return graph.node('Reshape', [turned, graph.integers([0, 0, to])]);
}

/** Instance normalisation whose scale and shift come from the style. */
export function adaptiveNorm(
  graph: OnnxGraph,
  name: string,
  x: string,
  channels: number,
  style: Style,
): string {
  const scale = graph.filled(`${name}.norm.weight`, [channels], 1);
  const shift = graph.filled(`${name}.norm.bias`, [channels], 0);
  const normal = graph.node('InstanceNormalization', [x, scale, shift], { epsilon: { float: 1e-5 } });
  return bentBy(graph, `${name}.fc`, normal, { style, width: channels, axes: [0, -1, 1] });
}

/** Layer normalisation whose scale and shift come from the style; [batch, time, width]. */
export function adaptiveLayerNorm(
  graph: OnnxGraph,
  name: string,
  x: string,
  width: number,
  style: Style,
): string {
  const one = graph.filled(`${name}.ones`, [width], 1);
  const normal = graph.node('LayerNormalization', [x, one], { axis: -1, epsilon: { float: 1e-5 } });
  return bentBy(graph, `${name}.fc`, normal, { style, width, axes: [0, 1, -1] });
}

interface Bend {
  readonly style: Style;
  readonly width: number;
  /** Shape of scale and shift beside the sequence. */
  readonly axes: readonly number[];
}

// (1 + scale) x + shift
function bentBy(graph: OnnxGraph, name: string, x: string, { style, width, axes }: Bend): string {
  const both = linear(graph, name, style.value, { from: style.width, to: 2 * width });
  const shaped = (from: number, to: number): string => {
    const part = graph.node('Slice', [
      both,
      graph.integers([from]),
      graph.integers([to]),
      graph.integers([1]),
    ]);
    return graph.node('Reshape', [part, graph.integers(axes)]);
  };
  const scale = add(graph, shaped(0, width), graph.floats([1]));
  return add(graph, multiply(graph, x, scale), shaped(width, 2 * width));
}

export function leaky(graph: OnnxGraph, x: string, slope: number): string {
  return graph.node('LeakyRelu', [x], { alpha: { float: slope } });
}

export interface ResidualShape {
  readonly from: number;
  readonly to: number;
  /** Twice as many frames come out. */
  readonly doubles?: boolean;
}

/** AdainResBlk1d. */
export function residualBlock(
  graph: OnnxGraph,
  name: string,
  x: string,
  shape: ResidualShape,
  style: Style,
): string {
  const { from, to, doubles = false } = shape;
  const loud = leaky(graph, adaptiveNorm(graph, `${name}.norm1`, x, from, style), 0.2);
  const grown = doubles ? doubledByWeights(graph, `${name}.pool`, loud, from) : loud;
  const first = convolution(graph, `${name}.conv1`, grown, { from, to, kernel: 3 });
  const again = leaky(graph, adaptiveNorm(graph, `${name}.norm2`, first, to, style), 0.2);
  const residual = convolution(graph, `${name}.conv2`, again, { from: to, to, kernel: 3 });
  const carried = doubles ? repeated(graph, x, 2) : x;
  const shortcut =
    from === to ? carried : convolution(graph, `${name}.conv1x1`, carried, { from, to, kernel: 1 });
  return multiply(graph, add(graph, residual, shortcut), graph.floats([Math.SQRT1_2]));
}

/** Every frame `times` times. */
export function repeated(
  graph: OnnxGraph,
  x: string,
  times: number,
  mode: 'nearest' | 'linear' = 'nearest',
): string {
  const attributes =
    mode === 'nearest'
      ? { mode, coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
      : { mode, coordinate_transformation_mode: 'half_pixel' };
  return graph.node('Resize', [x, '', graph.floats([1, 1, times], [3])], attributes);
}

function doubledByWeights(graph: OnnxGraph, name: string, x: string, channels: number): string {
  const weight = graph.weight(`${name}.weight`, [channels, 1, 3], 0.7);
  return graph.node('ConvTranspose', [x, weight, graph.weight(`${name}.bias`, [channels], 0.02)], {
    kernel_shape: [3],
    strides: [2],
    pads: [1, 1],
    output_padding: [1],
    group: channels,
  });
}

/** AdaINResBlock1: three pairs of dilated convolutions with the Snake activation. */
export function snakeBlock(
  graph: OnnxGraph,
  name: string,
  x: string,
  { channels, kernel }: { readonly channels: number; readonly kernel: number },
  style: Style,
): string {
  let sum = x;
  for (const dilation of DILATIONS) {
    const part = `${name}.${dilation}`;
    const first = snake(
      graph,
      `${part}.alpha1`,
      adaptiveNorm(graph, `${part}.adain1`, sum, channels, style),
      channels,
    );
    const wide = convolution(graph, `${part}.convs1`, first, {
      from: channels,
      to: channels,
      kernel,
      dilation,
    });
    const second = snake(
      graph,
      `${part}.alpha2`,
      adaptiveNorm(graph, `${part}.adain2`, wide, channels, style),
      channels,
    );
    sum = add(
      graph,
      sum,
      convolution(graph, `${part}.convs2`, second, { from: channels, to: channels, kernel }),
    );
  }
  return sum;
}
const DILATIONS = [1, 3, 5] as const;

// x + sin(a x)^2 / a
function snake(graph: OnnxGraph, name: string, x: string, channels: number): string {
  const alpha = graph.filled(name, [1, channels, 1], 1);
  const wave = graph.node('Sin', [multiply(graph, x, alpha)]);
  const squared = graph.node('Pow', [wave, graph.floats([2])]);
  return add(graph, x, multiply(graph, squared, graph.node('Reciprocal', [alpha])));
}
