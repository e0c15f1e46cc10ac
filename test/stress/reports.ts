/** Results of `stress` for tests. */
import type { HoldFigures } from '../../src/stress/hold-figures.ts';
import type { StressReport } from '../../src/stress/stress-report.ts';

const NO_HOLD: HoldFigures = { turns: 0, voiceToVoiceMs: null, callerCores: null };

/** What was measured while all calls were up, with changes. */
export function heldWith(changes: Partial<HoldFigures>): HoldFigures {
  return { ...NO_HOLD, ...changes };
}

/** A good run of one call, with changes. */
export function reportWith(changes: Partial<StressReport>): StressReport {
  return {
    ok: true,
    mode: 'conversation',
    callsOffered: 1,
    callsEstablished: 1,
    callsCompleted: 1,
    callsFailed: 0,
    peakConcurrent: 1,
    turns: 0,
    goalsMet: 1,
    voiceToVoiceMs: null,
    hold: NO_HOLD,
    phasesS: { ramp: 0, hold: 0, drain: 0 },
    rtp: { sent: 0, received: 0, lost: 0, late: 0 },
    calls: [],
    ...changes,
  };
}
