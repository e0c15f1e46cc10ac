/**
 * One measured figure as `bench --json` prints it, and how rows are made of samples. Pure.
 * Source of the shape: docs/cli.md, "bench".
 */

/** What a figure must be: at most or at least so much. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** Which of a row's figures a target is for. */
export type TargetOf = 'p50' | 'p99' | 'ratio';

export interface BenchRow {
  readonly name: string;
  /** us, ms, MiB, fraction, count, ratio, dB ... */
  readonly unit: string;
  /** The figure itself where there is only one; then p95 and p99 are the same. */
  readonly p50: number;
  /** Absent where only the others were counted. */
  readonly p95?: number;
  readonly p99: number;
  /** Who else was measured in the same run. */
  readonly baseline?: string;
  readonly baselineP50?: number;
  /** Above 1: that many times better than the baseline. */
  readonly ratio?: number;
  readonly target?: Target;
  /** Absent: p50. */
  readonly targetOf?: TargetOf;
  /** Whether the figure meets its target; absent where none is set. */
  readonly holds?: boolean;
  /** What the figure is made of: counts, conditions, seeds, what went wrong. */
  readonly [detail: string]: unknown;
}

export interface Baseline {
  readonly name: string;
  readonly p50: number;
}

/** What a bench hands to bench/main.ts. */
export interface BenchResult {
  readonly rows: readonly BenchRow[];
  /** What it ran on, for the header: execution providers, model pack. */
  readonly machine?: Readonly<Record<string, string>>;
}

/** The options of `bench` that benches see. */
export interface BenchOptions {
  /** A pack's folder or the name of one under models/. */
  readonly pack: string;
  /** How many callers `models/callers` lets call. */
  readonly callers: number;
  /** Where ONNX models run if they can; the header says where they did. The language model takes a GPU that is there. */
  readonly device: 'cpu' | 'cuda';
  /** At most so many rounds, or items of each set; null is all. */
  readonly limit: number | null;
}

/** A row of one figure. */
export function figure(name: string, unit: string, value: number, details: object = {}): BenchRow {
  return { name, unit, p50: rounded(value), p95: rounded(value), p99: rounded(value), ...details };
}

/**
 * A row of many samples; NaN is one that could not be measured and is left out.
 * @throws never; without samples every quantile is NaN, which JSON prints as null
 */
export function quantiles(
  name: string,
  unit: string,
  samples: readonly number[],
  details: object = {},
): BenchRow {
  const sorted = samples.filter((sample) => !Number.isNaN(sample)).sort((a, b) => a - b);
  const at = (share: number): number =>
    rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN);
  return { name, unit, p50: at(0.5), p95: at(0.95), p99: at(0.99), samples: sorted.length, ...details };
}

/** The row beside a baseline of which less is better. */
export function against(row: BenchRow, { name, p50 }: Baseline): BenchRow {
  const ratio = row.p50 > 0 ? { ratio: rounded(p50 / row.p50) } : {};
  return { ...row, baseline: name, baselineP50: rounded(p50), ...ratio };
}

/** The row with its target and whether it holds; a figure that could not be measured does not hold. */
export function aimedAt(row: BenchRow, target: Target, of: TargetOf = 'p50'): BenchRow {
  const value = row[of] ?? Number.NaN;
  const holds = 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
  return { ...row, target, ...(of === 'p50' ? {} : { targetOf: of }), holds };
}

/** Four significant digits are more than any figure here is good for. */
export function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}
