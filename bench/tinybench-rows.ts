/** tinybench's tasks as rows, each beside the peers that were measured with it. Thread: main. */
import type { Bench } from 'tinybench';
import { against, type BenchRow, quantiles } from './bench-row.ts';

const UNITS_PER_MS = { ns: 1e6, us: 1e3, ms: 1 } as const;

export interface TaskRow {
  /** Of the row and of the task that is ours. */
  readonly name: string;
  readonly unit: keyof typeof UNITS_PER_MS;
  /** How often the measured thing happens within one run of a task; default 1. */
  readonly perRun?: number;
  /** Tasks of the peers by their name in the row; several give several rows, none gives one without a peer. */
  readonly peers?: Readonly<Record<string, string>>;
}

/**
 * @param bench run already, with `retainSamples`.
 * @throws Error when a task failed or was not added.
 */
export function taskRows(bench: Bench, { name, unit, perRun = 1, peers = {} }: TaskRow): BenchRow[] {
  const scaled = (task: string): number[] =>
    samplesMs(bench, task).map((ms) => (ms * UNITS_PER_MS[unit]) / perRun);
  const own = quantiles(name, unit, scaled(name));
  const baselines = Object.entries(peers);
  if (baselines.length === 0) return [own];
  return baselines.map(([peer, task]) =>
    against(own, { name: peer, p50: quantiles(peer, unit, scaled(task)).p50 }),
  );
}

function samplesMs(bench: Bench, taskName: string): readonly number[] {
  const result = bench.tasks.find(({ name }) => name === taskName)?.result;
  if (result === undefined) throw new Error(`no task ${taskName}`);
  if (result.state === 'errored') throw result.error;
  if (!('latency' in result) || result.latency.samples === undefined)
    throw new Error(`${taskName} was not run`);
  return result.latency.samples;
}
