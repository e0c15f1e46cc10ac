/**
 * How long to wait before the next attempt: quick ones first, then every second, then ever more slowly, with jitter
 * so that many calls that lost the same neighbour do not come back in one moment. Thread: main. Pure.
 */

export interface RetryPolicy {
  readonly fastAttempts: number;
  readonly fastMs: number;
  readonly slowAttempts: number;
  readonly slowMs: number;
  /** Beyond the slow attempts each delay is this many times the one before ... */
  readonly backoffFactor: number;
  /** ... up to this. */
  readonly maxMs: number;
  /** Share of a delay beyond the slow ones that is drawn by chance, 0..1. */
  readonly jitter: number;
  /** 0: without limit. */
  readonly maxAttempts: number;
}

/**
 * @param failedAttempts how many have failed so far, from 1
 * @param random 0..1
 * @returns ms to wait, or null when no further attempt is to be made
 */
export function delayAfterMs(policy: RetryPolicy, failedAttempts: number, random: number): number | null {
  const { fastAttempts, fastMs, slowAttempts, slowMs, maxAttempts } = policy;
  if (maxAttempts > 0 && failedAttempts >= maxAttempts) return null;
  if (failedAttempts <= fastAttempts) return fastMs;
  const slowFailures = failedAttempts - fastAttempts;
  return slowFailures <= slowAttempts ? slowMs : backedOffMs(policy, slowFailures - slowAttempts, random);
}

function backedOffMs(
  { slowMs, backoffFactor, maxMs, jitter }: Omit<BeatPolicy, 'fastMs' | 'fastForMs'>,
  steps: number,
  random: number,
): number {
  const wantedMs = Math.min(maxMs, slowMs * backoffFactor ** steps);
  return wantedMs * (1 + jitter * (2 * random - 1));
}

export interface BeatPolicy {
  readonly fastMs: number;
  /** How long the quick beat lasts. */
  readonly fastForMs: number;
  readonly slowMs: number;
  readonly backoffFactor: number;
  readonly maxMs: number;
  readonly jitter: number;
}

/**
 * The pause behind a REGISTER that nobody answered.
 * @param elapsedMs since the first one. @param slowBeats how many slow pauses there were before. @param random 0..1
 */
export function beatAfterMs(
  policy: BeatPolicy,
  elapsedMs: number,
  slowBeats: number,
  random: number,
): number {
  const { fastMs, fastForMs, slowMs, backoffFactor, maxMs, jitter } = policy;
  if (elapsedMs < fastForMs) return fastMs;
  if (maxMs <= slowMs || slowBeats === 0) return slowMs;
  return backedOffMs({ slowMs, backoffFactor, maxMs, jitter }, slowBeats, random);
}
