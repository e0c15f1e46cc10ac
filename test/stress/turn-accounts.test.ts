/** The books of a turn: every ms of the wire is in one entry, and what no stage explains is the residual. */
import { describe, expect, it } from 'vitest';
import { NO_STAGES, type TurnReport } from '../../src/call/reports.ts';
import type { StepResult } from '../../src/caller/caller-conversation.ts';
import type { CrowdCall } from '../../src/caller/crowd.ts';
import { accountsOf, type TurnAccount, timelineOf } from '../../src/stress/turn-accounts.ts';
import { spokenStep } from './spoken-step.ts';

const STAGES = {
  uplink: 15,
  endpoint: 400,
  endpointQueue: 5,
  sttQueue: 2,
  stt: 35,
  llmQueue: 1,
  llmFirstToken: 8,
  firstSentence: 12,
  ttsQueue: 3,
  ttsFirstAudio: 20,
  playout: 10,
  handover: 4,
  leadIn: 40,
};
const SUM = Object.values(STAGES).reduce((sum, ms) => sum + ms);

/** Said from 1000 to 2000; decided at 2430; the reply came `wireMs` after the last packet. */
function step(wireMs: number | null): StepResult {
  return spokenStep(2000, wireMs, { speechEndTimestamp: 100 });
}

function turn(changes: Partial<TurnReport> = {}): TurnReport {
  const { uplink, endpoint, endpointQueue, leadIn, ...later } = STAGES;
  const decisionToVoiceMs = Object.values(later).reduce((sum, ms) => sum + ms);
  return {
    callId: 1,
    sipCallId: 'a',
    turnId: 1,
    input: 'speech',
    decidedAtMs: 2430,
    speechEndTimestamp: 100,
    stagesMs: STAGES,
    decisionToVoiceMs,
    ...changes,
  } as TurnReport;
}

function call(sipCallId: string, ...steps: StepResult[]): CrowdCall {
  return { sipCallId, steps } as unknown as CrowdCall;
}

function accountOf(aStep: StepResult, turns: readonly TurnReport[]): TurnAccount | null {
  return accountsOf([call('a', aStep)], turns)[0] ?? null;
}

describe('the account of a turn', () => {
  it('puts every stage into one entry, and together with the residual they are the wire', () => {
    const account = accountOf(step(SUM + 7), [turn()]);
    expect(account).toEqual({
      wireMs: SUM + 7,
      endpointMs: 400,
      speechEndMs: 0,
      computeMs: 35 + 8 + 12 + 20,
      queueMs: 2 + 1 + 3,
      overheadMs: 15 + 5 + 6 + 4 + 10,
      leadInMs: 40,
      residualMs: 7,
      sinceDecisionMs: SUM + 7 - 430 - (SUM - 420),
    });
    if (account === null) return;
    const { endpointMs, computeMs, overheadMs, leadInMs, residualMs, wireMs } = account;
    expect(endpointMs + computeMs + overheadMs + leadInMs + residualMs).toBe(wireMs);
  });

  it.each([
    ['a step without a reply', step(null), turn()],
    ['keys', { ...step(500), input: 'dtmf' as const }, turn({ input: 'dtmf' })],
    ['speech that the runtime took keys after', step(500), turn({ input: 'dtmf' })],
    ['a turn that was never answered', step(500), turn({ decisionToVoiceMs: 0 })],
    ['a turn decided before the step', step(500), turn({ decidedAtMs: 900 })],
    ['a turn decided after the reply', step(500), turn({ decidedAtMs: 3000 })],
  ])('is none for %s', (_name, aStep, aTurn) => {
    expect(accountOf(aStep, [aTurn])).toBeNull();
  });

  it('keeps calls apart', () => {
    const calls = [call('a', step(SUM)), call('b', step(SUM))];
    expect(accountsOf(calls, [turn()])).toHaveLength(1);
    expect(accountsOf(calls, [turn(), turn({ sipCallId: 'b', stagesMs: NO_STAGES })])).toEqual([
      expect.objectContaining({ residualMs: 0 }),
      expect.objectContaining({ residualMs: SUM }),
    ]);
  });
});

describe('what is not explained', () => {
  it('is told apart: all of it, and what of it came after the decision', () => {
    // The decision comes 20 ms later than its stages say; the reply is 5 ms late on the wire.
    const late = accountOf(step(SUM + 25), [turn({ decidedAtMs: 2000 + 15 + 400 + 5 + 20 })]);
    expect(late).toMatchObject({ residualMs: 25, sinceDecisionMs: 5 });
  });

  it('is not that the VAD heard the speech end elsewhere than the packets say', () => {
    const early = accountOf(step(SUM - 40), [turn({ speechEndTimestamp: 100 - 320 })]);
    expect(early).toMatchObject({ endpointMs: 360, speechEndMs: -40, residualMs: 0 });
    const later = accountOf(step(SUM + 180), [turn({ speechEndTimestamp: 100 + 1440 })]);
    expect(later).toMatchObject({ endpointMs: 580, speechEndMs: 180, residualMs: 0 });
    expect(timelineOf([early!, later!])).toMatchObject({ explained: 1, speechEndMs: { max: 180 } });
  });
});

describe('the books of a run', () => {
  it('tell the share that is explained within 30 ms either way, and the residual without its sign', () => {
    const residuals = [0, 30, -30, 31, -90];
    const accounts = residuals.map((ms) => accountOf(step(SUM + ms), [turn()])).filter((one) => one !== null);
    expect(timelineOf(accounts)).toMatchObject({
      turns: 5,
      explainedWithinMs: 30,
      explained: 0.6,
      residualMs: { p50: 30, max: 90 },
      overheadMs: { p50: 40, max: 40 },
    });
  });

  it('explain nothing of nothing', () => {
    expect(timelineOf([])).toMatchObject({ turns: 0, explained: 0, residualMs: null });
  });
});
