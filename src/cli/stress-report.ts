/** The result of `stress` as scripts read it (docs/cli.md, JSON shapes): only what was measured is in it. Pure. */
import type { StagesMs, TurnReport } from '../call/reports.ts';
import type { CrowdCall, CrowdResult } from '../caller/crowd.ts';
import type { RuntimeFigures } from './runtime-watch.ts';

/** Share of the callers that must reach their goal. */
export const GOALS_NEEDED = 0.9;

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** What is known of a runtime that was started for the run. */
export interface OwnRuntime {
  readonly turns: readonly TurnReport[];
  readonly underrunFrames: number;
  readonly figures: RuntimeFigures | null;
}

export interface StressReport {
  readonly ok: boolean;
  readonly mode: 'conversation';
  readonly callsOffered: number;
  readonly callsEstablished: number;
  readonly callsCompleted: number;
  readonly callsFailed: number;
  readonly peakConcurrent: number;
  readonly turns: number;
  readonly goalsMet: number;
  readonly voiceToVoiceMs: Percentiles | null;
  readonly rtp: Readonly<Record<string, unknown>>;
  readonly calls: readonly ReportedCall[];
}

interface ReportedCall extends Omit<CrowdCall, 'steps' | 'durationMs'> {
  readonly durationMs: number;
  readonly turns: readonly { readonly said: string; readonly reply: string; readonly goalMet: boolean }[];
}

/** @param runtime null when the target was somebody else's */
export function stressReport(
  { calls, peakConcurrent }: CrowdResult,
  runtime: OwnRuntime | null,
): StressReport {
  const steps = calls.flatMap((call) => call.steps);
  const waits = steps.flatMap(({ voiceToVoiceMs }) => voiceToVoiceMs ?? []);
  const completed = calls.filter(({ isCompleted }) => isCompleted).length;
  const goalsMet = calls.filter(({ goalMet }) => goalMet).length;
  const figures = runtime?.figures ?? null;
  const leaksNothing = Object.values(figures?.leaks ?? {}).every((count) => count === 0);
  const isGood = calls.length > 0 && goalsMet >= GOALS_NEEDED * calls.length;
  return {
    ok: isGood && completed === calls.length && leaksNothing,
    mode: 'conversation',
    callsOffered: calls.length,
    callsEstablished: calls.filter(({ isEstablished }) => isEstablished).length,
    callsCompleted: completed,
    callsFailed: calls.length - completed,
    peakConcurrent,
    turns: steps.length,
    goalsMet,
    voiceToVoiceMs: percentilesOf(waits),
    ...(runtime === null ? {} : { stagesMs: stagesOf(runtime.turns) }),
    rtp: {
      ...packetsOf(calls),
      ...(runtime === null ? {} : { underrunFrames: runtime.underrunFrames }),
      ...(figures === null ? {} : { sendLatenessMs: figures.sendLatenessMs }),
    },
    ...(figures === null ? {} : withoutLateness(figures)),
    calls: calls.map(reported),
  };
}

/** Null of nothing. */
export function percentilesOf(values: readonly number[]): Percentiles | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

function stagesOf(turns: readonly TurnReport[]): Record<string, Percentiles | null> {
  const replied = turns.filter(({ outcome }) => outcome === 'replied');
  const names = Object.keys(replied[0]?.stagesMs ?? {}) as (keyof StagesMs)[];
  return Object.fromEntries(
    names.map((name) => [name, percentilesOf(replied.map((turn) => turn.stagesMs[name]))]),
  );
}

function packetsOf(calls: readonly CrowdCall[]): {
  sent: number;
  received: number;
  lost: number;
  late: number;
} {
  const sum = (name: keyof CrowdCall['rtp']): number =>
    calls.reduce((total, { rtp }) => total + rtp[name], 0);
  return { sent: sum('sent'), received: sum('received'), lost: sum('lost'), late: sum('late') };
}

function withoutLateness({
  sendLatenessMs: _inRtp,
  ...rest
}: RuntimeFigures): Omit<RuntimeFigures, 'sendLatenessMs'> {
  return rest;
}

function reported({ steps, ...call }: CrowdCall): ReportedCall {
  return { ...call, turns: steps.map(({ said, reply, goalMet }) => ({ said, reply, goalMet })) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
