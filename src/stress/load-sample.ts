/** What a run looked like second by second, and what can be said of it as a whole. Pure. */

/** One second of the process that calls. */
export interface CallerSample {
  /** Since the start of the run. */
  readonly atS: number;
  /** Calls that have ended. */
  readonly callsEnded: number;
  /** Cores in use since the sample before. */
  readonly callerCores: number;
  /** The worst of the last second. */
  readonly callerLoopMs: number;
}

/** The same second of the runtime. */
export interface RuntimeSample {
  /** Calls up. */
  readonly calls: number;
  /** Cores in use since the sample before. */
  readonly cpuCores: number;
  readonly rssMiB: number;
  /** The worst of the last second. */
  readonly mainLoopMs: number;
  readonly sendLatenessMs: number;
}

/** One second. The runtime's part is left out where it is somebody else's, or did not answer. */
export type LoadSample = CallerSample & Partial<RuntimeSample>;
export type WholeSample = CallerSample & RuntimeSample;

/** What was seen of a runtime from outside over the run. */
export interface RuntimeFigures {
  readonly cpuCores: number;
  readonly rssMiB: { readonly start: number; readonly peak: number; readonly end: number };
  readonly mainLoopMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly sendLatenessMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Held after the last call, over what was held before the first. */
  readonly leaks: Readonly<Record<string, number>>;
}

/** What was seen second by second. */
export interface WatchedLoad {
  /** monotonicMs(); the samples count from here. */
  readonly startedAtMs: number;
  readonly samples: readonly LoadSample[];
  /** Null when the target was somebody else's, or no longer answers. */
  readonly runtime: RuntimeFigures | null;
}

/** Grows by so much; `null` where there are too few calls to tell. */
export interface MemorySlope {
  readonly mibPer100Calls: number | null;
  /** Calls that it was taken over. */
  readonly overCalls: number;
}

/** While as many calls are up as ever are. */
export interface HeldSpan {
  /** monotonicMs(), as WatchedLoad.startedAtMs. */
  readonly fullAtMs: number;
  readonly drainingAtMs: number;
}

/** Caches fill and the heap settles with the first calls; what grows after those is a leak. */
const SETTLING_SHARE = 0.3;
/** Garbage that waits for its collector moves memory by megabytes: fewer calls would tell of it alone. */
const FEWEST_CALLS = 100;

/** The seconds in which the runtime was looked at. */
export function ofRuntime(samples: readonly LoadSample[]): WholeSample[] {
  return samples.filter((sample): sample is WholeSample => sample.rssMiB !== undefined);
}

/** Cores that one call takes, percent of a core: all that the runtime used over all that the calls lasted. */
export function corePercentPerCall(samples: readonly WholeSample[]): number | null {
  let [coreSeconds, callSeconds] = [0, 0];
  for (const [i, sample] of samples.entries()) {
    const before = samples[i - 1];
    if (before === undefined) continue;
    const seconds = sample.atS - before.atS;
    coreSeconds += sample.cpuCores * seconds;
    callSeconds += ((sample.calls + before.calls) / 2) * seconds;
  }
  return callSeconds < 1 ? null : Math.round((coreSeconds / callSeconds) * 1e4) / 100;
}

/** The whole seconds of the hold: before and after it fewer calls are up. */
export function heldSamples({ startedAtMs, samples }: WatchedLoad, hold: HeldSpan): LoadSample[] {
  const atMs = (atS: number): number => startedAtMs + 1000 * atS;
  return samples.filter(
    ({ atS }, index) => atMs(samples[index - 1]?.atS ?? 0) >= hold.fullAtMs && atMs(atS) <= hold.drainingAtMs,
  );
}

/**
 * Least squares of resident memory over ended calls, after the first third.
 * @param samples of the hold: elsewhere memory follows how many calls are up
 */
export function memorySlope(samples: readonly WholeSample[]): MemorySlope {
  const total = samples.at(-1)?.callsEnded ?? 0;
  const settled = samples.filter(({ callsEnded }) => callsEnded >= total * SETTLING_SHARE);
  const overCalls = total - (settled[0]?.callsEnded ?? total);
  if (overCalls < FEWEST_CALLS) return { mibPer100Calls: null, overCalls };
  const slope = leastSquares(settled.map(({ callsEnded, rssMiB }) => [callsEnded, rssMiB]));
  return { mibPer100Calls: Math.round(slope * 1e4) / 100, overCalls };
}

function leastSquares(points: readonly (readonly [number, number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}
