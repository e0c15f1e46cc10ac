/** Prints what a tinybench run measured: median and p99 of each task, in one unit. */
import type { Bench } from 'tinybench';

const UNITS_PER_MS = { ns: 1e6, us: 1e3, ms: 1 } as const;

/** @param callsPerTask how often the measured thing happens within one run of a task. */
export function printLatencies(bench: Bench, unit: keyof typeof UNITS_PER_MS, callsPerTask = 1): void {
  const scaled = (ms: number): number => Number(((ms * UNITS_PER_MS[unit]) / callsPerTask).toPrecision(3));
  console.table(
    bench.tasks.map(({ name, result }) => {
      if (!('latency' in result)) return { name, failed: result.state };
      return {
        name,
        [`median ${unit}`]: scaled(result.latency.p50),
        [`p99 ${unit}`]: scaled(result.latency.p99),
      };
    }),
  );
}
