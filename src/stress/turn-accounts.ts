/**
 * The books of a run's turns: what each caller measured on its wire against what the runtime says where the time went.
 * Every ms belongs to endpointing, models, overhead or the voice's quiet start; how far the runtime's own ends are from the
 * wire's is told as residual. Pure.
 */
import type { StagesMs, TurnReport } from '../call/reports.ts';
import { turnOf, wireStages } from '../caller/call-result.ts';
import type { StepResult } from '../caller/caller-conversation.ts';
import type { CrowdCall } from '../caller/crowd.ts';
import { type Percentiles, percentilesOf } from './percentiles.ts';

/** The sum of the stages must be this close to the wire. */
export const EXPLAINED_WITHIN_MS = 30;

/** Of one spoken turn that was answered. */
export interface TurnAccount {
  /** Voice to voice, as its caller measured it. */
  readonly wireMs: number;
  /** From the caller's last loud packet to the time at which its turn is over. */
  readonly endpointMs: number;
  /**
   * Of that, how much later speech ended by the runtime's VAD than by that packet: a soft tail that noise covers makes
   * it negative, a noise after the speech positive. 0 where the runtime cannot tell.
   */
  readonly speechEndMs: number;
  readonly computeMs: number;
  readonly queueMs: number;
  /** What the runtime adds beyond waiting for the end and computing: jitter buffer, timers, queues, messages, playout. */
  readonly overheadMs: number;
  readonly leadInMs: number;
  /** The wire over the sum of the stages. */
  readonly residualMs: number;
  /** From the decision to the first voiced packet on the wire, over the sum of the stages since. */
  readonly sinceDecisionMs: number;
}

export interface TimelineFigures {
  /** Turns that both sides measured. */
  readonly turns: number;
  readonly explainedWithinMs: number;
  /** Share of them whose stages add up to the wire. */
  readonly explained: number;
  /** The share when counted from the runtime's decision that the caller had finished. */
  readonly explainedSinceDecision: number;
  /** Absolute, as are the next two. */
  readonly residualMs: Percentiles | null;
  readonly sinceDecisionMs: Percentiles | null;
  readonly speechEndMs: Percentiles | null;
  readonly endpointMs: Percentiles | null;
  readonly computeMs: Percentiles | null;
  readonly queueMs: Percentiles | null;
  readonly overheadMs: Percentiles | null;
  readonly leadInMs: Percentiles | null;
}

/** A turn that both sides measured: answered on the wire, and finished for the runtime. */
export interface MeasuredTurn {
  readonly input: StepResult['input'];
  readonly step: StepResult;
  readonly turn: TurnReport;
  /** As the caller's wire saw them. */
  readonly stages: StagesMs;
  readonly wireMs: number;
  readonly replyAtMs: number;
}

/** Those of all calls. */
export function measuredTurns(calls: readonly CrowdCall[], turns: readonly TurnReport[]): MeasuredTurn[] {
  const bySipCallId = Map.groupBy(turns, ({ sipCallId }) => sipCallId);
  return calls.flatMap(({ sipCallId, steps }) =>
    steps.flatMap((step) => measured(step, bySipCallId.get(sipCallId) ?? []) ?? []),
  );
}

/** Null for a step that got no reply, or that the runtime has no finished turn of its kind for. */
function measured(step: StepResult, turns: readonly TurnReport[]): MeasuredTurn | null {
  const turn = turnOf(step, turns);
  const { input, voiceToVoiceMs: wireMs, replyAtMs } = step;
  if (turn === undefined || wireMs === null || replyAtMs === null) return null;
  if (turn.input !== input || turn.decisionToVoiceMs === 0) return null;
  return { input, step, turn, stages: wireStages(step, turn), wireMs, replyAtMs };
}

/** The account of a spoken turn. */
export function accountOf({ turn, stages: s, wireMs, replyAtMs }: MeasuredTurn): TurnAccount {
  const queueMs = s.sttQueue + s.llmQueue + s.ttsQueue;
  const beforeDecisionMs = s.uplink + s.endpoint + s.endpointQueue;
  return {
    wireMs,
    endpointMs: s.endpoint,
    speechEndMs: s.endpoint - turn.stagesMs.endpoint,
    computeMs: s.stt + s.llmFirstToken + s.firstSentence + s.ttsFirstAudio,
    queueMs,
    overheadMs: s.uplink + s.endpointQueue + queueMs + s.handover + s.playout,
    leadInMs: s.leadIn,
    residualMs: wireMs - sumOf(s),
    sinceDecisionMs: replyAtMs - turn.decidedAtMs - (sumOf(s) - beforeDecisionMs),
  };
}

/** The accounts of all spoken turns of all calls. */
export function accountsOf(calls: readonly CrowdCall[], turns: readonly TurnReport[]): TurnAccount[] {
  return measuredTurns(calls, turns)
    .filter(({ input }) => input === 'speech')
    .map(accountOf);
}

/** Each stage over some of the turns; empty of none. */
export function stagesOf(turns: readonly MeasuredTurn[]): Record<string, Percentiles | null> {
  const names = Object.keys(turns[0]?.stages ?? {}) as (keyof StagesMs)[];
  return Object.fromEntries(
    names.map((name) => [name, percentilesOf(turns.map(({ stages }) => stages[name]))]),
  );
}

export function timelineOf(accounts: readonly TurnAccount[]): TimelineFigures {
  const of = (name: keyof TurnAccount): Percentiles | null =>
    percentilesOf(accounts.map((account) => account[name]));
  const absolute = (name: keyof TurnAccount): number[] => accounts.map((account) => Math.abs(account[name]));
  return {
    turns: accounts.length,
    explainedWithinMs: EXPLAINED_WITHIN_MS,
    explained: shareExplained(absolute('residualMs')),
    explainedSinceDecision: shareExplained(absolute('sinceDecisionMs')),
    residualMs: percentilesOf(absolute('residualMs')),
    sinceDecisionMs: percentilesOf(absolute('sinceDecisionMs')),
    speechEndMs: percentilesOf(absolute('speechEndMs')),
    endpointMs: of('endpointMs'),
    computeMs: of('computeMs'),
    queueMs: of('queueMs'),
    overheadMs: of('overheadMs'),
    leadInMs: of('leadInMs'),
  };
}

function sumOf(stages: StagesMs): number {
  return Object.values(stages).reduce((sum, ms) => sum + ms, 0);
}

function shareExplained(residualsMs: readonly number[]): number {
  const explained = residualsMs.filter((ms) => ms <= EXPLAINED_WITHIN_MS).length;
  return Math.round((explained / Math.max(1, residualsMs.length)) * 1000) / 1000;
}
