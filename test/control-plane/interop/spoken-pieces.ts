/**
 * Pieces of recorded speech that can be told apart: a caller says one of them, and whoever hears it finds out which by
 * the shape of its loudness, whatever silence stands around it and however loud it is. Pure but for reading files.
 */
import { utterance } from '../../runtime/test-caller.ts';

const LINE_RATE_HZ = 8000;
const PIECE_MS = 900;
const STEP_MS = 10;
/** Where a stretch without a pause begins in the recordings, ms; no two are alike by more than 0.6. */
const STARTS: Readonly<Record<string, readonly number[]>> = {
  'book-table': [300, 2300],
  'phone-number': [1200],
  'opening-hours': [300],
};

/** 8 kHz. */
export const PIECES: readonly Int16Array[] = Object.entries(STARTS).flatMap(([name, starts]) => {
  const line = utterance(name);
  return starts.map((startMs) =>
    line.slice(startMs * (LINE_RATE_HZ / 1000), (startMs + PIECE_MS) * (LINE_RATE_HZ / 1000)),
  );
});

const ENVELOPES = PIECES.map((piece) => envelope(Float32Array.from(piece), LINE_RATE_HZ));

export interface Recognised {
  readonly piece: number;
  /** 1 is the same shape. */
  readonly similarity: number;
}

/** Which piece is in there. */
export function recognise(samples: Float32Array, rateHz: number): Recognised {
  const heard = envelope(samples, rateHz);
  return ENVELOPES.map((template, piece) => ({ piece, similarity: bestFit(heard, template) })).reduce(
    (best, one) => (one.similarity > best.similarity ? one : best),
  );
}

/** Loudness of each 10 ms. */
function envelope(samples: Float32Array, rateHz: number): Float64Array {
  const step = (rateHz * STEP_MS) / 1000;
  return Float64Array.from({ length: Math.floor(samples.length / step) }, (_, index) => {
    const part = samples.subarray(index * step, (index + 1) * step);
    return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / step);
  });
}

/** The best correlation over all shifts at which at least half of the template lies within. */
function bestFit(heard: Float64Array, template: Float64Array): number {
  let best = 0;
  for (let shift = -template.length / 2; shift <= heard.length - template.length / 2; shift++) {
    best = Math.max(best, correlation(heard, template, Math.round(shift)));
  }
  return best;
}

/** Pearson's, where what lies outside of `heard` is silence. */
function correlation(heard: Float64Array, template: Float64Array, shift: number): number {
  const window = template.map((_, index) => heard[index + shift] ?? 0);
  const [meanHeard, meanTemplate] = [mean(window), mean(template)];
  let [both, ofHeard, ofTemplate] = [0, 0, 0];
  for (let index = 0; index < template.length; index++) {
    const [a, b] = [(window[index] ?? 0) - meanHeard, (template[index] ?? 0) - meanTemplate];
    both += a * b;
    ofHeard += a * a;
    ofTemplate += b * b;
  }
  return ofHeard === 0 ? 0 : both / Math.sqrt(ofHeard * ofTemplate);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
