/**
 * Between 16-bit samples, as tapes, rings and codecs carry them, and floats in -1..1, as models do.
 * Thread: any, pure. Hot, and without allocation, but for joinedFloats.
 */

const FULL_SCALE = 32768;

/** Writes the first `count` samples as floats, -1..1. */
export function int16ToFloat(samples: Int16Array, target: Float32Array, count: number): void {
  for (let i = 0; i < count; i++) target[i] = samples[i]! / FULL_SCALE;
}

/** Writes the first `count` floats as samples, rounded and clipped; what is not a number becomes 0. */
export function floatToInt16(samples: Float32Array, target: Int16Array, count: number): void {
  for (let i = 0; i < count; i++) target[i] = toInt16(samples[i]!);
}

function toInt16(sample: number): number {
  const scaled = Math.round(sample * FULL_SCALE);
  return Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, scaled)); // NaN becomes 0 in an Int16Array
}

/** One after the other, in an array of their own. */
export function joinedFloats(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
