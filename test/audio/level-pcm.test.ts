/** Loudness, and the way between 16-bit samples and floats. */
import { describe, expect, it } from 'vitest';
import { peak, rmsDbfs } from '../../src/audio/level.ts';
import { floatToInt16, int16ToFloat } from '../../src/audio/pcm.ts';

const sine = (amplitude: number): Int16Array =>
  Int16Array.from({ length: 8000 }, (_, i) => amplitude * Math.sin((2 * Math.PI * 1000 * i) / 8000));

describe('level', () => {
  it('reads 0 dBFS for a full-scale square and -3 for a full-scale sine', () => {
    expect(rmsDbfs(new Int16Array(160).fill(-32768))).toBe(0);
    expect(rmsDbfs(sine(32767))).toBeCloseTo(-3.01, 2);
    expect(rmsDbfs(sine(3276.7))).toBeCloseTo(-23.01, 1);
  });

  it('reads its floor, not minus infinity, for silence and for nothing', () => {
    expect(rmsDbfs(new Int16Array(160))).toBe(-120);
    expect(rmsDbfs(new Int16Array(0))).toBe(-120);
  });

  it('finds the peak of either sign', () => {
    expect(peak(Int16Array.of(3, -7, 5))).toBe(7);
    expect(peak(Int16Array.of(-32768))).toBe(32768);
    expect(peak(new Int16Array(0))).toBe(0);
  });
});

describe('PCM conversion', () => {
  it('brings every 16-bit sample back', () => {
    const all = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);
    const floats = new Float32Array(all.length);
    const back = new Int16Array(all.length);
    int16ToFloat(all, floats, all.length);
    floatToInt16(floats, back, all.length);
    expect(back).toEqual(all);
    expect([floats[0], floats[32768]]).toEqual([-1, 0]);
  });

  it('clips instead of wrapping, and hears what is no number as silence', () => {
    const wild = Float32Array.of(
      1,
      2,
      -1,
      -2,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    );
    const samples = new Int16Array(wild.length);
    floatToInt16(wild, samples, wild.length);
    expect([...samples]).toEqual([32767, 32767, -32768, -32768, 0, 32767, -32768]);
  });

  it('leaves everything after count alone', () => {
    const samples = new Int16Array(2).fill(9);
    floatToInt16(Float32Array.of(0, 0), samples, 1);
    expect([...samples]).toEqual([0, 9]);
  });
});
