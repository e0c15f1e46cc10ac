/**
 * What was measured while as many calls were up as ever were: a run as a whole also has its ramp and its end, in which
 * there were fewer. Pure.
 */
import type { LaneTimes } from '../caller/call-lanes.ts';
import type { StepResult } from '../caller/caller-conversation.ts';
import { type HeldSpan, heldSamples, type WatchedLoad } from './load-sample.ts';
import { type Percentiles, percentilesOf } from './percentiles.ts';
import { type MeasuredTurn, stagesOf } from './turn-accounts.ts';

export interface HoldFigures {
  /** Spoken turns that were answered within the hold. */
  readonly turns: number;
  readonly voiceToVoiceMs: Percentiles | null;
  readonly stagesMs?: Readonly<Record<string, Percentiles | null>>;
  /** Means over the same whole seconds; null where the hold has none. */
  readonly callerCores: number | null;
  readonly cpuCores?: number | null;
}

export interface HeldTurns {
  readonly steps: readonly StepResult[];
  /** Null when the runtime is somebody else's. */
  readonly measured: readonly MeasuredTurn[] | null;
}

/** Of an echo there are no turns. */
export function holdOf(
  { fullAtMs, drainingAtMs }: LaneTimes,
  watched: WatchedLoad,
  { steps, measured }: HeldTurns = { steps: [], measured: null },
): HoldFigures {
  const isHeld = ({ replyAtMs }: StepResult): boolean =>
    replyAtMs !== null && replyAtMs >= fullAtMs && replyAtMs <= drainingAtMs;
  const waits = steps.flatMap((step) =>
    step.input === 'speech' && isHeld(step) ? (step.voiceToVoiceMs ?? []) : [],
  );
  const stages = measured?.filter(({ input, step }) => input === 'speech' && isHeld(step));
  return {
    turns: waits.length,
    voiceToVoiceMs: percentilesOf(waits),
    ...(stages === undefined ? {} : { stagesMs: stagesOf(stages) }),
    ...coresOf(watched, { fullAtMs, drainingAtMs }),
  };
}

function coresOf(watched: WatchedLoad, hold: HeldSpan): Pick<HoldFigures, 'callerCores' | 'cpuCores'> {
  const held = heldSamples(watched, hold);
  const callerCores = meanOf(held.map((sample) => sample.callerCores));
  if (watched.runtime === null) return { callerCores };
  return { callerCores, cpuCores: meanOf(held.flatMap((sample) => sample.cpuCores ?? [])) };
}

function meanOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return Math.round((values.reduce((sum, value) => sum + value, 0) / values.length) * 100) / 100;
}
