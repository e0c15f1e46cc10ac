/** Results of `stress` for tests. */
import type { StressReport } from '../../src/stress/stress-report.ts';

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
    phasesS: { ramp: 0, hold: 0, drain: 0 },
    rtp: { sent: 0, received: 0, lost: 0, late: 0 },
    calls: [],
    ...changes,
  };
}
