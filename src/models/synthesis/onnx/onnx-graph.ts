/**
 * Builds an ONNX graph node by node. Values are named by strings; weights are described here and made when the file is
 * written. A graph's floats are all of one type, float32 or float16; what enters and leaves is float32 (see `toFloat`).
 * Pure. Source: onnx.proto, IR version 8; operators of opset 17.
 */
import { bytesOf, type PatternBytes, type RandomWeights } from '../random-weights.ts';
import { ProtoMessage } from './protobuf.ts';

export type FloatType = 'fp32' | 'fp16';
/** Sizes of an input or output; a name is an axis of any length. */
export type Axes = readonly (number | string)[];
export type Attribute = number | string | readonly number[] | { readonly float: number } | OnnxGraph;

export interface Initializer {
  readonly name: string;
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly data: Uint8Array | PatternBytes;
}

/** TensorProto.DataType. */
export const DATA_TYPE = { fp32: 1, int64: 7, bool: 9, fp16: 10 } as const;
export type ElementType = keyof typeof DATA_TYPE;
/** AttributeProto.AttributeType with the field that holds the value. */
const ATTRIBUTE = {
  float: { type: 1, field: 2 },
  integer: { type: 2, field: 3 },
  text: { type: 3, field: 4 },
  graph: { type: 5, field: 6 },
  integers: { type: 7, field: 8 },
} as const;

/** What a graph and its branches share. */
interface Shared {
  readonly weights: RandomWeights;
  readonly initializers: Map<string, Initializer>;
  values: number;
}

export class OnnxGraph {
  readonly floatType: FloatType;
  readonly #name: string;
  readonly #shared: Shared;
  readonly #nodes: ProtoMessage[] = [];
  readonly #inputs: ProtoMessage[] = [];
  readonly #outputs: ProtoMessage[] = [];

  constructor(name: string, floatType: FloatType, weights: RandomWeights, shared?: Shared) {
    this.#name = name;
    this.floatType = floatType;
    this.#shared = shared ?? { weights, initializers: new Map(), values: 0 };
  }

  /** Weights and constants of the graph and its branches. */
  get initializers(): Iterable<Initializer> {
    return this.#shared.initializers.values();
  }

  /** The body of an If: sees every value made so far; its weights are those of the whole graph. */
  branch(name: string): OnnxGraph {
    return new OnnxGraph(name, this.floatType, this.#shared.weights, this.#shared);
  }

  input(name: string, type: ElementType, axes: Axes): string {
    this.#inputs.push(valueInfo(name, type, axes));
    return name;
  }

  /** Gives `value` out under `name`; the two may be the same. */
  output(name: string, value: string, type: ElementType, axes: Axes): void {
    if (value !== name) this.node('Identity', [value], {}, name);
    this.#outputs.push(valueInfo(name, type, axes));
  }

  /** Random weights; asking again for the same name gives the same tensor. */
  weight(
    name: string,
    dims: readonly number[],
    deviation: number,
    patches: PatternBytes['patches'] = [],
  ): string {
    const count = dims.reduce((product, size) => product * size, 1);
    const made = this.#shared.weights.tensor(name, this.floatType, count, deviation);
    return this.#keep({ name, dataType: DATA_TYPE[this.floatType], dims, data: { ...made, patches } });
  }

  /** A named tensor of one value throughout: the scale and shift of a normalisation. */
  filled(name: string, dims: readonly number[], value: number): string {
    return this.#keep({ ...this.#floats(dims, () => value), name });
  }

  /** Constant floats, in the graph's own type. */
  floats(values: readonly number[], dims: readonly number[] = []): string {
    return this.#keep({ ...this.#floats(dims, (i) => values[i] as number), name: this.#newName('const') });
  }

  integers(values: readonly number[], dims: readonly number[] = [values.length]): string {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#keep({ name: this.#newName('const'), dataType: DATA_TYPE.int64, dims, data });
  }

  /** @returns the name of the node's output; `outputName` chooses it. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    outputName: string = this.#newName(operator),
  ): string {
    this.nodes(operator, inputs, attributes, [outputName]);
    return outputName;
  }

  /** A node of several outputs. */
  nodes(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
    outputs: readonly string[],
  ): readonly string[] {
    const node = new ProtoMessage();
    for (const input of inputs) node.text(1, input);
    for (const output of outputs) node.text(2, output);
    node.text(3, `${operator}_${outputs[0]}`).text(4, operator);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    this.#nodes.push(node);
    return outputs;
  }

  /** Into the graph's float type, whatever it was. */
  toFloat(value: string): string {
    return this.cast(value, this.floatType);
  }

  cast(value: string, type: ElementType): string {
    return this.node('Cast', [value], { to: DATA_TYPE[type] });
  }

  /** GraphProto. @param initializers as the file holds them; none for a branch. */
  toProto(initializers: Iterable<ProtoMessage> = []): ProtoMessage {
    const graph = new ProtoMessage();
    for (const node of this.#nodes) graph.message(1, node);
    graph.text(2, this.#name);
    for (const initializer of initializers) graph.message(5, initializer);
    for (const input of this.#inputs) graph.message(11, input);
    for (const output of this.#outputs) graph.message(12, output);
    return graph;
  }

  #floats(dims: readonly number[], valueAt: (index: number) => number): Omit<Initializer, 'name'> {
    const length = dims.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length }, (_, i) => valueAt(i));
    const stored = this.floatType === 'fp32' ? values : new Float16Array(values);
    return { dataType: DATA_TYPE[this.floatType], dims, data: new Uint8Array(stored.buffer) };
  }

  #keep(initializer: Initializer): string {
    if (!this.#shared.initializers.has(initializer.name))
      this.#shared.initializers.set(initializer.name, initializer);
    return initializer.name;
  }

  #newName(word: string): string {
    this.#shared.values += 1;
    return `${word.toLowerCase()}_${this.#shared.values}`;
  }
}

/** Bytes of one float of this type. */
export function floatBytes(type: FloatType): number {
  return bytesOf(type, 1);
}

function valueInfo(name: string, type: ElementType, axes: Axes): ProtoMessage {
  const shape = new ProtoMessage();
  for (const axis of axes) {
    const dim = new ProtoMessage();
    shape.message(1, typeof axis === 'number' ? dim.integer(1, axis) : dim.text(2, axis));
  }
  const tensor = new ProtoMessage().integer(1, DATA_TYPE[type]).message(2, shape);
  return new ProtoMessage().text(1, name).message(2, new ProtoMessage().message(1, tensor));
}

function attribute(name: string, value: Attribute): ProtoMessage {
  const proto = new ProtoMessage().text(1, name);
  const put = (
    { type, field }: { type: number; field: number },
    write: (field: number) => void,
  ): ProtoMessage => {
    write(field);
    return proto.integer(20, type);
  };
  if (typeof value === 'number') return put(ATTRIBUTE.integer, (field) => proto.integer(field, value));
  if (typeof value === 'string') return put(ATTRIBUTE.text, (field) => proto.text(field, value));
  if (value instanceof OnnxGraph)
    return put(ATTRIBUTE.graph, (field) => proto.message(field, value.toProto()));
  if ('float' in value) return put(ATTRIBUTE.float, (field) => proto.float(field, value.float));
  return put(ATTRIBUTE.integers, (field) => {
    for (const item of value) proto.integer(field, item);
  });
}
