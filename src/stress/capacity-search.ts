/**
 * How many calls a box holds: doubles until the objective is missed, then halves the gap, and tells which stage gave way
 * first. Pure but for the loads, which the caller runs.
 */
import { missedBy, type Objective } from './objective.ts';
import type { StressReport } from './stress-report.ts';

export interface SearchOptions {
  readonly objective: Objective;
  /** Calls at once in the first step. */
  readonly from: number;
  /** Not more than this many at once. */
  readonly most: number;
  /** No step begins later than this after the first. */
  readonly limitMs: number;
  readonly nowMs: () => number;
  /** One load of so many calls at once. */
  readonly run: (calls: number) => Promise<StressReport>;
  readonly onStep?: (step: SearchStep) => void;
}

/** Where the time of a step's turns went, p95, ms; empty where the runtime is not ours to ask. */
type StagePeaks = Readonly<Record<string, number>>;

/** Of conversations, p50 to callerCores are of the hold, in which all calls were up. */
export interface SearchStep {
  readonly calls: number;
  readonly ok: boolean;
  /** Why not; '' when it is. */
  readonly why: string;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly goals: number;
  readonly stagesP95Ms: StagePeaks;
  /** Means over the same seconds. */
  readonly cpuCores: number | null;
  readonly callerCores: number | null;
  /** The worst second of the calling process, from the first call to the last: above some 20 ms its own figures are in doubt. */
  readonly callerLoopMs: number | null;
  /** Held after the step over what was held before, by kind, what is not 0; null where the runtime is not ours to ask. */
  readonly leaks: Readonly<Record<string, number>> | null;
}

/** What grew most from the largest good step to the smallest bad one: a stage by its p95, or how late the callers were. */
export interface BreaksFirst {
  /** `callers`: the calling process. The target may hold more; only callers on another box can tell. */
  readonly stage: string;
  /** Waiting for a thread, or computing: more threads help the one, faster models or more cores the other. */
  readonly kind: 'queue' | 'compute' | 'callers' | 'other';
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SearchResult {
  readonly slo: string;
  /** The largest number of calls that held the objective; 0 when none did. */
  readonly calls: number;
  /** Whether a larger number was seen to fail: otherwise `calls` is a lower bound. */
  readonly isExact: boolean;
  readonly breaksFirst: BreaksFirst | null;
  readonly steps: readonly SearchStep[];
}

/** The gap is not halved further below this share of the calls. */
const PRECISION = 0.1;
const CALLERS = 'callers';
/** Packets that come later than this outrun every jitter buffer, and the wire's figures are the callers' own. */
const LATE_CALLERS_MS = 50;
const QUEUES = ['endpointQueue', 'sttQueue', 'llmQueue', 'ttsQueue'];
const COMPUTE = ['stt', 'llmFirstToken', 'firstSentence', 'ttsFirstAudio'];

/** Runs the steps one after another. */
export async function searchCapacity(options: SearchOptions): Promise<SearchResult> {
  const { objective, from, most, limitMs, nowMs, run, onStep } = options;
  const startedAtMs = nowMs();
  const steps: SearchStep[] = [];
  for (
    let next: number | null = Math.min(from, most);
    next !== null && nowMs() - startedAtMs < limitMs;
    next = nextLoad(steps, most)
  ) {
    const step = stepOf(next, await run(next), objective);
    steps.push(step);
    onStep?.(step);
  }
  const { good, bad } = boundsOf(steps);
  return {
    slo: objective.text,
    calls: good?.calls ?? 0,
    isExact: bad !== undefined && nextLoad(steps, most) === null,
    breaksFirst: good === undefined || bad === undefined ? null : breaksFirst(good, bad),
    steps,
  };
}

/** A fault of the runtime whatever the step was to find out. */
export function hasLeaked({ leaks }: SearchStep): boolean {
  return Object.keys(leaks ?? {}).length > 0;
}

/** How many calls to try after these steps; null when it is known well enough. */
export function nextLoad(steps: readonly SearchStep[], most: number): number | null {
  const { good, bad } = boundsOf(steps);
  const [low, high] = [good?.calls ?? 0, bad?.calls ?? Number.POSITIVE_INFINITY];
  if (low >= most) return null;
  if (bad === undefined) return Math.min(most, low * 2);
  if (high - low <= Math.max(1, PRECISION * low)) return null;
  return Math.floor((low + high) / 2);
}

/** The largest load that held, below the smallest that did not. */
function boundsOf(steps: readonly SearchStep[]): {
  good: SearchStep | undefined;
  bad: SearchStep | undefined;
} {
  const bad = steps.filter(({ ok }) => !ok).sort((a, b) => a.calls - b.calls)[0];
  const good = steps
    .filter(({ ok, calls }) => ok && calls < (bad?.calls ?? Number.POSITIVE_INFINITY))
    .sort((a, b) => b.calls - a.calls)[0];
  return { good, bad };
}

function stepOf(calls: number, report: StressReport, objective: Objective): SearchStep {
  const why = missedBy(report, objective);
  const { hold, samples = [] } = report;
  const measured = hold.voiceToVoiceMs ?? report.roundTripMs ?? null;
  const stages = Object.entries(hold.stagesMs ?? {});
  return {
    calls,
    ok: why === null,
    why: why ?? '',
    p50: measured?.p50 ?? null,
    p95: measured?.p95 ?? null,
    goals: Math.round((report.goalsMet / Math.max(1, report.callsOffered)) * 1000) / 1000,
    stagesP95Ms: Object.fromEntries(stages.map(([name, ms]) => [name, ms?.p95 ?? 0])),
    cpuCores: hold.cpuCores ?? null,
    callerCores: hold.callerCores,
    callerLoopMs: worst(samples.map(({ callerLoopMs }) => callerLoopMs)),
    leaks: report.leaks === undefined ? null : leakedOf(report.leaks),
  };
}

function leakedOf(leaks: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(leaks).filter(([, count]) => count > 0));
}

function breaksFirst(good: SearchStep, bad: SearchStep): BreaksFirst | null {
  const [before, after] = [peaksOf(good), peaksOf(bad)];
  const grown = Object.entries(after)
    .map(([stage, toMs]) => ({ stage, fromMs: before[stage] ?? 0, toMs }))
    .filter(({ stage, toMs }) => stage !== CALLERS || toMs > LATE_CALLERS_MS)
    .sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs))[0];
  return grown === undefined ? null : { ...grown, kind: kindOf(grown.stage) };
}

function peaksOf({ stagesP95Ms, callerLoopMs }: SearchStep): StagePeaks {
  return { ...stagesP95Ms, [CALLERS]: callerLoopMs ?? 0 };
}

function kindOf(stage: string): BreaksFirst['kind'] {
  if (QUEUES.includes(stage)) return 'queue';
  if (stage === CALLERS) return 'callers';
  return COMPUTE.includes(stage) ? 'compute' : 'other';
}

function worst(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((most, value) => Math.max(most, value));
}
