/**
 * Lateness histogram: how late packets left, in fixed buckets that get wider as it matters less.
 * Thread: media. Hot: `add` does not allocate. Pure.
 */

/** Bucket widths: 0.1 ms up to 10 ms, 1 ms up to 100 ms, 10 ms up to 1 s, one for the rest. */
const FINE_BUCKETS = 100;
const MIDDLE_BUCKETS = 90;
const COARSE_BUCKETS = 90;
const BUCKETS = FINE_BUCKETS + MIDDLE_BUCKETS + COARSE_BUCKETS + 1;

/** Percentiles are the upper edge of their bucket; `maxMs` is exact. */
export interface LatenessSummary {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

export class LatenessHistogram {
  readonly #buckets = new Uint32Array(BUCKETS);
  #count = 0;
  #maxMs = 0;

  /** Notes one packet. Early counts as 0. @throws never */
  add(latenessMs: number): void {
    this.#buckets[bucketOf(latenessMs)]! += 1;
    this.#count += 1;
    if (latenessMs > this.#maxMs) this.#maxMs = latenessMs;
  }

  summary(): LatenessSummary {
    return {
      p50: this.quantile(0.5),
      p99: this.quantile(0.99),
      max: round(this.#maxMs),
      count: this.#count,
    };
  }

  /** How many fell into each bucket that is not empty, by its upper edge. */
  counts(): [upToMs: number, count: number][] {
    const all = Array.from(this.#buckets, (count, bucket): [number, number] => [upperEdgeMs(bucket), count]);
    return all
      .filter(([, count]) => count > 0)
      .map(([edgeMs, count]) => [Math.min(edgeMs, round(this.#maxMs)), count]);
  }

  /** Forgets everything. @throws never */
  clear(): void {
    this.#buckets.fill(0);
    this.#count = 0;
    this.#maxMs = 0;
  }

  /** Adds all of `other`, for totals over legs that are gone. */
  merge(other: LatenessHistogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) this.#buckets[bucket]! += other.#buckets[bucket]!;
    this.#count += other.#count;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  /** @param share 0..1 @returns the upper edge of its bucket, ms; 0 of nothing */
  quantile(share: number): number {
    const wanted = this.#count * share;
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.#buckets[bucket]!;
      if (seen >= wanted && seen > 0) return Math.min(upperEdgeMs(bucket), round(this.#maxMs));
    }
    return 0;
  }
}

function bucketOf(latenessMs: number): number {
  if (latenessMs < 0) return 0;
  if (latenessMs < 10) return Math.floor(latenessMs * 10);
  if (latenessMs < 100) return FINE_BUCKETS + Math.floor(latenessMs) - 10;
  if (latenessMs < 1000) return FINE_BUCKETS + MIDDLE_BUCKETS + Math.floor(latenessMs / 10) - 10;
  return BUCKETS - 1;
}

function upperEdgeMs(bucket: number): number {
  if (bucket < FINE_BUCKETS) return (bucket + 1) / 10;
  if (bucket < FINE_BUCKETS + MIDDLE_BUCKETS) return bucket - FINE_BUCKETS + 11;
  if (bucket < BUCKETS - 1) return (bucket - FINE_BUCKETS - MIDDLE_BUCKETS + 11) * 10;
  return Number.POSITIVE_INFINITY;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
