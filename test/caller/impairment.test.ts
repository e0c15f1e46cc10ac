/** Noise and loss: levels as asked for, repeatable, and nothing but the line changed. */
import { describe, expect, it } from 'vitest';
import {
  addNoise,
  loseFrames,
  lossPattern,
  NOISE_KINDS,
  noiseSource,
  speechPower,
  withGain,
} from '../../src/caller/impairment.ts';
import { printedSeed } from '../seeded-random.ts';
import { joined, silence, tone } from './tones.ts';

const SPEECH = joined(silence(200), tone(800), silence(200));

function powerOf(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += (samples[i] ?? 0) ** 2;
  return sum / samples.length;
}

describe('noise', () => {
  it.each(NOISE_KINDS)('%s noise has the power that was asked for', (kind) => {
    const seed = printedSeed(`impairment ${kind}`);
    for (const snrDb of [5, 20]) {
      const noisy = addNoise(SPEECH, { kind, snrDb, seed });
      const noise = noisy.map((sample, i) => sample - (SPEECH[i] ?? 0));
      expect(noisy).toHaveLength(SPEECH.length);
      expect(10 * Math.log10(speechPower(SPEECH) / powerOf(noise))).toBeCloseTo(snrDb, 0);
      expect(addNoise(SPEECH, { kind, snrDb, seed })).toEqual(noisy);
      expect(addNoise(SPEECH, { kind, snrDb, seed: seed + 1 })).not.toEqual(noisy);
    }
  });

  it.each(NOISE_KINDS)('an endless stream of %s noise has power 1', (kind) => {
    const next = noiseSource(kind, printedSeed(`impairment stream ${kind}`));
    // 5,000 waves of the wavering one: 0.5 dB is six standard deviations of what they differ by.
    expect(10 * Math.log10(powerOf(Float32Array.from({ length: 4_000_000 }, next)))).toBeCloseTo(0, 0);
  });

  it('measures speech where there is some', () => {
    expect(speechPower(SPEECH)).toBeGreaterThan(powerOf(SPEECH));
    expect(speechPower(silence(100))).toBe(0);
    expect(addNoise(silence(100), { kind: 'white', snrDb: 0, seed: 1 })).toEqual(silence(100));
  });

  it('never wraps around', () => {
    const loud = new Int16Array(8000).fill(32767);
    const noisy = addNoise(loud, { kind: 'white', snrDb: 0, seed: 3 });
    expect(Math.max(...noisy)).toBe(32767);
    expect(withGain(loud, 6)).toEqual(loud);
    expect(withGain(new Int16Array([1000, -1000]), -20)).toEqual(new Int16Array([100, -100]));
  });
});

describe('loss', () => {
  it.each([
    [3, 1],
    [3, 3],
    [20, 1.5],
  ])('loses %d %% of the packets in bursts of %d', (lossPercent, burst) => {
    const isLost = lossPattern({ lossPercent, burst, seed: printedSeed('impairment loss') });
    const packets = Array.from({ length: 200_000 }, isLost);
    const lost = packets.filter(Boolean).length;
    const bursts = packets.filter((one, i) => one && packets[i - 1] !== true).length;
    expect(lost / packets.length / (lossPercent / 100)).toBeCloseTo(1, 0);
    expect(lost / bursts / burst).toBeCloseTo(1, 0);
  });

  it('loses nothing at 0 %, and conceals what is lost', () => {
    expect(loseFrames(SPEECH, { lossPercent: 0, seed: 1 })).toEqual(SPEECH);
    const heard = loseFrames(SPEECH, { lossPercent: 10, seed: 1 });
    expect(heard).toHaveLength(SPEECH.length);
    expect(heard).not.toEqual(SPEECH);
    expect(powerOf(heard) / powerOf(SPEECH)).toBeGreaterThan(0.7);
  });
});
