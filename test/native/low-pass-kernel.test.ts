/** The low-pass: what its table promises, straight from the integral that is its response. */
import { describe, expect, it } from 'vitest';
import {
  KERNEL_HALF_LENGTH_SAMPLES,
  lowPassKernel,
  PASSBAND_EDGE,
} from '../../src/native/low-pass-kernel.ts';

const STEPS_PER_SAMPLE = 64;

/** Response at a share of the lower Nyquist frequency, by the trapezoid rule; 1 is unchanged. */
function responseAt(share: number): number {
  const steps = KERNEL_HALF_LENGTH_SAMPLES * STEPS_PER_SAMPLE;
  let sum = lowPassKernel(0);
  for (let i = 1; i < steps; i++) {
    const time = i / STEPS_PER_SAMPLE;
    sum += 2 * lowPassKernel(time) * Math.cos(Math.PI * share * time);
  }
  return sum / STEPS_PER_SAMPLE;
}

function worst(from: number, to: number, of: (response: number) => number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let share = from; share <= to; share += 0.003) largest = Math.max(largest, of(responseAt(share)));
  return largest;
}

const decibels = (response: number): number => 20 * Math.log10(Math.abs(response));

describe('the low-pass kernel', () => {
  it('has a sum of 1, is symmetric and ends in zeros', () => {
    expect(responseAt(0)).toBeCloseTo(1, 6);
    expect(lowPassKernel(-3.7)).toBe(lowPassKernel(3.7));
    expect(Math.abs(lowPassKernel(KERNEL_HALF_LENGTH_SAMPLES - 1e-9))).toBeLessThan(1e-9);
    expect(lowPassKernel(KERNEL_HALF_LENGTH_SAMPLES)).toBe(0);
  });

  it('is the sum of its cosines', () => {
    // A second path to the same numbers: the series is its own response at the frequencies k / half length.
    const share = 20 / KERNEL_HALF_LENGTH_SAMPLES;
    expect(responseAt(share)).toBeCloseTo(3.5767274182e-2 * KERNEL_HALF_LENGTH_SAMPLES, 6);
  });

  it('is flat within 0.05 dB up to the edge of the passband', () => {
    expect(worst(0, PASSBAND_EDGE, (response) => Math.abs(decibels(response)))).toBeLessThan(0.0501);
  });

  it('is 100 dB down from Nyquist on, and further down further out', () => {
    expect(worst(1, 2, decibels)).toBeLessThan(-100);
    expect(worst(2, 4, decibels)).toBeLessThan(-111);
    expect(worst(4, 12, decibels)).toBeLessThan(-130);
  });
});
