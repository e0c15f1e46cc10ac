/** The result of `stress` as scripts read it (docs/cli.md, JSON shapes): only what was measured is in it. Pure. */
import type { StagesMs, TurnReport } from '../call/reports.ts';
import type { LaneTimes } from '../caller/call-lanes.ts';
import { roundStages, turnOf, wireStages } from '../caller/call-result.ts';
import type { StepResult } from '../caller/caller-conversation.ts';
import type { CrowdCall, CrowdResult } from '../caller/crowd.ts';
import type { SearchResult } from './capacity-search.ts';
import type { EchoReportPart } from './echo-report.ts';
import { type HoldFigures, holdOf } from './hold-figures.ts';
import {
  corePercentPerCall,
  heldSamples,
  type LoadSample,
  type MemorySlope,
  memorySlope,
  ofRuntime,
  type RuntimeFigures,
  type WatchedLoad,
} from './load-sample.ts';
import { type Percentiles, percentilesOf, tenths } from './percentiles.ts';
import {
  accountOf,
  type MeasuredTurn,
  measuredTurns,
  stagesOf,
  type TimelineFigures,
  timelineOf,
} from './turn-accounts.ts';

/** Share of the callers that must reach their goal. */
export const GOALS_NEEDED = 0.9;

export type StressMode = 'conversation' | 'echo' | 'consecutive';

/** What is known of a runtime that was started for the run. */
export interface OwnRuntime {
  readonly turns: readonly TurnReport[];
  readonly underrunFrames: number;
}

/** One call: of a conversation with its caller and turns, of an echo with its packets and marks. */
export interface ReportedCall {
  readonly seed?: number;
  readonly number?: number;
  readonly isEstablished: boolean;
  readonly isCompleted: boolean;
  readonly goalMet?: boolean;
  readonly why: string;
  readonly sipCallId: string;
  readonly durationMs: number;
  readonly greeting?: string;
  readonly turns?: readonly ReportedTurn[];
}

export interface ReportedTurn {
  readonly input: 'speech' | 'dtmf';
  readonly said: string;
  readonly reply: string;
  readonly goalMet: boolean;
  readonly repliedEarly: boolean;
  /** 0 when no reply came, or an early one. */
  readonly voiceToVoiceMs: number;
  readonly stagesMs: StagesMs;
}

/** Turns of keys, which are not waited for as the end of speech is. */
export interface KeyedFigures {
  readonly turns: number;
  readonly voiceToVoiceMs: Percentiles | null;
  readonly stagesMs?: Readonly<Record<string, Percentiles | null>>;
}

/** Packets of all callers. What only our own runtime can say is left out of others. */
export interface PacketFigures {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly late: number;
  readonly underrunFrames?: number;
  readonly sendLatenessMs?: RuntimeFigures['sendLatenessMs'];
}

export interface StressReport extends EchoReportPart {
  readonly ok: boolean;
  readonly mode: StressMode;
  readonly callsOffered: number;
  readonly callsEstablished: number;
  readonly callsCompleted: number;
  readonly callsFailed: number;
  readonly peakConcurrent: number;
  /** Spoken and keyed. */
  readonly turns: number;
  readonly goalsMet: number;
  /** Of spoken turns, as are the next two. */
  readonly voiceToVoiceMs: Percentiles | null;
  readonly stagesMs?: Readonly<Record<string, Percentiles | null>>;
  readonly timeline?: TimelineFigures;
  readonly keyed?: KeyedFigures;
  /** Turns over whose end the agent was talking: they have no voice to voice. */
  readonly earlyReplies?: number;
  readonly hold: HoldFigures;
  readonly phasesS: { readonly ramp: number; readonly hold: number; readonly drain: number };
  readonly rtp: PacketFigures;
  readonly mainLoopMs?: RuntimeFigures['mainLoopMs'];
  readonly cpuCores?: number;
  /** Of the runtime, percent of a core. */
  readonly corePercentPerCall?: number | null;
  readonly rssMiB?: RuntimeFigures['rssMiB'];
  readonly memorySlope?: MemorySlope;
  readonly leaks?: RuntimeFigures['leaks'];
  readonly samples?: readonly LoadSample[];
  readonly capacity?: SearchResult;
  readonly calls: readonly ReportedCall[];
}

/** @param runtime null when the target was somebody else's */
export function stressReport(
  mode: 'conversation' | 'consecutive',
  crowd: CrowdResult,
  watched: WatchedLoad,
  runtime: OwnRuntime | null,
): StressReport {
  const { calls } = crowd;
  const steps = calls.flatMap((call) => call.steps);
  const completed = calls.filter(({ isCompleted }) => isCompleted).length;
  const goalsMet = calls.filter(({ goalMet }) => goalMet).length;
  const isGood = calls.length > 0 && goalsMet >= GOALS_NEEDED * calls.length;
  const figures = watched.runtime;
  const measured = runtime === null ? null : measuredTurns(calls, runtime.turns);
  const spoken = measured?.filter(({ input }) => input === 'speech');
  return {
    ok: isGood && completed === calls.length && leaksNothing(figures),
    mode,
    callsOffered: calls.length,
    callsEstablished: calls.filter(({ isEstablished }) => isEstablished).length,
    callsCompleted: completed,
    callsFailed: calls.length - completed,
    peakConcurrent: crowd.peakConcurrent,
    turns: steps.length,
    goalsMet,
    voiceToVoiceMs: waitsOf(steps, 'speech'),
    ...(spoken === undefined
      ? {}
      : { stagesMs: stagesOf(spoken), timeline: timelineOf(spoken.map(accountOf)) }),
    keyed: keyedOf(steps, measured),
    earlyReplies: steps.filter(({ repliedEarly }) => repliedEarly).length,
    hold: holdOf(crowd, watched, { steps, measured }),
    phasesS: phasesOf(crowd),
    rtp: {
      ...packetsOf(calls),
      ...(runtime === null ? {} : { underrunFrames: runtime.underrunFrames }),
      ...(figures === null ? {} : { sendLatenessMs: figures.sendLatenessMs }),
    },
    ...loadOf(watched),
    ...(figures === null ? {} : { memorySlope: memorySlope(ofRuntime(heldSamples(watched, crowd))) }),
    calls: calls.map((call) => reported(call, runtime?.turns ?? [])),
  };
}

export function leaksNothing(figures: RuntimeFigures | null): boolean {
  return Object.values(figures?.leaks ?? {}).every((count) => count === 0);
}

/** How long calls came up, as many were up as ever were, and the last ones ended. */
export function phasesOf(times: LaneTimes): StressReport['phasesS'] {
  const { startedAtMs, fullAtMs, drainingAtMs, endedAtMs } = times;
  return {
    ramp: tenths((fullAtMs - startedAtMs) / 1000),
    hold: tenths((drainingAtMs - fullAtMs) / 1000),
    drain: tenths((endedAtMs - drainingAtMs) / 1000),
  };
}

/** What stands of the load in a report; how late the runtime sent is under `rtp`. */
export function loadOf({ runtime, samples }: WatchedLoad): Partial<StressReport> {
  if (runtime === null) return { samples };
  const { sendLatenessMs: _inRtp, ...rest } = runtime;
  return { ...rest, corePercentPerCall: corePercentPerCall(ofRuntime(samples)), samples };
}

function waitsOf(steps: readonly StepResult[], input: StepResult['input']): Percentiles | null {
  const ofInput = steps.filter((step) => step.input === input);
  return percentilesOf(ofInput.flatMap(({ voiceToVoiceMs }) => voiceToVoiceMs ?? []));
}

function keyedOf(steps: readonly StepResult[], measured: readonly MeasuredTurn[] | null): KeyedFigures {
  return {
    turns: steps.filter(({ input }) => input === 'dtmf').length,
    voiceToVoiceMs: waitsOf(steps, 'dtmf'),
    ...(measured === null ? {} : { stagesMs: stagesOf(measured.filter(({ input }) => input === 'dtmf')) }),
  };
}

type Packets = Record<keyof CrowdCall['rtp'], number>;

function packetsOf(calls: readonly CrowdCall[]): Packets {
  const sum = (name: keyof Packets): number => calls.reduce((total, { rtp }) => total + rtp[name], 0);
  return { sent: sum('sent'), received: sum('received'), lost: sum('lost'), late: sum('late') };
}

function reported({ steps, ...call }: CrowdCall, turns: readonly TurnReport[]): ReportedCall {
  const ofThisCall = turns.filter(({ sipCallId }) => sipCallId === call.sipCallId);
  return { ...call, turns: steps.map((step) => reportedTurn(step, turnOf(step, ofThisCall))) };
}

function reportedTurn(step: StepResult, turn: TurnReport | undefined): ReportedTurn {
  const { input, said, reply, goalMet, repliedEarly, voiceToVoiceMs } = step;
  return {
    input,
    said,
    reply,
    goalMet,
    repliedEarly,
    voiceToVoiceMs: tenths(voiceToVoiceMs ?? 0),
    stagesMs: roundStages(wireStages(step, turn)),
  };
}
