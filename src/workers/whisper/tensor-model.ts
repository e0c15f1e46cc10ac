/**
 * Tensors as onnxruntime-node takes and gives them: float32 or float16, and rows of one batch put together anew.
 * Thread: whisper worker; pure.
 */
import { Tensor } from 'onnxruntime-node';
import { freeArray } from '../free-array.ts';

export function floatTensor(type: Tensor.Type, values: Float32Array, dims: readonly number[]): Tensor {
  if (type !== 'float16') return new Tensor('float32', values, dims);
  return feedable(new Tensor('float16', new Uint16Array(new Float16Array(values).buffer), dims));
}

/**
 * The same tensor, fit to be an input. onnxruntime-common 1.30 wraps float16 values in a Float16Array where there
 * is one, and onnxruntime-node then finds it to be 0 bytes long; it does read a Uint16Array of the same bytes.
 */
export function feedable(tensor: Tensor): Tensor {
  if (tensor.type !== 'float16') return tensor;
  const { buffer, byteOffset, length } = tensor.data as Uint16Array;
  Object.assign(tensor, { cpuData: new Uint16Array(buffer, byteOffset, length) });
  return tensor;
}

export function asFloat32(tensor: Tensor): Float32Array {
  if (tensor.type !== 'float16') return tensor.data as Float32Array;
  const { buffer, byteOffset, length } = tensor.data as Uint16Array;
  return Float32Array.from(new Float16Array(buffer, byteOffset, length));
}

/** @param tensor made by a run or by `gatherRows`, read by nobody any more: its data is gone */
export function freeTensor(tensor: Tensor): void {
  freeArray(tensor.data as Float32Array | Uint16Array);
}

/**
 * A batch whose row i is row `rows[i]` of `tensor`, the batch being the first axis; the tensor itself when nothing changes.
 * @param rows each 0..batch - 1; a row may come several times, or not at all.
 */
export function gatherRows(tensor: Tensor, rows: readonly number[]): Tensor {
  const [batch = 0, ...rest] = tensor.dims;
  if (rows.length === batch && rows.every((row, i) => row === i)) return tensor;
  const rowValues = rest.reduce((product, size) => product * size, 1);
  const from = tensor.data as Float32Array | Uint16Array;
  const to =
    tensor.type === 'float16'
      ? new Uint16Array(rows.length * rowValues)
      : new Float32Array(rows.length * rowValues);
  rows.forEach((row, i) => {
    to.set(from.subarray(row * rowValues, (row + 1) * rowValues), i * rowValues);
  });
  const dims = [rows.length, ...rest];
  return to instanceof Uint16Array
    ? feedable(new Tensor('float16', to, dims))
    : new Tensor('float32', to, dims);
}
