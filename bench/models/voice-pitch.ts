/** The pitch of a voice by autocorrelation. Pure. */

const LOWEST_HZ = 60;
const HIGHEST_HZ = 400;
const FRAME_MS = 40;
const STEP_MS = 20;
/** Frames whose correlation one period apart is lower carry no voice. */
const LEAST_CORRELATION = 0.6;
/** Of several periods that look as good the shortest is meant, if it comes this close to the best. */
const NEARLY_BEST = 0.92;

/** Median pitch of the voiced frames, Hz. @returns NaN when none is voiced */
export function medianPitchHz(samples: Int16Array, rateHz: number): number {
  const frameSamples = (FRAME_MS * rateHz) / 1000;
  const pitches: number[] = [];
  for (let at = 0; at + 2 * frameSamples <= samples.length; at += (STEP_MS * rateHz) / 1000) {
    const pitch = framePitchHz(samples.subarray(at, at + 2 * frameSamples), rateHz);
    if (pitch !== null) pitches.push(pitch);
  }
  const sorted = pitches.sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** How far apart two pitches are. */
export function semitonesBetween(lowHz: number, highHz: number): number {
  return 12 * Math.log2(highHz / lowHz);
}

/** @param frame at least two periods of the lowest pitch; null when it is not voiced */
function framePitchHz(frame: Int16Array, rateHz: number): number | null {
  const compared = frame.length >> 1;
  const lags: { readonly lag: number; readonly score: number }[] = [];
  for (let lag = Math.floor(rateHz / HIGHEST_HZ); lag <= Math.min(compared, rateHz / LOWEST_HZ); lag++) {
    lags.push({ lag, score: correlation(frame, lag, compared) });
  }
  const best = Math.max(...lags.map(({ score }) => score));
  if (best < LEAST_CORRELATION) return null;
  const isPeak = (i: number): boolean =>
    lags[i]!.score >= (lags[i - 1]?.score ?? 0) && lags[i]!.score >= (lags[i + 1]?.score ?? 0);
  const first = lags.find(({ score }, i) => score >= best * NEARLY_BEST && isPeak(i));
  return first === undefined ? null : rateHz / first.lag;
}

function correlation(frame: Int16Array, lag: number, compared: number): number {
  let product = 0;
  let here = 1;
  let there = 1;
  for (let i = 0; i < compared; i++) {
    product += frame[i]! * frame[i + lag]!;
    here += frame[i]! ** 2;
    there += frame[i + lag]! ** 2;
  }
  return product / Math.sqrt(here * there);
}
