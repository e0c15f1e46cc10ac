/**
 * The Slaney mel filter bank of Whisper (librosa, Hugging Face `mel_filter_bank`), kept sparse: a triangle
 * touches 2 to 20 of the 201 bins. Thread: any.
 * Source: Slaney, Auditory Toolbox 1998; transformers audio_utils.mel_filter_bank(norm and mel_scale 'slaney').
 */

export interface MelFilters {
  readonly melBins: number;
  /** First power bin of each filter; `melBins` entries. */
  readonly firstBin: Int32Array;
  /** Filter m owns weights[weightStart[m] .. weightStart[m + 1]); `melBins + 1` entries. */
  readonly weightStart: Int32Array;
  readonly weights: Float64Array;
}

/** Below this the Slaney scale is linear, above it logarithmic. */
const BREAK_HZ = 1000;
const BREAK_MEL = 15;
const HZ_PER_MEL = 200 / 3;
const MELS_PER_NEPER = 27 / Math.log(6.4);

/**
 * @param melBins 80 (all Whispers up to large-v2) or 128 (large-v3).
 * @param powerBins bins of the power spectrum, 0 Hz up to `topHz` included.
 */
export function slaneyMelFilters(melBins: number, powerBins: number, topHz: number): MelFilters {
  const edges = edgesHz(melBins, topHz);
  const firstBin = new Int32Array(melBins);
  const weightStart = new Int32Array(melBins + 1);
  const weights: number[] = [];
  for (let m = 0; m < melBins; m++) {
    const triangle = triangleOver(edges.subarray(m, m + 3), powerBins, topHz);
    const first = triangle.findIndex((weight) => weight > 0);
    firstBin[m] = Math.max(0, first);
    for (let bin = firstBin[m]!; bin < powerBins && triangle[bin]! > 0; bin++) weights.push(triangle[bin]!);
    weightStart[m + 1] = weights.length;
  }
  return { melBins, firstBin, weightStart, weights: Float64Array.from(weights) };
}

function triangleOver(edges: Float64Array, powerBins: number, topHz: number): Float64Array {
  const [low, centre, high] = [edges[0]!, edges[1]!, edges[2]!];
  const areaNorm = 2 / (high - low);
  return Float64Array.from({ length: powerBins }, (_, bin) => {
    const hz = (bin * topHz) / (powerBins - 1);
    const height = Math.min((hz - low) / (centre - low), (high - hz) / (high - centre));
    return Math.max(0, height) * areaNorm;
  });
}

function edgesHz(melBins: number, topHz: number): Float64Array {
  const topMel = hzToMel(topHz);
  return Float64Array.from({ length: melBins + 2 }, (_, i) => melToHz((topMel * i) / (melBins + 1)));
}

function hzToMel(hz: number): number {
  return hz < BREAK_HZ ? hz / HZ_PER_MEL : BREAK_MEL + Math.log(hz / BREAK_HZ) * MELS_PER_NEPER;
}

function melToHz(mel: number): number {
  return mel < BREAK_MEL ? mel * HZ_PER_MEL : BREAK_HZ * Math.exp((mel - BREAK_MEL) / MELS_PER_NEPER);
}
