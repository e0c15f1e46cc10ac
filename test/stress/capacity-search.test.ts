/** The search against boxes of known capacity: it finds it, in few steps, and names the stage that gave way. */
import { describe, expect, it } from 'vitest';
import {
  hasLeaked,
  nextLoad,
  type SearchOptions,
  type SearchStep,
  searchCapacity,
} from '../../src/stress/capacity-search.ts';
import type { LoadSample } from '../../src/stress/load-sample.ts';
import { missedBy, parseObjective } from '../../src/stress/objective.ts';
import { heldWith, reportWith } from './reports.ts';

/** A box whose p95 is 600 ms up to `capacity` calls and 10 s above; its queue grows with the calls. */
function box(
  capacity: number,
  options: Partial<SearchOptions> = {},
): { options: SearchOptions; loads: number[] } {
  const loads: number[] = [];
  let nowMs = 0;
  return {
    loads,
    options: {
      objective: parseObjective('p95=1500'),
      from: 4,
      most: 256,
      limitMs: 3_600_000,
      nowMs: () => nowMs,
      run: async (calls) => {
        loads.push(calls);
        nowMs += 60_000;
        const p95 = calls <= capacity ? 600 : 10_000;
        const spread = (ms: number) => ({ p50: ms, p95: ms, p99: ms, max: ms });
        return reportWith({
          callsOffered: calls,
          goalsMet: calls,
          hold: heldWith({
            voiceToVoiceMs: spread(p95),
            stagesMs: {
              endpoint: spread(400),
              sttQueue: spread(calls <= capacity ? 20 : 9000),
              stt: spread(100),
            },
          }),
        });
      },
      ...options,
    },
  };
}

describe('the search for capacity', () => {
  it.each([1, 3, 4, 5, 17, 40, 100, 255])('finds a capacity of %i within a tenth', async (capacity) => {
    const { options, loads } = box(capacity, { from: 4 });
    const found = await searchCapacity(options);
    expect(found.isExact).toBe(true);
    expect(found.calls).toBeLessThanOrEqual(capacity);
    expect(found.calls).toBeGreaterThanOrEqual(Math.floor(capacity / 1.1) - 1);
    expect(loads.length).toBeLessThanOrEqual(12);
    expect(new Set(loads).size).toBe(loads.length);
  });

  it('says which stage gave way, and that it was a queue', async () => {
    const { breaksFirst } = await searchCapacity(box(20).options);
    expect(breaksFirst).toEqual({ stage: 'sttQueue', kind: 'queue', fromMs: 20, toMs: 9000 });
  });

  it.each([
    [140, { stage: 'callers', kind: 'callers', fromMs: 15, toMs: 140 }],
    [49, { stage: 'stt', kind: 'compute', fromMs: 100, toMs: 110 }],
  ])('names the callers where their own process was late by %i ms', async (lateMs, expected) => {
    const { breaksFirst } = await searchCapacity({
      ...box(20).options,
      run: async (calls) => {
        const isGood = calls <= 20;
        const stt = isGood ? 100 : 110;
        return reportWith({
          callsOffered: calls,
          callsFailed: isGood ? 0 : 1,
          goalsMet: calls,
          hold: heldWith({
            voiceToVoiceMs: { p50: 600, p95: 600, p99: 600, max: 600 },
            stagesMs: { stt: { p50: stt, p95: stt, p99: stt, max: stt } },
          }),
          samples: [{ callerLoopMs: isGood ? 15 : lateMs } as LoadSample],
        });
      },
    });
    expect(breaksFirst).toEqual(expected);
  });

  it('tells of a step what its hold measured: its ramp and end have fewer calls', async () => {
    const wait = (ms: number) => ({ p50: ms, p95: ms, p99: ms, max: ms });
    const sample = { atS: 1, callsEnded: 0, callerCores: 1.9, callerLoopMs: 12 };
    const { steps } = await searchCapacity({
      ...box(20, { most: 4 }).options,
      run: async (calls) =>
        reportWith({
          callsOffered: calls,
          goalsMet: calls,
          voiceToVoiceMs: wait(600),
          stagesMs: { stt: wait(50) },
          cpuCores: 0.5,
          samples: [sample],
          hold: heldWith({
            voiceToVoiceMs: wait(1600),
            stagesMs: { stt: wait(900) },
            cpuCores: 0.9,
            callerCores: 1.1,
          }),
        }),
    });
    expect(steps[0]).toMatchObject({
      ok: false,
      why: 'p95 was 1600 ms',
      p95: 1600,
      stagesP95Ms: { stt: 900 },
      cpuCores: 0.9,
      callerCores: 1.1,
      callerLoopMs: 12,
    });
  });

  it('tells of each step what it leaked, also where the load held', async () => {
    const { options } = box(1000, { most: 8 });
    const { steps } = await searchCapacity({
      ...options,
      run: async (calls) => ({
        ...(await options.run(calls)),
        leaks: { sockets: calls === 4 ? 2 : 0, timers: 0 },
      }),
    });
    expect(steps.map(({ ok, leaks }) => [ok, leaks])).toEqual([
      [true, { sockets: 2 }],
      [true, {}],
    ]);
    expect(steps.map(hasLeaked)).toEqual([true, false]);
  });

  it('stops at the most calls that it may try: a lower bound', async () => {
    const { options, loads } = box(1000, { most: 50 });
    expect(await searchCapacity(options)).toMatchObject({ calls: 50, isExact: false, breaksFirst: null });
    expect(loads).toEqual([4, 8, 16, 32, 50]);
  });

  it('begins no step after its time', async () => {
    const { options, loads } = box(100, { limitMs: 150_000 });
    expect(await searchCapacity(options)).toMatchObject({ calls: 16, isExact: false });
    expect(loads).toEqual([4, 8, 16]);
  });

  it('finds 0 where not even one call holds', async () => {
    expect(await searchCapacity(box(0).options)).toMatchObject({
      calls: 0,
      isExact: true,
      breaksFirst: null,
    });
  });

  it('does not trust a load above one that failed', () => {
    const step = (calls: number, ok: boolean) => ({ calls, ok }) as SearchStep;
    expect(nextLoad([step(4, true), step(8, false), step(16, true)], 64)).toBe(6);
  });
});

describe('an objective', () => {
  const good = reportWith({
    callsOffered: 10,
    goalsMet: 9,
    hold: heldWith({ voiceToVoiceMs: { p50: 500, p95: 900, p99: 950, max: 999 } }),
  });

  it.each([
    ['p95=1500', good, null],
    ['p95=800', good, 'p95 was 900 ms'],
    ['p50=400,p95=1500', good, 'p50 was 500 ms'],
    ['max=1000, goals=0.95', good, '9 of 10 goals were met'],
    ['p95=1500,goals=0', reportWith({ ...good, goalsMet: 0 }), null],
    ['p95=1500', reportWith({ ...good, callsFailed: 1 }), '1 of 10 calls failed'],
    ['p95=1500', reportWith({ callsOffered: 0 }), 'no call was made'],
    ['p95=1500', reportWith({ callsOffered: 1, goalsMet: 1 }), 'nothing was measured'],
  ])('%s', (slo, report, why) => {
    expect(missedBy(report, parseObjective(slo))).toBe(why);
  });

  it('asks an echo for its packets and its round trip, not for goals', () => {
    const roundTripMs = { p50: 20, p95: 30, p99: 40, max: 50, count: 9 };
    const echo = reportWith({
      mode: 'echo',
      callsOffered: 4,
      goalsMet: 0,
      voiceToVoiceMs: null,
      roundTripMs,
    });
    expect(missedBy(echo, parseObjective('p99=100'))).toBeNull();
    expect(missedBy(echo, parseObjective('p99=35'))).toBe('p99 was 40 ms');
    const lossy = { ...echo, rtp: { ...echo.rtp, lost: 3 } };
    expect(missedBy(lossy, parseObjective('p99=100'))).toBe('3 packets were lost');
  });

  it.each([
    '',
    'p95',
    'p95=',
    'p95=-1',
    'p95=x',
    'p96=1500',
    'goals=2',
    'goals=-1',
    'p95=0',
    'p95=1500;goals=0.9',
  ])('"%s" is a mistake of the user', (slo) => {
    expect(() => parseObjective(slo)).toThrow(expect.objectContaining({ code: 'USAGE_INVALID' }));
  });
});
