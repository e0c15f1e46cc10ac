/**
 * control.registerToConnect.saturated, control.lostDatagrams, control.mainLoop.saturated: 10,000 registrations of
 * 1,000 ids in ten seconds while every inference pool is saturated and 100 ids have addresses that answer nothing.
 * Baseline: the same command line with a connect that blocks its listener, as in the system that Wildfire replaces.
 * Run: npm run bench -- control-plane
 */
import { fileURLToPath } from 'node:url';
import {
  runSaturatedStorm,
  type SaturatedStorm,
} from '../../test/control-plane/interop/storm/saturated-storm.ts';
import { against, aimedAt, type BenchResult, type BenchRow, figure, quantiles } from '../bench-row.ts';

const BLOCKING_CONNECT = fileURLToPath(
  new URL('../../test/control-plane/blocking-connect/main.ts', import.meta.url),
);
const CONNECT_P99_LIMIT_MS = 20;
const MAIN_LOOP_P99_LIMIT_MS = 10;

/** Both runs, about half a minute. */
export async function benchRows(): Promise<BenchResult> {
  const ours = await runSaturatedStorm();
  const blocking = await runSaturatedStorm(BLOCKING_CONNECT);
  return { rows: [connectRow(ours, blocking), lostRow(ours, blocking), mainLoopRow(ours, blocking)] };
}

function connectRow(ours: SaturatedStorm, blocking: SaturatedStorm): BenchRow {
  const { reachableIds, connectedIds, sent, sendingMs } = ours.storm;
  const row = quantiles('control.registerToConnect.saturated', 'ms', ours.storm.connectMs, {
    maxMs: ours.storm.connectMs.at(-1),
    reachableIds,
    connectedIds,
    blackHoleIds: ours.blackHoleIds,
    datagrams: sent,
    sendingMs,
    busyCores: ours.busyCores,
    done: ours.saturation,
    baselineConnectedIds: blocking.storm.connectedIds,
  });
  const baseline = { name: 'blocking connect', p50: medianWait(blocking) };
  return aimedAt(against(row, baseline), { atMost: CONNECT_P99_LIMIT_MS }, 'p99');
}

/** Of all reachable ids; whoever was never connected waited for as long as the run lasted. */
function medianWait({ storm }: SaturatedStorm): number {
  const waits = [...storm.connectMs];
  while (waits.length < storm.reachableIds) waits.push(storm.sendingMs);
  return waits.toSorted((a, b) => a - b)[Math.floor(waits.length / 2)] ?? Number.NaN;
}

function lostRow(ours: SaturatedStorm, blocking: SaturatedStorm): BenchRow {
  const row = figure('control.lostDatagrams', 'count', ours.kernelDrops ?? Number.NaN, {
    registersRead: ours.registersRead,
    ...(blocking.kernelDrops === null ? {} : { baselineDrops: blocking.kernelDrops }),
  });
  return aimedAt(row, { atMost: 0 });
}

function mainLoopRow(ours: SaturatedStorm, blocking: SaturatedStorm): BenchRow {
  const { p50, p99, max } = ours.mainLoopMs;
  const row = { name: 'control.mainLoop.saturated', unit: 'ms', p50, p99, maxMs: max };
  const baseline = { name: 'blocking connect', p50: blocking.mainLoopMs.p50 };
  return aimedAt(against(row, baseline), { atMost: MAIN_LOOP_P99_LIMIT_MS }, 'p99');
}
