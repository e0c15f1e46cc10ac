/**
 * Loudness of 16-bit samples. Thread: any, pure. Hot: no allocation.
 * 0 dBFS is a square wave of full scale, so a full-scale sine reads -3.01 dBFS.
 */

const FULL_SCALE = 32768;
/** What digital silence reads; below the level of a single bit in a second of zeros. */
const FLOOR_DBFS = -120;

/** Root mean square level, -120..0 dBFS. */
export function rmsDbfs(samples: Int16Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! * samples[i]!;
  if (sum === 0) return FLOOR_DBFS;
  return Math.max(FLOOR_DBFS, 10 * Math.log10(sum / samples.length / (FULL_SCALE * FULL_SCALE)));
}

/** Largest magnitude of any sample, 0..32768. */
export function peak(samples: Int16Array): number {
  let largest = 0;
  for (let i = 0; i < samples.length; i++) largest = Math.max(largest, Math.abs(samples[i]!));
  return largest;
}
