/**
 * Between 16-bit samples, as tapes, rings and codecs carry them, and floats in -1..1, as models do.
 * Thread: any, pure. Hot: no allocation.
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
