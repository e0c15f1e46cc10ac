import { describe, expect, test } from 'vitest';
import { Endpointer } from '../../src/turn/endpointing.ts';
import { DEFAULT_TURN_CONFIG } from '../../src/turn/turn-config.ts';
import { CallerSpeech, Utterance } from '../../src/turn/utterance.ts';

const RATE_HZ = 8000;
const { utterance: CONFIG, endpointing: ENDPOINTING } = DEFAULT_TURN_CONFIG;
const MAX_SAMPLES = (CONFIG.maxWindowMs * RATE_HZ) / 1000;

/** Speech in ms from `base`: [start, end] pairs. */
function speak(
  base: number,
  stretches: readonly (readonly [number, number])[],
  earliestMs = -10_000,
): Utterance {
  const at = (ms: number) => (base + ms * 8) >>> 0;
  const utterance = new Utterance(at(stretches[0]![0]), {
    config: CONFIG,
    rateHz: RATE_HZ,
    earliestSample: at(earliestMs),
  });
  for (const [index, [start, end]] of stretches.entries()) {
    if (index > 0) utterance.resume(at(start));
    utterance.stop(at(end), -20);
  }
  return utterance;
}

/** A head of the tape far beyond the speech. */
function later(sample: number): number {
  return (sample + 8000) >>> 0;
}

function windowsMs(base: number, utterance: Utterance): number[][] {
  const ms = (sample: number) => ((sample - base) | 0) / 8;
  return utterance
    .windows(later(utterance.endSample))
    .map(({ fromSample, toSample }) => [ms(fromSample), ms(toSample)]);
}

describe('windows', () => {
  test.each([0x1000_0000, 0, 2 ** 32 - 1000])(
    'pre-roll and post-roll around the speech, from position %i',
    (base) => {
      expect(windowsMs(base, speak(base, [[1000, 1150]]))).toEqual([[750, 1350]]);
      expect(
        windowsMs(
          base,
          speak(base, [
            [1000, 2000],
            [2300, 4000],
          ]),
        ),
      ).toEqual([[750, 4200]]);
    },
  );

  test('do not reach back over the turn before, or the start of the tape', () => {
    expect(windowsMs(0, speak(0, [[100, 500]], 0))).toEqual([[0, 700]]);
    expect(windowsMs(0, speak(0, [[1000, 1500]], 900))).toEqual([[900, 1700]]);
    expect(windowsMs(0, speak(0, [[1000, 1500]], 1200))).toEqual([[1000, 1700]]);
  });

  test('do not reach beyond what is on the tape', () => {
    const utterance = speak(0, [[1000, 1500]]);
    expect(utterance.windows(1540 * 8)[0]!.toSample).toBe(1540 * 8);
    expect(utterance.windows(1400 * 8)[0]!.toSample).toBe(1500 * 8);
  });

  test('a long turn is split at a pause, and no sample is read twice', () => {
    expect(
      windowsMs(
        0,
        speak(0, [
          [1000, 6000],
          [6300, 9000],
          [9200, 14_000],
        ]),
      ),
    ).toEqual([
      [750, 9100],
      [9100, 14_200],
    ]);
  });

  test('speech without a pause is split anyway', () => {
    const windows = speak(0, [[1000, 26_000]]).windows(1_000_000);
    expect(windows).toHaveLength(3);
    for (const { fromSample, toSample } of windows)
      expect(toSample - fromSample).toBeLessThanOrEqual(MAX_SAMPLES);
    expect(windows[0]!.toSample).toBe(windows[1]!.fromSample);
    expect(windows.at(-1)!.toSample).toBe(26_200 * 8);
  });

  test('random turns: in order, inside the limit, no overlap, all speech covered', () => {
    let state = 7;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    for (let round = 0; round < 300; round += 1) {
      const stretches: [number, number][] = [];
      for (let ms = 500; ms < 28_000; ) {
        const end = ms + 60 + Math.floor(4000 * random());
        stretches.push([ms, end]);
        ms = end + 20 + Math.floor(390 * random());
      }
      const windows = windowsMs(0, speak(0, stretches));
      for (const [index, window] of windows.entries()) {
        expect(window[1]! - window[0]!).toBeLessThanOrEqual(CONFIG.maxWindowMs);
        if (index > 0) expect(window[0]!).toBeGreaterThanOrEqual(windows[index - 1]![1]!);
      }
      const covered = stretches.every(([start, end]) => {
        const inside = windows
          .map(([from, to]) => Math.min(to!, end) - Math.max(from!, start))
          .filter((ms) => ms > 0);
        return Math.abs(inside.reduce((sum, ms) => sum + ms, 0) - (end - start)) < 0.5;
      });
      expect(covered, `seed 7, round ${round}`).toBe(true);
    }
  });
});

describe('measures', () => {
  test('speech without the pauses, the longest pause, the level of the end', () => {
    const utterance = speak(2 ** 32 - 8000, [
      [500, 900],
      [1200, 1300],
      [1400, 2000],
    ]);
    expect(utterance.speechMs).toBe(1100);
    expect(utterance.longestPauseMs).toBe(300);
    expect(utterance.levelDbfs).toBe(-20);
  });

  test('a stop that lies before the start leaves an empty stretch, not a negative one', () => {
    const utterance = new Utterance(1000, { config: CONFIG, rateHz: RATE_HZ, earliestSample: 0 });
    utterance.stop(900, -20);
    utterance.stop(5000, -20);
    expect(utterance.speechMs).toBe(0);
    expect(utterance.windows(8000)).toHaveLength(1);
  });
});

describe('endpointing', () => {
  const whole = { speechMs: 1500, longestPauseMs: 100 };

  test('the documented default is 400 ms from the last speech sample', () => {
    expect(new Endpointer(ENDPOINTING).delayMs(whole)).toBe(400);
  });

  test('longer for a very short turn and for a hesitant one', () => {
    const endpointer = new Endpointer(ENDPOINTING);
    expect(endpointer.delayMs({ speechMs: 150, longestPauseMs: 0 })).toBe(500);
    expect(endpointer.delayMs({ speechMs: 1500, longestPauseMs: 320 })).toBe(550);
  });

  test('learns the pause that was mistaken, forgets it, and never waits longer than the maximum', () => {
    const endpointer = new Endpointer(ENDPOINTING);
    endpointer.onCutOff(600);
    expect(endpointer.delayMs(whole)).toBe(720);
    for (let turn = 0; turn < 4; turn += 1) endpointer.onTurnCompleted();
    expect(endpointer.delayMs(whole)).toBe(400);
    endpointer.onCutOff(5000);
    expect(endpointer.delayMs(whole)).toBe(ENDPOINTING.maxDelayMs);
  });

  test('the defaults keep their relations', () => {
    const { bargeIn, utterance, endpointing } = DEFAULT_TURN_CONFIG;
    expect(endpointing.minDelayMs).toBeGreaterThan(utterance.postRollMs);
    expect(endpointing.maxDelayMs).toBeGreaterThan(endpointing.shortUtteranceDelayMs);
    expect(utterance.maxTurnMs).toBeGreaterThan(utterance.maxWindowMs);
    expect(bargeIn.resumeMinSpeechMs).toBeLessThan(bargeIn.minSpeechMs);
    expect(bargeIn.minSpeechMs).toBeLessThan(bargeIn.graceMinSpeechMs);
  });
});

describe('the end of a turn', () => {
  /** Speech from 8000 to 16000 at 8 kHz, its end known at 17600 and 5000 ms. */
  function spoken(): CallerSpeech {
    const speech = new CallerSpeech(DEFAULT_TURN_CONFIG, 8000, 0);
    const event = { decidedAtSample: 17_600, atMs: 5000, levelDbfs: -20, noiseDbfs: -60 } as const;
    speech.note({ kind: 'speechStarted', atSample: 8000, ...event });
    speech.begin(8000).stop(16_000, -20);
    speech.note({ kind: 'speechStopped', atSample: 16_000, ...event });
    return speech;
  }

  test('tells the silence that was waited for, however late the decision came', () => {
    const dueAtMs = spoken().endpointAtMs;
    expect(dueAtMs).toBe(5000 - 200 + 400);
    expect(spoken().finish(dueAtMs, false).endpointDelayMs).toBe(400);
    expect(spoken().finish(dueAtMs + 35, false).endpointDelayMs).toBe(400);
  });

  test('by force waits for nothing', () => {
    expect(spoken().finish(9000, true)).toMatchObject({ endpointDelayMs: 0 });
  });
});
