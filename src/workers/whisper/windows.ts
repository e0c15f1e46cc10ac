/**
 * Cuts a long utterance into pieces that fit Whisper's window, at the quietest place in reach.
 * Thread: whisper worker; pure.
 */
import { WHISPER_RATE_HZ } from './log-mel.ts';

/** How finely the quietest place is looked for. */
const STEP_SAMPLES = WHISPER_RATE_HZ / 50;
/** The cut lies in the last part of the window, this share of it. */
const SEARCH_SHARE = 0.4;

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
