/**
 * Writes a GGUF file: metadata, tensor list, then the tensors one by one, made while they are written.
 * Thread: the CLI. Source: ggml/docs/gguf.md, version 3.
 */
import type { PackFile } from '../../manifest.ts';
import { bytesOf, type PatternBytes, type WeightType } from '../random-weights.ts';
import { type FilePart, writeParts } from '../streamed-file.ts';

/** A whole number is stored as uint32, `{ float }` as float32; a list holds texts or whole numbers. */
export type GgufValue =
  | number
  | string
  | boolean
  | { readonly float: number }
  | readonly string[]
  | readonly number[];

export interface GgufTensor {
  readonly name: string;
  readonly type: WeightType;
  /** Fastest axis first. */
  readonly dims: readonly number[];
  readonly data: Uint8Array | PatternBytes;
}

const VERSION = 3;
const ALIGNMENT_BYTES = 32;
const VALUE_TYPE = { uint32: 4, int32: 5, float32: 6, bool: 7, text: 8, list: 9 } as const;
/** ggml_type. */
const TENSOR_TYPE: Readonly<Record<WeightType, number>> = { fp32: 0, fp16: 1, q4_0: 2, q8_0: 8 };

/** @returns the file as a manifest lists it. */
export function writeGguf(
  folder: string,
  path: string,
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Promise<PackFile> {
  return writeParts(folder, path, partsOf(metadata, tensors));
}

function* partsOf(
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Generator<FilePart> {
  const entries = Object.entries(metadata);
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    uint32(VERSION),
    uint64(tensors.length),
    uint64(entries.length),
    ...entries.flatMap(([key, value]) => [text(key), ...typed(value)]),
    ...tensorList(tensors),
  ]);
  yield head;
  yield padding(head.length);
  for (const tensor of tensors) {
    yield tensor.data;
    yield padding(sizeOf(tensor));
  }
}

function tensorList(tensors: readonly GgufTensor[]): Buffer[] {
  let offset = 0;
  return tensors.map((tensor) => {
    const { name, type, dims } = tensor;
    const info = [
      text(name),
      uint32(dims.length),
      ...dims.map(uint64),
      uint32(TENSOR_TYPE[type]),
      uint64(offset),
    ];
    offset += sizeOf(tensor) + padding(sizeOf(tensor)).length;
    return Buffer.concat(info);
  });
}

function sizeOf({ type, dims }: GgufTensor): number {
  return bytesOf(
    type,
    dims.reduce((product, size) => product * size, 1),
  );
}

function padding(bytes: number): Uint8Array {
  return new Uint8Array((ALIGNMENT_BYTES - (bytes % ALIGNMENT_BYTES)) % ALIGNMENT_BYTES);
}

function typed(value: GgufValue): Buffer[] {
  if (typeof value === 'string') return [uint32(VALUE_TYPE.text), text(value)];
  if (typeof value === 'boolean') return [uint32(VALUE_TYPE.bool), Buffer.from([value ? 1 : 0])];
  if (typeof value === 'number') return [uint32(VALUE_TYPE.uint32), uint32(value)];
  if ('float' in value) return [uint32(VALUE_TYPE.float32), float32(value.float)];
  return [uint32(VALUE_TYPE.list), ...list(value)];
}

function list(values: readonly string[] | readonly number[]): Buffer[] {
  const isText = typeof values[0] === 'string';
  const items = values.map((value) => (typeof value === 'string' ? text(value) : uint32(value)));
  return [uint32(isText ? VALUE_TYPE.text : VALUE_TYPE.int32), uint64(values.length), ...items];
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  return Buffer.from(Uint32Array.of(value).buffer);
}

function uint64(value: number): Buffer {
  return Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
}

function float32(value: number): Buffer {
  return Buffer.from(Float32Array.of(value).buffer);
}
