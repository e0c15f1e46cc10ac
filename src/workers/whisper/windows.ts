/**
 * Cuts a long utterance into pieces that fit Whisper's window, at the quietest place in reach, and leaves out
 * long quiet around the words.
 * Thread: whisper worker; pure.
 */
import { WHISPER_RATE_HZ } from './features/log-mel.ts';

/** How finely the quietest place is looked for. */
const STEP_SAMPLES = WHISPER_RATE_HZ / 50;
/** The cut lies in the last part of the window, this share of it. */
const SEARCH_SHARE = 0.4;
/** A step this far under the loudest one is a pause. Telephone speech has 30 to 35 dB from vowel to hiss. */
const QUIET_BELOW_LOUDEST = 10 ** (-40 / 10);
/** Kept at either end: soft consonants, and the short silence that every Whisper has seen. */
const MARGIN_SAMPLES = WHISPER_RATE_HZ / 5;

/**
 * @param samples 16 kHz mono, -1..1.
 * @returns views on `samples`, in order, without gap, none longer than `windowSamples`; none for no samples.
 */
export function cutIntoWindows(samples: Float32Array, windowSamples: number): Float32Array[] {
  const windows: Float32Array[] = [];
  let rest = samples;
  while (rest.length > windowSamples) {
    const cut = quietestStep(rest, Math.floor(windowSamples * (1 - SEARCH_SHARE)), windowSamples);
    windows.push(rest.subarray(0, cut));
    rest = rest.subarray(cut);
  }
  if (rest.length > 0) windows.push(rest);
  return windows;
}

/** The middle of the quietest 60 ms that lie in [first, last). */
function quietestStep(samples: Float32Array, first: number, last: number): number {
  let quietest = Number.POSITIVE_INFINITY;
  let cut = last;
  for (let start = first; start + 3 * STEP_SAMPLES <= last; start += STEP_SAMPLES) {
    let energy = 0;
    for (let i = start; i < start + 3 * STEP_SAMPLES; i++) energy += samples[i]! * samples[i]!;
    if (energy >= quietest) continue;
    quietest = energy;
    cut = start + Math.floor(1.5 * STEP_SAMPLES);
  }
  return cut;
}

/**
 * Leaves out long quiet at both ends: small Whispers lose the words behind a second of it.
 * @returns a view on `samples`; all of it when it is equally loud throughout, as noise is.
 */
export function trimQuietEnds(samples: Float32Array): Float32Array {
  const energies = stepEnergies(samples);
  const quiet = energies.reduce((loudest, energy) => Math.max(loudest, energy), 0) * QUIET_BELOW_LOUDEST;
  const first = energies.findIndex((energy) => energy > quiet);
  if (first < 0) return samples;
  const last = energies.findLastIndex((energy) => energy > quiet);
  const start = Math.max(0, first * STEP_SAMPLES - MARGIN_SAMPLES);
  return samples.subarray(start, Math.min(samples.length, (last + 1) * STEP_SAMPLES + MARGIN_SAMPLES));
}

/** Sum of squares of each 20 ms. */
function stepEnergies(samples: Float32Array): Float64Array {
  const energies = new Float64Array(Math.ceil(samples.length / STEP_SAMPLES));
  for (let step = 0, i = 0; step < energies.length; step++) {
    const end = Math.min(samples.length, i + STEP_SAMPLES);
    let energy = 0;
    for (; i < end; i++) energy += samples[i]! * samples[i]!;
    energies[step] = energy;
  }
  return energies;
}
