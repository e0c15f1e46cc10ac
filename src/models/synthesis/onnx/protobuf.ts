/**
 * The writing half of protobuf, as far as ONNX needs it. A message is a list of parts, so that weights inside it are
 * made only when the file is written. Pure. Source: protobuf.dev, "Encoding".
 */
import { type FilePart, lengthOf } from '../streamed-file.ts';

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;
const utf8 = new TextEncoder();

export class ProtoMessage {
  readonly parts: FilePart[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** @param value a whole number, 0 <= value < 2^53, or any negative one. */
  integer(field: number, value: number | bigint): this {
    this.#put(tag(field, VARINT));
    return this.#put(varint(BigInt.asUintN(64, BigInt(value))));
  }

  float(field: number, value: number): this {
    this.#put(tag(field, FIXED_32));
    return this.#put(new Uint8Array(Float32Array.of(value).buffer));
  }

  text(field: number, value: string): this {
    return this.payload(field, utf8.encode(value));
  }

  message(field: number, message: ProtoMessage): this {
    this.#lengthDelimited(field, message.bytes);
    for (const part of message.parts) this.#put(part);
    return this;
  }

  payload(field: number, bytes: FilePart): this {
    this.#lengthDelimited(field, lengthOf(bytes));
    return this.#put(bytes);
  }

  #lengthDelimited(field: number, bytes: number): void {
    this.#put(tag(field, LENGTH_DELIMITED));
    this.#put(varint(BigInt(bytes)));
  }

  #put(part: FilePart): this {
    this.parts.push(part);
    this.#bytes += lengthOf(part);
    return this;
  }
}

function tag(field: number, wireType: number): Uint8Array {
  return varint(BigInt((field << 3) | wireType));
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
