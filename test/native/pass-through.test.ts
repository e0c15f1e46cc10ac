/** Equal rates: what comes in goes out, in either kind of sample. */
import { describe, expect, it } from 'vitest';
import { createResampler } from '../../src/native/resampler.ts';
import { tone } from './tone.ts';

describe('a resampler between equal rates', () => {
  const input = tone(440, 8000, 160);

  it('copies without delay', () => {
    const resampler = createResampler({ fromHz: 8000, toHz: 8000 });
    const output = new Float32Array(200);
    expect(resampler.delaySamples).toBe(0);
    expect(resampler.maxOutputSamples(160)).toBe(160);
    expect(resampler.process(input, output)).toBe(160);
    expect(output.subarray(0, 160)).toEqual(input);
    expect(resampler.flush(output)).toBe(0);
  });

  it('turns 16 bits into floats and back, rounded and clipped', () => {
    const resampler = createResampler({ fromHz: 16_000, toHz: 16_000, channels: 2 });
    const floats = new Float32Array([0, 1, -1, 2.5 / 32768, Number.NaN, -7]);
    const ints = new Int16Array(6);
    expect(resampler.process(floats, ints)).toBe(6);
    expect([...ints]).toEqual([0, 32767, -32768, 3, 0, -32768]);
    expect(resampler.process(ints, floats)).toBe(6);
    expect(floats[3]).toBe(3 / 32768);
  });

  it('takes nothing when the output is too short', () => {
    const resampler = createResampler({ fromHz: 8000, toHz: 8000 });
    const invalid = expect.objectContaining({ code: 'INVALID_STATE' });
    expect(() => resampler.process(input, new Float32Array(159))).toThrow(invalid);
  });

  it.each([0, -1, 8000.5, Number.NaN])('refuses %d Hz', (hz) => {
    const invalid = expect.objectContaining({ code: 'AUDIO_INVALID' });
    expect(() => createResampler({ fromHz: hz, toHz: hz })).toThrow(invalid);
  });
});
