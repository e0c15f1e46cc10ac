/** Joining what the caller measured on the wire with what the runtime reported of the same turns. */
import { describe, expect, it } from 'vitest';
import { emptyCounts } from '../../src/call/ledger.ts';
import { type CallReport, NO_STAGES, type TurnReport } from '../../src/call/reports.ts';
import { joinViews } from '../../src/caller/call-result.ts';
import type { StepResult } from '../../src/caller/caller-conversation.ts';
import type { PlacedCall } from '../../src/caller/place-call.ts';

function step(changes: Partial<StepResult>): StepResult {
  return {
    goal: 'g',
    input: 'speech',
    said: 's',
    reply: 'r',
    goalMet: true,
    bargeIn: false,
    startedAtMs: 1000,
    lastSpeechSentAtMs: 2000,
    speechEndTimestamp: 16_000,
    replyAtMs: 2700.04,
    repliedEarly: false,
    voiceToVoiceMs: 700.04,
    agentStoppedAtMs: null,
    ...changes,
  };
}

function turn(changes: Partial<TurnReport>): TurnReport {
  return {
    callId: 1,
    sipCallId: 'abc',
    turnId: 2,
    input: 'speech',
    heard: 'h',
    confidence: 0.9,
    rejectedBy: 'none',
    reply: 'r',
    outcome: 'replied',
    decidedAtMs: 2410,
    speechEndTimestamp: null,
    stagesMs: { ...NO_STAGES, stt: 12.3456 },
    decisionToVoiceMs: 0,
    voiceToVoiceMs: 0,
    bargeIn: false,
    bargeInDecidedAtMs: null,
    bargeInToSilenceMs: null,
    ...changes,
  };
}

function placed(changes: Partial<PlacedCall>): PlacedCall {
  return {
    greetingMs: 80.123,
    greeting: 'hello',
    steps: [step({})],
    endedEarly: false,
    outcome: { goalMet: true, why: 'booked' },
    sipCallId: 'abc',
    endedBy: 'caller',
    error: null,
    postDialDelayMs: 3.21,
    answeredAtMs: 500,
    rtp: { sent: 10, received: 9, lost: 1, late: 0 },
    saidSamples: new Int16Array(0),
    heardSamples: new Int16Array(0),
    ...changes,
  };
}

const CALL: CallReport = {
  callId: 1,
  sipCallId: 'abc',
  endedBy: 'caller',
  reason: 'bye',
  durationMs: 5000,
  greetingMs: 70,
  turns: 1,
  rtp: { sent: 10, received: 10, lost: 0, late: 0, underrunFrames: 2 },
  ledger: emptyCounts(),
};

describe('the result of a call', () => {
  it('takes wire times from the caller, transcript and stages from the runtime, tenths of ms', () => {
    const result = joinViews(placed({}), { turns: [turn({})], call: CALL });
    expect(result).toMatchObject({
      id: 'abc',
      endedBy: 'caller',
      goalsMet: true,
      postDialDelayMs: 3.2,
      greetingMs: 80.1,
      rtp: { sent: 10, received: 9, lost: 1, late: 0, underrunFrames: 2 },
      ledger: emptyCounts(),
    });
    expect(result.turns[0]).toMatchObject({ heard: 'h', voiceToVoiceMs: 700, decisionToVoiceMs: 290 });
    expect(result.turns[0]?.stagesMs.stt).toBe(12.3);
  });

  it('counts the endpoint wait from the last loud packet, which both ends know by its timestamp', () => {
    const stagesMs = { ...NO_STAGES, endpoint: 400 };
    const endpointOf = (speechEndTimestamp: number | null, said = 16_000): number | undefined =>
      joinViews(placed({ steps: [step({ speechEndTimestamp: said })] }), {
        turns: [turn({ stagesMs, speechEndTimestamp })],
        call: CALL,
      }).turns[0]?.stagesMs.endpoint;
    expect(endpointOf(16_000 - 160)).toBe(380);
    expect(endpointOf(16_000 + 320)).toBe(440);
    expect(endpointOf(null)).toBe(400);
    expect(endpointOf(80, 2 ** 32 - 80)).toBe(420);
    expect(endpointOf(16_000 - 8000)).toBe(0);
  });

  it('matches a step with the last turn decided between its first packet and its reply', () => {
    const turns = [
      turn({ decidedAtMs: 900, heard: 'before' }),
      turn({ decidedAtMs: 1500, heard: 'cut off too early' }),
      turn({ decidedAtMs: 2410, heard: 'whole' }),
      turn({ decidedAtMs: 2800, heard: 'after' }),
    ];
    expect(joinViews(placed({}), { turns, call: CALL }).turns[0]?.heard).toBe('whole');
  });

  it('measures a barge-in from the decision of the runtime to the last voiced packet, never below zero', () => {
    const steps = [step({ bargeIn: true, agentStoppedAtMs: 1450 })];
    const of = (bargeInDecidedAtMs: number | null): number | null | undefined =>
      joinViews(placed({ steps }), { turns: [turn({ bargeInDecidedAtMs })], call: CALL }).turns[0]
        ?.bargeInToSilenceMs;
    expect(of(1430)).toBe(20);
    expect(of(1460)).toBe(0);
    expect(of(null)).toBeNull();
  });

  it('does not take a pause before the decision for the silence after it', () => {
    const steps = [step({ bargeIn: true, agentStoppedAtMs: 1450 })];
    const of = (bargeInToSilenceMs: number): number | null | undefined => {
      const turns = [turn({ bargeInDecidedAtMs: 1600, bargeInToSilenceMs })];
      return joinViews(placed({ steps }), { turns, call: CALL }).turns[0]?.bargeInToSilenceMs;
    };
    expect(of(14)).toBe(14);
    expect(of(900)).toBe(900);
  });

  it('stands on its own when the callee is not ours', () => {
    const result = joinViews(placed({}), { turns: [], call: null });
    expect(result).toMatchObject({ id: 'abc', ledger: null, rtp: { underrunFrames: 0 } });
    expect(result.turns[0]).toMatchObject({ heard: '', decisionToVoiceMs: 0, stagesMs: NO_STAGES });
  });

  it('is bad when the caller did not reach its goal, and says why', () => {
    const outcome = { goalMet: false, why: 'misunderstood' };
    const result = joinViews(placed({ outcome }), { turns: [], call: null });
    expect(result).toMatchObject({ goalsMet: false, why: 'misunderstood' });
  });

  it('leaves the turns of other calls out', () => {
    const turns = [turn({ heard: 'mine' }), turn({ heard: 'of another call', sipCallId: 'other' })];
    expect(joinViews(placed({}), { turns, call: CALL }).turns[0]?.heard).toBe('mine');
  });

  it('has zero for a reply that never came', () => {
    const steps = [step({ replyAtMs: null, voiceToVoiceMs: null, reply: '', goalMet: false })];
    const result = joinViews(placed({ steps, greetingMs: null }), { turns: [turn({})], call: CALL });
    expect(result.turns[0]).toMatchObject({ voiceToVoiceMs: 0, decisionToVoiceMs: 0, heard: 'h' });
    expect(result.greetingMs).toBe(0);
  });
});
