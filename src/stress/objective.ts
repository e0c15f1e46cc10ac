/** What a run must hold to count as carried: `--slo p95=1500,goals=0.9`. Pure. */
import { WildfireError } from '../errors.ts';
import { GOALS_NEEDED, type StressReport } from './stress-report.ts';

const QUANTILES = ['p50', 'p95', 'p99', 'max'] as const;
type Quantile = (typeof QUANTILES)[number];

export interface Objective {
  readonly text: string;
  /** Voice to voice of the turns while all calls were up, or an echo's round trip, ms. */
  readonly atMostMs: Partial<Record<Quantile, number>>;
  /** Share of goals met; 0: models that mean nothing are measured, too. */
  readonly goals: number;
}

/** @throws WildfireError USAGE_INVALID */
export function parseObjective(text: string): Objective {
  const atMostMs: Partial<Record<Quantile, number>> = {};
  let goals = GOALS_NEEDED;
  for (const part of text.split(',')) {
    const [name = '', limit = ''] = part.split('=').map((word) => word.trim());
    const value = Number(limit);
    if (limit === '' || !Number.isFinite(value)) throw invalid(text);
    if (name === 'goals' && value >= 0 && value <= 1) goals = value;
    else if (isQuantile(name) && value > 0) atMostMs[name] = value;
    else throw invalid(text);
  }
  return { text, atMostMs, goals };
}

/** Why a run does not hold the objective; null when it does. */
export function missedBy(report: StressReport, objective: Objective): string | null {
  const { callsOffered, callsFailed, goalsMet, mode } = report;
  if (callsOffered === 0) return 'no call was made';
  if (callsFailed > 0) return `${callsFailed} of ${callsOffered} calls failed`;
  if (mode === 'echo' && report.rtp.lost > 0) return `${report.rtp.lost} packets were lost`;
  const share = goalsMet / callsOffered;
  if (mode !== 'echo' && share < objective.goals) return `${goalsMet} of ${callsOffered} goals were met`;
  const measured = mode === 'echo' ? report.roundTripMs : report.hold.voiceToVoiceMs;
  if (measured === null || measured === undefined) return 'nothing was measured';
  for (const name of QUANTILES) {
    const limitMs = objective.atMostMs[name];
    if (limitMs !== undefined && measured[name] > limitMs) return `${name} was ${measured[name]} ms`;
  }
  return null;
}

function isQuantile(name: string): name is Quantile {
  return QUANTILES.some((quantile) => quantile === name);
}

function invalid(text: string): WildfireError {
  return new WildfireError(
    'USAGE_INVALID',
    `--slo ${text}: expected ${QUANTILES.join(', ')} in ms or goals as a share, such as p95=1500,goals=0.9`,
  );
}
