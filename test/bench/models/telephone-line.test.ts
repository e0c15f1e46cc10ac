/** The lines over which recorded speech is heard. */
import { describe, expect, it } from 'vitest';
import {
  CONDITIONS,
  heardOver,
  POST_ROLL_MS,
  PRE_ROLL_MS,
  saidAgain,
} from '../../../bench/models/telephone-line.ts';
import { rmsDbfs } from '../../../src/audio/level.ts';

const RATE_HZ = 8000;
const speech = Int16Array.from({ length: RATE_HZ }, (_, i) => 8000 * Math.sin(i / 5));
const before = (PRE_ROLL_MS * RATE_HZ) / 1000;

describe('a line', () => {
  it.each(CONDITIONS)('%s gives the speech with its rests, the same for the same seed', (condition) => {
    const heard = heardOver(condition, speech, 3);
    expect(heard.length).toBe(speech.length + ((PRE_ROLL_MS + POST_ROLL_MS) * RATE_HZ) / 1000);
    expect(heardOver(condition, speech, 3)).toEqual(heard);
    expect(rmsDbfs(heard.subarray(before, before + RATE_HZ))).toBeCloseTo(rmsDbfs(speech), -1);
  });

  it('has the noise that it says in the rests, too', () => {
    const level = rmsDbfs(speech);
    expect(rmsDbfs(heardOver('clean', speech, 3).subarray(0, before))).toBe(-120);
    expect(rmsDbfs(heardOver('snr15', speech, 3).subarray(0, before)) - (level - 15)).toBeLessThan(4);
    const noisy = rmsDbfs(heardOver('noisy', speech, 3).subarray(0, before));
    expect(noisy).toBeGreaterThan(level - 16);
    expect(noisy).toBeLessThan(level - 1);
  });

  it('loses packets now and then', () => {
    const clean = heardOver('clean', speech, 3);
    const lost = [1, 2, 3, 4, 5, 6].filter((seed) => {
      const heard = heardOver('loss3', speech, seed);
      return heard.some((sample, i) => sample !== clean[i]);
    });
    expect(lost.length).toBeGreaterThan(1);
  });
});

it('what is said again is nearly the same', () => {
  const again = saidAgain(speech, 5);
  expect(again).not.toEqual(speech);
  expect(again.length - speech.length).toBeLessThanOrEqual(80);
  expect(Math.abs(rmsDbfs(again) - rmsDbfs(speech))).toBeLessThan(4.5);
});
