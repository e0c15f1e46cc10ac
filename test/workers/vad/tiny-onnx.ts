/**
 * Test support: writes a small ONNX file, field by field, with the inputs and outputs of Silero v5, so that the
 * plumbing is tested without the model. Source: onnx.proto3 (field numbers), opset 13.
 *
 *   output[n] = max |input[n, :]| + 0.001 max state[:, n, :]      stateN = state + 1
 */

type Bytes = readonly number[];

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function int(field: number, value: number): Bytes {
  return [...varint(field * 8), ...varint(value)];
}

function message(field: number, ...parts: readonly Bytes[]): Bytes {
  const body = parts.flat();
  return [...varint(field * 8 + 2), ...varint(body.length), ...body];
}

function text(field: number, value: string): Bytes {
  return message(field, [...Buffer.from(value)]);
}

function ints(name: string, values: readonly number[]): Bytes {
  return message(5, text(1, name), ...values.map((value) => int(8, value)), int(20, 7));
}

function flag(name: string, value: number): Bytes {
  return message(5, text(1, name), int(3, value), int(20, 2));
}

function node(
  opType: string,
  inputs: readonly string[],
  output: string,
  ...attributes: readonly Bytes[]
): Bytes {
  return message(1, ...inputs.map((name) => text(1, name)), text(2, output), text(4, opType), ...attributes);
}

function scalar(name: string, value: number): Bytes {
  return message(5, int(2, 1), message(9, [...new Uint8Array(Float32Array.of(value).buffer)]), text(8, name));
}

const FLOAT = 1;
const INT64 = 7;

function value(field: number, name: string, type: number, shape: readonly (number | string)[]): Bytes {
  const dims = shape.map((dim) => message(1, typeof dim === 'number' ? int(1, dim) : text(2, dim)));
  return message(field, text(1, name), message(2, message(1, int(1, type), message(2, ...dims))));
}

/** @param stateName the name of the second input; anything but "state" is not a Silero file */
export function tinyVadOnnx(stateName = 'state'): Uint8Array {
  const graph = message(
    7,
    node('Abs', ['input'], 'absolute'),
    node('ReduceMax', ['absolute'], 'peak', ints('axes', [1]), flag('keepdims', 1)),
    node('ReduceMax', [stateName], 'stateOfLayer', ints('axes', [0]), flag('keepdims', 0)),
    node('ReduceMax', ['stateOfLayer'], 'stateMax', ints('axes', [1]), flag('keepdims', 1)),
    node('Mul', ['stateMax', 'thousandth'], 'stateShare'),
    node('Add', ['peak', 'stateShare'], 'output'),
    node('Add', [stateName, 'one'], 'stateN'),
    text(2, 'tiny-vad'),
    scalar('thousandth', 0.001),
    scalar('one', 1),
    value(11, 'input', FLOAT, ['batch', 'samples']),
    value(11, stateName, FLOAT, [2, 'batch', 128]),
    value(11, 'sr', INT64, []),
    value(12, 'output', FLOAT, ['batch', 1]),
    value(12, 'stateN', FLOAT, [2, 'batch', 128]),
  );
  return Uint8Array.from([...int(1, 8), ...graph, ...message(8, text(1, ''), int(2, 13))]);
}
