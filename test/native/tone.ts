/** Tones and what is left when the tone is taken out: least-squares fit of sine, cosine and offset. */

export function tone(hz: number, rateHz: number, lengthSamples: number, amplitude = 0.5): Float32Array {
  return Float32Array.from(
    { length: lengthSamples },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / rateHz),
  );
}

export function powerOf(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! ** 2;
  return sum / samples.length;
}

export function decibels(powerRatio: number): number {
  return 10 * Math.log10(powerRatio);
}

/** Amplitude of the tone in `samples` and the power of everything else. */
export function fitTone(
  samples: Float32Array,
  hz: number,
  rateHz: number,
): { amplitude: number; restPower: number } {
  // Whole periods only, so that sine and cosine are orthogonal.
  const period = rateHz / greatestCommonDivisor(rateHz, hz);
  const length = Math.floor(samples.length / period) * period;
  let sine = 0;
  let cosine = 0;
  for (let i = 0; i < length; i++) {
    const angle = (2 * Math.PI * hz * i) / rateHz;
    sine += (2 / length) * samples[i]! * Math.sin(angle);
    cosine += (2 / length) * samples[i]! * Math.cos(angle);
  }
  let restPower = 0;
  for (let i = 0; i < length; i++) {
    const angle = (2 * Math.PI * hz * i) / rateHz;
    restPower += (samples[i]! - sine * Math.sin(angle) - cosine * Math.cos(angle)) ** 2 / length;
  }
  return { amplitude: Math.hypot(sine, cosine), restPower };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
