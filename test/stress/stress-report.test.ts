/** The result of a run: spoken turns by themselves, one endpoint wait, and of somebody else's runtime only what was seen. */
import { describe, expect, it } from 'vitest';
import { NO_STAGES, type TurnReport } from '../../src/call/reports.ts';
import type { StepResult } from '../../src/caller/caller-conversation.ts';
import type { CrowdCall, CrowdResult } from '../../src/caller/crowd.ts';
import type { RuntimeFigures, WatchedLoad, WholeSample } from '../../src/stress/load-sample.ts';
import { stressReport } from '../../src/stress/stress-report.ts';
import { spokenStep } from './spoken-step.ts';

const WATCHED: WatchedLoad = {
  startedAtMs: 0,
  samples: [{ atS: 1, callsEnded: 0, callerCores: 0.5, callerLoopMs: 30 }],
  runtime: null,
};

/** Decided 450 ms after `endMs`; the VAD heard speech end `vadLaterMs` after the last loud packet. */
function turn(endMs: number, changes: Partial<TurnReport> = {}, vadLaterMs = 0): TurnReport {
  return {
    sipCallId: 'a',
    input: 'speech',
    outcome: 'replied',
    decidedAtMs: endMs + 450,
    speechEndTimestamp: 8 * (endMs + vadLaterMs),
    stagesMs: { ...NO_STAGES, endpoint: 400, stt: 50 },
    decisionToVoiceMs: 50,
    ...changes,
  } as TurnReport;
}

function crowdOf(steps: readonly StepResult[], changes: Partial<CrowdResult> = {}): CrowdResult {
  const call = {
    sipCallId: 'a',
    isEstablished: true,
    isCompleted: true,
    goalMet: true,
    steps,
    rtp: { sent: 0, received: 0, lost: 0, late: 0 },
  } as unknown as CrowdCall;
  const times = { startedAtMs: 0, fullAtMs: 0, drainingAtMs: 60_000, endedAtMs: 60_000, peakConcurrent: 1 };
  return { ...times, calls: [call], ...changes };
}

describe('the turns of a report', () => {
  const keys = { input: 'dtmf' as const };
  const steps = [
    spokenStep(2000, 500),
    spokenStep(4000, 700),
    spokenStep(6000, 2500, keys),
    spokenStep(9000, 5, { repliedEarly: true, voiceToVoiceMs: null }),
    spokenStep(12_000, null),
  ];
  const turns = [
    turn(2000),
    turn(4000, {}, 60),
    turn(6000, {
      ...keys,
      decidedAtMs: 8000,
      speechEndTimestamp: null,
      stagesMs: { ...NO_STAGES, endpoint: 2000 },
    }),
    turn(8400, { outcome: 'superseded', decisionToVoiceMs: 0 }),
  ];
  const report = stressReport('conversation', crowdOf(steps), WATCHED, { turns, underrunFrames: 0 });

  it('are told apart: spoken, keyed, and those over whose end the agent was talking', () => {
    expect(report.turns).toBe(5);
    expect(report.voiceToVoiceMs).toMatchObject({ p50: 500, max: 700 });
    expect(report.keyed).toMatchObject({ turns: 1, voiceToVoiceMs: { p50: 2500, max: 2500 } });
    expect(report.keyed?.stagesMs?.endpoint).toMatchObject({ p50: 2000 });
    expect(report.earlyReplies).toBe(1);
    expect(report.calls[0]?.turns?.map(({ input, repliedEarly }) => [input, repliedEarly])).toEqual([
      ['speech', false],
      ['speech', false],
      ['dtmf', false],
      ['speech', true],
      ['speech', false],
    ]);
  });

  it('have one endpoint wait, whoever tells it: from the last loud packet', () => {
    expect(report.stagesMs?.endpoint).toEqual({ p50: 400, p95: 460, p99: 460, max: 460 });
    expect(report.timeline?.endpointMs).toEqual(report.stagesMs?.endpoint);
  });
});

describe('the hold of a run', () => {
  const second = (atS: number, cores: number) => ({
    atS,
    callsEnded: 0,
    callerCores: cores,
    callerLoopMs: 0,
  });
  const steps = [1500, 4000, 7000].map((endMs) => spokenStep(endMs, endMs / 10));
  const turns = [1500, 4000, 7000].map((endMs) => turn(endMs, { decidedAtMs: endMs }));
  const watched: WatchedLoad = {
    startedAtMs: 500,
    samples: [second(1, 9), second(2, 9), second(3.5, 1), second(4.5, 2), second(5.5, 9)],
    runtime: null,
  };

  it('has the turns that were answered and the whole seconds while all calls were up', () => {
    const crowd = crowdOf(steps, { fullAtMs: 2000, drainingAtMs: 5000 });
    const { hold } = stressReport('conversation', crowd, watched, { turns, underrunFrames: 0 });
    expect(hold).toMatchObject({ turns: 1, voiceToVoiceMs: { p50: 400, max: 400 }, callerCores: 1.5 });
    expect(hold.stagesMs?.stt).toMatchObject({ p50: 50 });
  });

  it('has none where there is no hold to speak of', () => {
    const crowd = crowdOf(steps, { fullAtMs: 2000, drainingAtMs: 2000 });
    const { hold } = stressReport('conversation', crowd, watched, null);
    expect(hold).toEqual({ turns: 0, voiceToVoiceMs: null, callerCores: null });
  });
});

describe('the memory slope of a run', () => {
  const runtime: RuntimeFigures = {
    cpuCores: 1,
    rssMiB: { start: 500, peak: 600, end: 500 },
    mainLoopMs: { p50: 0, p99: 0, max: 0 },
    sendLatenessMs: { p50: 0, p99: 0, max: 0 },
    leaks: {},
  };
  // .02 MiB a call; 30 more for as long as calls come up, and 30 less when they go.
  const seconds: WholeSample[] = Array.from({ length: 300 }, (_, index) => {
    const atS = index + 1;
    const beside = atS <= 100 ? 30 : atS > 270 ? -30 : 0;
    const rest = { callerCores: 0, callerLoopMs: 0, calls: 8, cpuCores: 1, mainLoopMs: 0, sendLatenessMs: 0 };
    return { atS, callsEnded: atS, rssMiB: 500 + 0.02 * atS + beside, ...rest };
  });
  const watched: WatchedLoad = { startedAtMs: 0, samples: seconds, runtime };

  it.each(['conversation', 'consecutive'] as const)('is that of the hold (%s)', (mode) => {
    const crowd = crowdOf([spokenStep(2000, 500)], { fullAtMs: 100_000, drainingAtMs: 270_000 });
    const report = stressReport(mode, crowd, watched, { turns: [], underrunFrames: 0 });
    expect(report.memorySlope).toEqual({ mibPer100Calls: 2, overCalls: 169 });
  });
});

describe("a report of somebody else's runtime", () => {
  it('has what the callers measured, of the line and of themselves, and nothing else', () => {
    const report = stressReport('conversation', crowdOf([spokenStep(2000, 500)]), WATCHED, null);
    expect(report).toMatchObject({ ok: true, voiceToVoiceMs: { p50: 500 }, samples: WATCHED.samples });
    for (const name of ['stagesMs', 'timeline', 'cpuCores', 'mainLoopMs', 'rssMiB', 'leaks', 'memorySlope'])
      expect(report).not.toHaveProperty(name);
    expect(report.keyed).not.toHaveProperty('stagesMs');
  });
});
