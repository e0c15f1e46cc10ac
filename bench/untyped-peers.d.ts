/** Packages that only benches use, and that come without usable types. */
declare module 'ringbuf.js' {
  export class RingBuffer {
    static getStorageForCapacity(capacity: number, type: Int16ArrayConstructor): SharedArrayBuffer;
    constructor(storage: SharedArrayBuffer, type: Int16ArrayConstructor);
    push(elements: Int16Array, length: number): number;
    pop(elements: Int16Array, length: number): number;
  }
}

declare module 'sip' {
  const sip: { parse(message: string): object | undefined };
  // biome-ignore lint/style/noDefaultExport: the package is CommonJS.
  export default sip;
}
