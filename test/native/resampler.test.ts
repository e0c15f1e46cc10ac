/** The resampler, every implementation: quality in dB, stream behaviour, errors. */
import { describe, expect, it } from 'vitest';
import type { Resampler } from '../../src/native/resampler.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { IMPLEMENTATIONS, PAIRS } from './implementations.ts';
import { decibels, fitTone, powerOf, tone } from './tone.ts';

function convert(resampler: Resampler, input: Float32Array): Float32Array {
  // A little longer than needed: what is written beyond the end would otherwise vanish unseen.
  const output = new Float32Array(resampler.maxOutputSamples(input.length) + resampler.delaySamples + 100);
  const written = resampler.process(input, output);
  return output.subarray(0, written + resampler.flush(output.subarray(written)));
}

describe.each(IMPLEMENTATIONS)('$name', ({ name, create }) => {
  /** The middle of what half a second of tone becomes, without the edges where it begins and ends. */
  function convertedTone(fromHz: number, toHz: number, hz: number): Float32Array {
    const converted = convert(create({ fromHz, toHz }), tone(hz, fromHz, fromHz / 2));
    return converted.subarray(Math.round(0.1 * toHz), Math.round(0.4 * toHz));
  }

  describe.each(PAIRS)('$fromHz to $toHz Hz', ({ fromHz, toHz }) => {
    const lowerNyquistHz = Math.min(fromHz, toHz) / 2;

    it('keeps a sine of 1 kHz clean: THD+N of -100 dB or less', () => {
      const { amplitude, restPower } = fitTone(convertedTone(fromHz, toHz, 1000), 1000, toHz);
      expect(decibels(restPower / (amplitude ** 2 / 2))).toBeLessThanOrEqual(-100);
    });

    it('is flat within 0.1 dB up to 0.85 of Nyquist', () => {
      for (const share of [0.01, 0.1, 0.25, 0.5, 0.7, 0.8, 0.85]) {
        const hz = Math.round((lowerNyquistHz * share) / 50) * 50;
        const { amplitude } = fitTone(convertedTone(fromHz, toHz, hz), hz, toHz);
        expect(Math.abs(20 * Math.log10(amplitude / 0.5)), `${hz} Hz`).toBeLessThanOrEqual(0.1);
      }
    });

    it('lets nothing through beyond Nyquist: aliases and images at least 90 dB down', () => {
      const signalPower = 0.5 ** 2 / 2;
      const hz = Math.round((lowerNyquistHz * 0.85) / 50) * 50;
      // Up: all that is not the tone is image. Down: tones above Nyquist must vanish.
      const { restPower } = fitTone(convertedTone(fromHz, toHz, hz), hz, toHz);
      expect(decibels(restPower / signalPower)).toBeLessThanOrEqual(-90);
      for (let alias = lowerNyquistHz + 10; alias < fromHz / 2; alias += lowerNyquistHz / 7) {
        const left = powerOf(convertedTone(fromHz, toHz, Math.round(alias)));
        expect(decibels(left / signalPower), `${Math.round(alias)} Hz`).toBeLessThanOrEqual(-90);
      }
    });

    it('lags by exactly delaySamples, at most 5 ms', () => {
      const resampler = create({ fromHz, toHz });
      const converted = convert(resampler, tone(500, fromHz, fromHz / 2));
      expect(resampler.delaySamples / toHz).toBeLessThanOrEqual(0.005);
      // The filter may change the level within its 0.1 dB, but not the time.
      const { amplitude } = fitTone(convertedTone(fromHz, toHz, 500), 500, toHz);
      const expected = tone(500, toHz, toHz / 2, amplitude);
      for (let i = Math.round(0.1 * toHz); i < 0.4 * toHz; i++) {
        expect(Math.abs(converted[i + resampler.delaySamples]! - expected[i]!)).toBeLessThan(1e-4);
      }
    });

    it('gives ceil(input * toHz / fromHz) + delaySamples samples in all', () => {
      const resampler = create({ fromHz, toHz });
      for (const lengthSamples of [0, 1, 2, 3, 159, 160, 161, 1023, 1024, 1025, 7919]) {
        const converted = convert(resampler, new Float32Array(lengthSamples));
        const expected = Math.ceil((lengthSamples * toHz) / fromHz) + resampler.delaySamples;
        expect(converted.length, `${lengthSamples} samples`).toBe(expected);
      }
    });

    it('streams: any block lengths give the same samples, bit for bit', () => {
      const random = new SeededRandom(printedSeed(`resampler ${name} ${fromHz} to ${toHz}`));
      const input = Float32Array.from({ length: 6000 }, () => random.next() - 0.5);
      const resampler = create({ fromHz, toHz });
      const whole = convert(resampler, input).slice();
      const streamed = new Float32Array(whole.length);
      let written = 0;
      for (let from = 0; from < input.length; ) {
        const block = input.subarray(from, from + random.integer(0, random.pick([3, 160, 3000])));
        const roomSamples = resampler.maxOutputSamples(block.length);
        written += resampler.process(block, streamed.subarray(written, written + roomSamples));
        from += block.length;
      }
      written += resampler.flush(streamed.subarray(written));
      expect(written).toBe(whole.length);
      expect(streamed).toEqual(whole);
    });
  });

  describe('a resampler', () => {
    it('is linear: the sum of two streams is the stream of the sum', () => {
      const random = new SeededRandom(printedSeed(`resampler ${name}, linear`));
      const one = Float32Array.from({ length: 2000 }, () => random.next() - 0.5);
      const two = Float32Array.from({ length: 2000 }, () => random.next() - 0.5);
      const make = (): Resampler => create({ fromHz: 22_050, toHz: 8000 });
      const [first, second] = [convert(make(), one), convert(make(), two)];
      const both = convert(
        make(),
        one.map((sample, i) => sample + two[i]!),
      );
      for (let i = 0; i < both.length; i++) expect(both[i]).toBeCloseTo(first[i]! + second[i]!, 5);
    });

    it('keeps a constant constant', () => {
      for (const { fromHz, toHz } of PAIRS) {
        const resampler = create({ fromHz, toHz });
        const converted = convert(resampler, new Float32Array(fromHz / 10).fill(1));
        const middle = converted.subarray(2 * resampler.delaySamples, toHz / 10);
        for (const sample of middle) expect(sample).toBeCloseTo(1, 5);
      }
    });

    it('forgets everything on reset', () => {
      const resampler = create({ fromHz: 24_000, toHz: 8000 });
      const fresh = convert(resampler, tone(700, 24_000, 5000)).slice();
      resampler.process(tone(333, 24_000, 777), new Float32Array(400));
      resampler.reset();
      expect(convert(resampler, tone(700, 24_000, 5000))).toEqual(fresh);
    });

    it('two at once do not disturb each other', () => {
      const input = tone(700, 8000, 800);
      const alone = convert(create({ fromHz: 8000, toHz: 16_000 }), input).slice();
      const [a, b] = [create({ fromHz: 8000, toHz: 16_000 }), create({ fromHz: 8000, toHz: 16_000 })];
      b.process(tone(3000, 8000, 333), new Float32Array(700));
      expect(convert(a, input)).toEqual(alone);
    });

    it('takes nothing when the output is too short', () => {
      const resampler = create({ fromHz: 8000, toHz: 16_000 });
      const input = tone(700, 8000, 160);
      const expected = convert(create({ fromHz: 8000, toHz: 16_000 }), input);
      const tooShort = new Float32Array(319);
      const invalid = expect.objectContaining({ code: 'INVALID_STATE' });
      expect(() => resampler.process(input, tooShort)).toThrow(invalid);
      expect(() => resampler.flush(new Float32Array(1))).toThrow(invalid);
      expect(convert(resampler, input)).toEqual(expected);
    });

    it.each([
      [0, 8000],
      [8000, -1],
      [8000.5, 8000],
      [Number.NaN, 8000],
      [8000, 44_101],
      [8000, Number.POSITIVE_INFINITY],
    ])('refuses %d to %d Hz', (fromHz, toHz) => {
      const invalid = expect.objectContaining({ code: 'AUDIO_INVALID' });
      expect(() => create({ fromHz, toHz })).toThrow(invalid);
    });

    it.each(PAIRS)('does not allocate per block: $fromHz to $toHz', ({ fromHz, toHz }) => {
      const resampler = create({ fromHz, toHz });
      const input = tone(1000, fromHz, fromHz / 50);
      const output = new Float32Array(resampler.maxOutputSamples(input.length));
      for (let i = 0; i < 2000; i++) resampler.process(input, output);
      const blocks = 1000;
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < blocks; i++) resampler.process(input, output);
      // A single Float32Array per block would be several hundred bytes; the counting itself costs a little.
      expect((process.memoryUsage().heapUsed - before) / blocks).toBeLessThan(100);
    });
  });
});
