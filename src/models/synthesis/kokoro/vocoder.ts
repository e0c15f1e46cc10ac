/**
 * Kokoro's sound: the decoder with its styled blocks, then the iSTFTNet generator over harmonics of the pitch. The short
 * Fourier transforms are convolutions, as in the exported files. Pure. Source: hexgrad/kokoro, istftnet.py.
 */
import { add, convolution, linear, multiply } from '../onnx/layers.ts';
import type { OnnxGraph } from '../onnx/onnx-graph.ts';
import { leaky, repeated, residualBlock, type Style, snakeBlock } from '../onnx/styled-layers.ts';
import type { KokoroShape } from '../shapes.ts';

export interface VocoderInputs {
  /** [1, hidden, frames]. */
  readonly text: string;
  /** [1, 1, 2 * frames] each. */
  readonly pitch: string;
  readonly energy: string;
  readonly style: Style;
}

const RATE_HZ = 24_000;
const HARMONICS = 9;
const TEXT_CHANNELS = 64;
/** Of the transforms, in samples. */
const WINDOW = 20;
const HOP = 5;
const BINS = WINDOW / 2 + 1;
const UPSAMPLINGS = [
  { rate: 10, kernel: 20, noiseKernel: 12, noiseStride: 6, noiseBlockKernel: 7 },
  { rate: 6, kernel: 12, noiseKernel: 1, noiseStride: 1, noiseBlockKernel: 11 },
] as const;
const BLOCK_KERNELS = [3, 7, 11] as const;
/** Samples of one pitch value. */
const SAMPLES_PER_PITCH = 300;
/** Of the random voice: a man's, so that harmonics are there at all. */
const PITCH_HZ = 120;

/** @returns [samples], 600 for each frame. */
export function vocoder(graph: OnnxGraph, inputs: VocoderInputs, shape: KokoroShape): string {
  const { text, pitch, energy, style } = inputs;
  const { hidden, decoderWidth, generatorWidth } = shape;
  const perFrame = { from: 1, to: 1, kernel: 3, stride: 2 };
  const curves = [
    convolution(graph, 'decoder.F0_conv', pitch, perFrame),
    convolution(graph, 'decoder.N_conv', energy, perFrame),
  ];
  const joined = (...parts: string[]): string => graph.node('Concat', parts, { axis: 1 });
  let x = residualBlock(
    graph,
    'decoder.encode',
    joined(text, ...curves),
    { from: hidden + 2, to: decoderWidth },
    style,
  );
  const residue = convolution(graph, 'decoder.asr_res', text, { from: hidden, to: TEXT_CHANNELS, kernel: 1 });
  const from = decoderWidth + 2 + TEXT_CHANNELS;
  for (let block = 0; block < 3; block++) {
    x = residualBlock(
      graph,
      `decoder.decode.${block}`,
      joined(x, residue, ...curves),
      { from, to: decoderWidth },
      style,
    );
  }
  const last = { from, to: generatorWidth, doubles: true };
  x = residualBlock(graph, 'decoder.decode.3', joined(x, residue, ...curves), last, style);
  return generator(graph, x, harmonicSpectrum(graph, pitch), generatorWidth, style);
}

function generator(graph: OnnxGraph, frames: string, harmonics: string, width: number, style: Style): string {
  let x = frames;
  let channels = width;
  UPSAMPLINGS.forEach(({ rate, kernel, noiseKernel, noiseStride, noiseBlockKernel }, stage) => {
    const name = `generator.${stage}`;
    const fewer = channels / 2;
    const pad = (noiseKernel - noiseStride) / 2;
    const noise = convolution(graph, `${name}.noise_conv`, harmonics, {
      from: 2 * BINS,
      to: fewer,
      kernel: noiseKernel,
      stride: noiseStride,
      pad,
    });
    const source = snakeBlock(
      graph,
      `${name}.noise_res`,
      noise,
      { channels: fewer, kernel: noiseBlockKernel },
      style,
    );
    const grown = upsampled(graph, `${name}.ups`, leaky(graph, x, 0.1), {
      from: channels,
      to: fewer,
      rate,
      kernel,
    });
    const isLast = stage === UPSAMPLINGS.length - 1;
    const fitted = isLast
      ? graph.node('Pad', [grown, graph.integers([0, 0, 1, 0, 0, 0])], { mode: 'reflect' })
      : grown;
    const sum = add(graph, fitted, source);
    const blocks = BLOCK_KERNELS.map((size) =>
      snakeBlock(graph, `${name}.resblock${size}`, sum, { channels: fewer, kernel: size }, style),
    );
    x = multiply(
      graph,
      blocks.reduce((one, other) => add(graph, one, other)),
      graph.floats([1 / blocks.length]),
    );
    channels = fewer;
  });
  const spectrum = convolution(graph, 'generator.conv_post', leaky(graph, x, 0.01), {
    from: channels,
    to: 2 * BINS,
    kernel: 7,
  });
  return samplesOf(graph, spectrum);
}

interface UpsamplingShape {
  readonly from: number;
  readonly to: number;
  readonly rate: number;
  readonly kernel: number;
}

function upsampled(
  graph: OnnxGraph,
  name: string,
  x: string,
  { from, to, rate, kernel }: UpsamplingShape,
): string {
  const weight = graph.weight(`${name}.weight`, [from, to, kernel], 1 / Math.sqrt((from * kernel) / rate));
  const pad = (kernel - rate) / 2;
  return graph.node('ConvTranspose', [x, weight, graph.weight(`${name}.bias`, [to], 0.02)], {
    kernel_shape: [kernel],
    strides: [rate],
    pads: [pad, pad],
  });
}

/** Sines at the pitch and its multiples, with noise, as a spectrum: [1, 2 * BINS, time]. */
function harmonicSpectrum(graph: OnnxGraph, pitch: string): string {
  const hz = add(graph, pitch, graph.floats([PITCH_HZ]));
  const multiples = graph.floats(
    Array.from({ length: HARMONICS }, (_, i) => i + 1),
    [1, HARMONICS, 1],
  );
  const turns = multiply(graph, multiply(graph, hz, multiples), graph.floats([SAMPLES_PER_PITCH / RATE_HZ]));
  const phases = repeated(
    graph,
    graph.node('CumSum', [turns, graph.integers([2], [])]),
    SAMPLES_PER_PITCH,
    'linear',
  );
  const sines = multiply(
    graph,
    graph.node('Sin', [multiply(graph, phases, graph.floats([2 * Math.PI]))]),
    graph.floats([0.1]),
  );
  const noise = graph.node('RandomNormalLike', [sines], { scale: { float: 0.003 } });
  const both = graph.node('Transpose', [add(graph, sines, noise)], { perm: [0, 2, 1] });
  const mixed = graph.node('Tanh', [linear(graph, 'generator.m_source', both, { from: HARMONICS, to: 1 })]);
  const sound = graph.node('Transpose', [mixed], { perm: [0, 2, 1] });
  const padded = graph.node('Pad', [sound, graph.integers([0, 0, WINDOW / 2, 0, 0, WINDOW / 2])], {
    mode: 'edge',
  });
  const window = { from: 1, to: BINS, kernel: WINDOW, stride: HOP, pad: 0 };
  const real = convolution(graph, 'generator.stft.real', padded, window);
  const imaginary = convolution(graph, 'generator.stft.imaginary', padded, window);
  const power = add(graph, multiply(graph, real, real), multiply(graph, imaginary, imaginary));
  const size = graph.node('Sqrt', [add(graph, power, graph.floats([1e-9]))]);
  const angle = graph.node('Atan', [graph.node('Div', [imaginary, add(graph, real, graph.floats([1e-9]))])]);
  return graph.node('Concat', [size, angle], { axis: 1 });
}

/** The inverse transform, its margins cut off. */
function samplesOf(graph: OnnxGraph, spectrum: string): string {
  const part = (from: number): string =>
    graph.node('Slice', [
      spectrum,
      graph.integers([from]),
      graph.integers([from + BINS]),
      graph.integers([1]),
    ]);
  const size = graph.node('Exp', [graph.node('Clip', [part(0), graph.floats([-20]), graph.floats([3])])]);
  const phase = graph.node('Sin', [part(BINS)]);
  const back = (word: string, value: string): string =>
    graph.node('ConvTranspose', [value, graph.weight(`generator.istft.${word}`, [BINS, 1, WINDOW], 0.01)], {
      kernel_shape: [WINDOW],
      strides: [HOP],
    });
  const real = back('real', multiply(graph, size, graph.node('Cos', [phase])));
  const imaginary = back('imaginary', multiply(graph, size, graph.node('Sin', [phase])));
  const sound = graph.node('Sub', [real, imaginary]);
  const margin = WINDOW / 2;
  const cut = graph.node('Slice', [
    sound,
    graph.integers([margin]),
    graph.integers([-margin]),
    graph.integers([2]),
  ]);
  return graph.node('Reshape', [cut, graph.integers([-1])]);
}
