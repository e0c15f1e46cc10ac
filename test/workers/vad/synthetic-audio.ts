/** Test support: signals with a known level and a seed. */

/** A small seeded generator (mulberry32), 0..1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Sets the RMS of a signal. @returns int16 PCM, clipped */
export function toPcm(signal: Float64Array, levelDbfs: number): Int16Array {
  const rms = Math.sqrt(signal.reduce((sum, x) => sum + x * x, 0) / signal.length);
  const gain = (10 ** (levelDbfs / 20) / (rms || 1)) * 32_768;
  return Int16Array.from(signal, (x) => Math.max(-32_768, Math.min(32_767, Math.round(x * gain))));
}

export function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
}

export function whiteNoise(samples: number, levelDbfs: number, seed: number): Int16Array {
  const random = seededRandom(seed);
  return toPcm(
    Float64Array.from({ length: samples }, () => gaussian(random)),
    levelDbfs,
  );
}

/** A sum of sines. */
export function tones(
  samples: number,
  levelDbfs: number,
  frequenciesHz: readonly number[],
  rateHz = 8000,
): Int16Array {
  const signal = new Float64Array(samples);
  for (const f of frequenciesHz) {
    for (let n = 0; n < samples; n += 1) signal[n]! += Math.sin((2 * Math.PI * f * n) / rateHz);
  }
  return toPcm(signal, levelDbfs);
}

/** Something like a vowel that moves: a gliding pitch, harmonics under two moving formants, a soft attack. */
export function voicedBurst(samples: number, levelDbfs: number, seed: number, rateHz = 8000): Int16Array {
  const random = seededRandom(seed);
  const pitchHz = 95 + 110 * random();
  const glide = 0.8 + 0.4 * random();
  const signal = new Float64Array(samples);
  let phase = 0;
  for (let n = 0; n < samples; n += 1) {
    const part = n / samples;
    const f0 = pitchHz * (1 + (glide - 1) * part) * (1 + 0.01 * Math.sin((2 * Math.PI * 5 * n) / rateHz));
    phase += (2 * Math.PI * f0) / rateHz;
    const envelope = Math.min(1, n / (0.02 * rateHz), (samples - n) / (0.03 * rateHz));
    signal[n] = envelope * harmonics(phase, f0, part);
  }
  return toPcm(signal, levelDbfs);
}

function harmonics(phase: number, f0: number, part: number): number {
  const formants = [450 + 350 * part, 1900 - 700 * part];
  let sum = 0;
  for (let k = 1; k * f0 < 3300; k += 1) {
    const f = k * f0;
    const gain = formants.reduce((g, centre) => g + 1 / (1 + ((f - centre) / 120) ** 2), 0.02);
    sum += (f < 250 ? 0.3 : 1) * gain * Math.sin(k * phase);
  }
  return sum;
}
