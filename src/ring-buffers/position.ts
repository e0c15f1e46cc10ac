/**
 * Arithmetic on sample positions and ring indices: uint32 counters that run on for ever and wrap at 2^32.
 * Thread: any, pure. Hot. Never compare positions with `<`: after 2^32 samples (149 hours at 8 kHz) the
 * later one is the smaller number. "Before" means less than 2^31 samples before.
 */

/** `position` moved by `samples`, which may be negative. */
export function advance(position: number, samples: number): number {
  return (position + samples) >>> 0;
}

/** Samples from `from` forward to `to`, 0..2^32-1. The caller knows that `to` is not before `from`. */
export function distance(from: number, to: number): number {
  return (to - from) >>> 0;
}

/** Samples from `from` to `to`, negative when `to` lies before: -2^31..2^31-1. */
export function signedDistance(from: number, to: number): number {
  return (to - from) | 0;
}

/** Whether `position` lies before `other`. */
export function isBefore(position: number, other: number): boolean {
  return ((position - other) | 0) < 0;
}
