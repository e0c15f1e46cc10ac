/** The result of `stress --mode echo`: what became of every packet. Pure. */
import type { LatenessSummary } from '../media/lateness-histogram.ts';
import { type EchoCall, type EchoCrowdResult, isWhole } from './echo/echo-crowd.ts';
import type { EchoLineReport, EchoSnapshot } from './echo/echo-protocol.ts';
import { holdOf } from './hold-figures.ts';
import type { WatchedLoad } from './load-sample.ts';
import { leaksNothing, loadOf, phasesOf, type ReportedCall, type StressReport } from './stress-report.ts';

/** What only an echo has. */
export interface EchoReportPart {
  /** From a packet's sending to the return of its mark. */
  readonly roundTripMs?: EchoSnapshot['roundTripMs'];
  /** How many round trips took up to so many ms. */
  readonly roundTripCounts?: EchoSnapshot['roundTripCounts'];
  /** What became of the marks; `unanswered` before the far side played anything, `unsent` by our own system's refusal. */
  readonly marks?: {
    readonly returned: number;
    readonly missing: number;
    readonly repeated: number;
    readonly damaged: number;
    readonly unanswered: number;
    readonly unsent: number;
  };
  /** How late the callers' own packets left. */
  readonly callerLatenessMs?: LatenessSummary;
}

/**
 * Good when all calls lasted as long as they should and not one packet was lost either way.
 * @param lostUpwards packets that a runtime of our own missed; 0 of somebody else's, which cannot be asked
 */
export function echoReport(crowd: EchoCrowdResult, watched: WatchedLoad, lostUpwards: number): StressReport {
  const { calls, lines } = crowd;
  const completed = calls.filter(({ isCompleted }) => isCompleted).length;
  const whole = calls.filter(({ echo }) => echo !== null && isWhole(echo)).length;
  const figures = watched.runtime;
  const sum = (name: CountName): number => calls.reduce((total, { echo }) => total + (echo?.[name] ?? 0), 0);
  const lost = sum('lost') + lostUpwards;
  const returned = sum('returned');
  return {
    ok: calls.length > 0 && completed === calls.length && lost === 0 && returned > 0 && leaksNothing(figures),
    mode: 'echo',
    callsOffered: calls.length,
    callsEstablished: calls.filter(({ isEstablished }) => isEstablished).length,
    callsCompleted: completed,
    callsFailed: calls.length - completed,
    peakConcurrent: crowd.peakConcurrent,
    turns: 0,
    goalsMet: whole,
    voiceToVoiceMs: null,
    hold: holdOf(crowd, watched),
    phasesS: phasesOf(crowd),
    rtp: {
      sent: sum('sent'),
      received: sum('received'),
      lost,
      late: sum('late'),
      ...(figures === null ? {} : { sendLatenessMs: figures.sendLatenessMs }),
    },
    roundTripMs: lines.roundTripMs,
    roundTripCounts: lines.roundTripCounts,
    marks: {
      returned,
      missing: sum('missing'),
      repeated: sum('repeated'),
      damaged: sum('damaged'),
      unanswered: sum('unanswered'),
      unsent: sum('unsent'),
    },
    callerLatenessMs: lines.pacingMs,
    ...loadOf(watched),
    calls: calls.map(reported),
  };
}

type CountName = Exclude<keyof EchoLineReport, 'roundTripMs'>;

function reported({ echo, ...call }: EchoCall): ReportedCall {
  return { ...call, ...echo };
}
