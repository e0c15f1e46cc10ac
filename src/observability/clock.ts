/**
 * The one clock. CLOCK_MONOTONIC, so readings of all threads and processes of one box are comparable,
 * unlike `performance.now()`, whose origin differs by thread.
 */

/** Monotonic time in ms with sub-microsecond steps; comparable across threads and processes of one box. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
