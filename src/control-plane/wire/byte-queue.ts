/**
 * Bytes of a TCP stream waiting to be cut into frames: takes pieces of any size, gives back exact lengths.
 * Thread: main. Pure. Bounded by its owner, which refuses a length field before the bytes behind it arrive.
 */
export class ByteQueue {
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** The big-endian number in four bytes from `offset` on, left where it is; null when they have not come yet. */
  peekUint32(offset = 0): number | null {
    if (this.#bytes < offset + 4) return null;
    let value = 0;
    let at = 0;
    for (const piece of this.#pieces) {
      const end = Math.min(piece.length, offset + 4 - at);
      for (let i = Math.max(0, offset - at); i < end; i++) value = value * 256 + (piece[i] as number);
      at += piece.length;
      if (at >= offset + 4) break;
    }
    return value;
  }

  /** The first `length` bytes in memory of their own; null, and nothing is taken, when they have not come yet. */
  take(length: number): Uint8Array<ArrayBuffer> | null {
    if (this.#bytes < length) return null;
    const taken = new Uint8Array(length);
    let at = 0;
    let used = 0;
    while (at < length) {
      const piece = this.#pieces[used] as Uint8Array;
      const part = piece.subarray(0, length - at);
      taken.set(part, at);
      at += part.length;
      if (part.length < piece.length) this.#pieces[used] = piece.subarray(part.length);
      else used += 1;
    }
    this.#pieces.splice(0, used);
    this.#bytes -= length;
    return taken;
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }
}
