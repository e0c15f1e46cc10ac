/** Cores per call and the memory slope, from seconds whose truth is known. */
import { describe, expect, it } from 'vitest';
import {
  corePercentPerCall,
  heldSamples,
  memorySlope,
  ofRuntime,
  type WholeSample,
} from '../../src/stress/load-sample.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

function second(atS: number, changes: Partial<WholeSample>): WholeSample {
  return {
    atS,
    calls: 0,
    callsEnded: 0,
    cpuCores: 0,
    callerCores: 0,
    rssMiB: 0,
    mainLoopMs: 0,
    sendLatenessMs: 0,
    callerLoopMs: 0,
    ...changes,
  };
}

describe('the seconds of a runtime', () => {
  it('are those in which it was looked at', () => {
    const callersOnly = { atS: 2, callsEnded: 0, callerCores: 0.1, callerLoopMs: 1 };
    expect(ofRuntime([second(1, {}), callersOnly])).toEqual([second(1, {})]);
  });
});

describe('the seconds of the hold', () => {
  it('are those that lie wholly in it', () => {
    const samples = [1, 2, 3, 4, 5].map((atS) => second(atS, {}));
    const watched = { startedAtMs: 10_000, samples, runtime: null };
    const held = heldSamples(watched, { fullAtMs: 11_000, drainingAtMs: 14_500 });
    expect(held.map(({ atS }) => atS)).toEqual([2, 3, 4]);
    expect(heldSamples(watched, { fullAtMs: 11_001, drainingAtMs: 11_900 })).toEqual([]);
  });
});

describe('cores per call', () => {
  it('are all that was used over all that calls lasted, however they came and went', () => {
    const calls = [0, 10, 20, 20, 20, 10, 0];
    const samples = calls.map((up, at) => {
      const during = (up + (calls[at - 1] ?? 0)) / 2;
      return second(at, { calls: up, cpuCores: during * 0.004 });
    });
    expect(corePercentPerCall(samples)).toBeCloseTo(0.4, 2);
  });

  it('are not told where no call was up', () => {
    expect(corePercentPerCall([])).toBeNull();
    expect(corePercentPerCall([second(0, {}), second(1, { cpuCores: 1 })])).toBeNull();
  });
});

describe('the memory slope', () => {
  const run = (mibPerCall: number, seed = 1): WholeSample[] => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 200 }, (_, at) => {
      const settling = 80 * (1 - Math.exp(-at / 10));
      return second(at, {
        callsEnded: at * 5,
        rssMiB: 500 + settling + at * 5 * mibPerCall + random.next() * 4,
      });
    });
  };

  it.each([0, 0.01, 0.05, -0.02])(
    'of %d MiB a call is found under noise, and the settling is left out',
    (mibPerCall) => {
      const { mibPer100Calls, overCalls } = memorySlope(run(mibPerCall, printedSeed('memory slope')));
      expect(Math.abs((mibPer100Calls ?? Number.NaN) - 100 * mibPerCall)).toBeLessThan(0.25);
      expect(overCalls).toBeGreaterThan(600);
    },
  );

  it('is not told of a few calls', () => {
    const few = Array.from({ length: 140 }, (_, at) => second(at, { callsEnded: at, rssMiB: 500 + at }));
    expect(memorySlope(few)).toEqual({ mibPer100Calls: null, overCalls: 97 });
    expect(memorySlope([])).toEqual({ mibPer100Calls: null, overCalls: 0 });
  });
});
