/** Reports of calls and turns as the runtime makes them, for tests of the store. */
import { emptyCounts } from '../../src/call/ledger.ts';
import { type CallReport, NO_STAGES, type StagesMs, type TurnReport } from '../../src/call/reports.ts';

/** Fractions that are exact neither in binary nor in decimal: they must come back to the bit. */
const STAGES: StagesMs = Object.fromEntries(
  Object.keys(NO_STAGES).map((stage, at) => [stage, at === 0 ? 0 : at * 10 + 1 / 3]),
) as unknown as StagesMs;

export function turnReport(fields: Partial<TurnReport> = {}): TurnReport {
  return {
    callId: 1,
    sipCallId: 'a84b4c76e66710@192.0.2.1',
    turnId: 1,
    input: 'speech',
    heard: 'a table for two',
    confidence: 0.1 + 0.2,
    rejectedBy: 'none',
    reply: 'For what time?',
    outcome: 'replied',
    decidedAtMs: 123_456.789,
    speechEndTimestamp: 2 ** 32 - 1,
    stagesMs: STAGES,
    decisionToVoiceMs: 100 / 3,
    voiceToVoiceMs: 500 / 3,
    bargeIn: true,
    bargeInDecidedAtMs: 123_000.25,
    bargeInToSilenceMs: 20.5,
    ...fields,
  };
}

export function callReport(fields: Partial<CallReport> = {}): CallReport {
  return {
    callId: 1,
    sipCallId: 'a84b4c76e66710@192.0.2.1',
    endedBy: 'caller',
    reason: 'bye',
    durationMs: 10_000.5,
    greetingMs: 80.125,
    turns: 1,
    rtp: { sent: 500, received: 498, lost: 2, late: 1, underrunFrames: 0 },
    ledger: { ...emptyCounts(), timer: 1 },
    ...fields,
  };
}
