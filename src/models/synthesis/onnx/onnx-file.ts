/**
 * An ONNX graph as files: one, or, where weights would pass the 2 GiB that a protobuf message can hold, a small one
 * with its weights beside it in `NAME_data`, as the Hugging Face exporters write them.
 * Thread: the CLI. Source: onnx.proto; onnx/docs/ExternalData.md.
 */
import type { PackFile } from '../../manifest.ts';
import { type FilePart, lengthOf, writeParts } from '../streamed-file.ts';
import type { Initializer, OnnxGraph } from './onnx-graph.ts';
import { ProtoMessage } from './protobuf.ts';

const IR_VERSION = 8;
const OPSET = 17;
const PRODUCER = 'wildfire models synthesize';
/** Room is left for the graph itself. */
const MOST_INLINE_BYTES = 2 ** 31 - 2 ** 26;
/** Smaller tensors stay in the graph: onnxruntime wants the shapes among them at hand. */
const SMALLEST_EXTERNAL_BYTES = 1024;
const DATA_LOCATION_EXTERNAL = 1;

export interface OnnxFileOptions {
  /** Where the files go; `path` is relative to it. */
  readonly folder: string;
  readonly path: string;
  /** What the file says of itself. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Weights beyond this many bytes go into a file of their own. Default: what protobuf allows. */
  readonly mostInlineBytes?: number;
}

/** @returns the files written, the model first. */
export async function writeOnnx(graph: OnnxGraph, options: OnnxFileOptions): Promise<PackFile[]> {
  const { folder, path, metadata, mostInlineBytes = MOST_INLINE_BYTES } = options;
  const all = [...graph.initializers];
  const weightBytes = all.reduce((sum, { data }) => sum + lengthOf(data), 0);
  const dataPath = `${path}_data`;
  const external: FilePart[] = [];
  let offset = 0;
  const tensors = all.map((initializer) => {
    const bytes = lengthOf(initializer.data);
    if (weightBytes <= mostInlineBytes || bytes < SMALLEST_EXTERNAL_BYTES) return inlineTensor(initializer);
    external.push(initializer.data);
    offset += bytes;
    return externalTensor(initializer, {
      location: baseName(dataPath),
      offset: offset - bytes,
      length: bytes,
    });
  });
  const written = [await writeParts(folder, path, modelProto(graph, tensors, metadata).parts)];
  if (external.length > 0) written.push(await writeParts(folder, dataPath, external));
  return written;
}

function modelProto(
  graph: OnnxGraph,
  tensors: readonly ProtoMessage[],
  metadata: Readonly<Record<string, string>>,
): ProtoMessage {
  const model = new ProtoMessage()
    .integer(1, IR_VERSION)
    .text(2, PRODUCER)
    .message(7, graph.toProto(tensors))
    .message(8, new ProtoMessage().text(1, '').integer(2, OPSET));
  for (const [key, value] of Object.entries(metadata)) model.message(14, entry(key, value));
  return model;
}

function tensorHead({ name, dataType, dims }: Initializer): ProtoMessage {
  const tensor = new ProtoMessage();
  for (const size of dims) tensor.integer(1, size);
  return tensor.integer(2, dataType).text(8, name);
}

function inlineTensor(initializer: Initializer): ProtoMessage {
  return tensorHead(initializer).payload(9, initializer.data);
}

function externalTensor(
  initializer: Initializer,
  { location, offset, length }: { location: string; offset: number; length: number },
): ProtoMessage {
  return tensorHead(initializer)
    .message(13, entry('location', location))
    .message(13, entry('offset', String(offset)))
    .message(13, entry('length', String(length)))
    .integer(14, DATA_LOCATION_EXTERNAL);
}

function entry(key: string, value: string): ProtoMessage {
  return new ProtoMessage().text(1, key).text(2, value);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
