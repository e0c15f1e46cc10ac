/**
 * The result of `call` and `demo` as scripts read it (docs/cli.md, JSON shapes): what the caller measured on the
 * wire, joined with what the runtime reported of the same turns where it did. Pure.
 */
import { type CallReport, NO_STAGES, type StagesMs, type TurnReport } from '../call/reports.ts';
import { timestampDistance } from '../rtp/sequence-number.ts';
import type { StepResult } from './caller-conversation.ts';
import type { PlacedCall } from './place-call.ts';

/** G.711's clock. */
const TIMESTAMPS_PER_MS = 8;

export interface TurnResult {
  readonly said: string;
  /** The runtime's transcript; empty when the runtime is not ours to ask. */
  readonly heard: string;
  /** What the agent said aloud, as the caller understood it. */
  readonly reply: string;
  readonly goal: string;
  readonly goalMet: boolean;
  /** Last speech packet sent to first voiced packet received; 0 when no reply came, or one that was under way already. */
  readonly voiceToVoiceMs: number;
  readonly decisionToVoiceMs: number;
  readonly bargeIn: boolean;
  /**
   * Barge-in decision of the runtime to silence: to the last voiced packet received, or to the first silent frame
   * sent, whichever is later. The packet alone would do for an agent that happened to pause. Null without a barge-in.
   */
  readonly bargeInToSilenceMs: number | null;
  readonly stagesMs: StagesMs;
}

export interface CallResult {
  readonly id: string;
  readonly endedBy: 'caller' | 'agent' | 'error';
  /** Judged by what the agent said aloud. A turn or two may have gone wrong on the way. */
  readonly goalsMet: boolean;
  /** What was reached, or why it was not. */
  readonly why: string;
  readonly postDialDelayMs: number;
  readonly greetingMs: number;
  readonly greeting: string;
  readonly turns: readonly TurnResult[];
  readonly rtp: { sent: number; received: number; lost: number; late: number; underrunFrames: number };
  /** What the runtime's ledger still held after the call; null when the runtime is not ours to ask. */
  readonly ledger: CallReport['ledger'] | null;
}

export interface RuntimeView {
  readonly turns: readonly TurnReport[];
  readonly call: CallReport | null;
}

/** Joins both views. @param runtime empty when the callee is not our own runtime */
export function joinViews(placed: PlacedCall, runtime: RuntimeView): CallResult {
  const ofThisCall = runtime.turns.filter(({ sipCallId }) => sipCallId === placed.sipCallId);
  const turns = placed.steps.map((step) => joinTurn(step, turnOf(step, ofThisCall)));
  return {
    id: placed.sipCallId,
    endedBy: placed.endedBy,
    goalsMet: placed.outcome.goalMet,
    why: placed.outcome.why,
    postDialDelayMs: round(placed.postDialDelayMs),
    greetingMs: round(placed.greetingMs ?? 0),
    greeting: placed.greeting,
    turns,
    rtp: { ...placed.rtp, underrunFrames: runtime.call?.rtp.underrunFrames ?? 0 },
    ledger: runtime.call?.ledger ?? null,
  };
}

/** The runtime's turn that answered this step: the last one decided between its first packet and its reply. */
export function turnOf(step: StepResult, turns: readonly TurnReport[]): TurnReport | undefined {
  const untilMs = step.replyAtMs ?? Number.POSITIVE_INFINITY;
  return turns.findLast(({ decidedAtMs }) => decidedAtMs >= step.startedAtMs && decidedAtMs <= untilMs);
}

/**
 * The stages of a step as its caller's wire saw them: the endpoint wait counts from the last packet that was loud enough
 * to hear, not from where the VAD put the end of speech. The two ends meet in RTP timestamps, not by their clocks.
 */
export function wireStages(step: StepResult, turn: TurnReport | undefined): StagesMs {
  if (turn === undefined) return NO_STAGES;
  const { stagesMs, speechEndTimestamp } = turn;
  if (speechEndTimestamp === null) return stagesMs;
  const laterMs = timestampDistance(step.speechEndTimestamp, speechEndTimestamp) / TIMESTAMPS_PER_MS;
  return { ...stagesMs, endpoint: Math.max(0, stagesMs.endpoint + laterMs) };
}

function joinTurn(step: StepResult, turn: TurnReport | undefined): TurnResult {
  return {
    said: step.said,
    heard: turn?.heard ?? '',
    reply: step.reply,
    goal: step.goal,
    goalMet: step.goalMet,
    voiceToVoiceMs: round(step.voiceToVoiceMs ?? 0),
    decisionToVoiceMs: round(
      step.replyAtMs === null || turn === undefined ? 0 : step.replyAtMs - turn.decidedAtMs,
    ),
    bargeIn: step.bargeIn,
    bargeInToSilenceMs: bargeInToSilenceMs(step, turn),
    stagesMs: roundStages(wireStages(step, turn)),
  };
}

function bargeInToSilenceMs(step: StepResult, turn: TurnReport | undefined): number | null {
  const decidedAtMs = turn?.bargeInDecidedAtMs ?? null;
  if (decidedAtMs === null || step.agentStoppedAtMs === null) return null;
  return round(Math.max(0, step.agentStoppedAtMs - decidedAtMs, turn?.bargeInToSilenceMs ?? 0));
}

export function roundStages(stages: StagesMs): StagesMs {
  return Object.fromEntries(
    Object.entries(stages).map(([name, ms]) => [name, round(ms)]),
  ) as unknown as StagesMs;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
