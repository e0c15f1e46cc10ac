/**
 * The conditions under which recorded speech reaches the recogniser: as it was recorded, under noise, with packets
 * lost. Each is a real pass through G.711, as the runtime receives it. Seeded; pure.
 */
import { decodeUlaw, encodeUlaw } from '../../src/audio/g711.ts';
import { addNoise, loseFrames, NOISE_KINDS, withGain } from '../../src/caller/impairment.ts';
import { seededRandom } from '../../src/caller/seeded-random.ts';

export const LINE_RATE_HZ = 8000;
/** What the runtime gives the recogniser around the speech (turn-config: preRollMs, postRollMs). */
export const PRE_ROLL_MS = 250;
export const POST_ROLL_MS = 200;

export const CONDITIONS = ['clean', 'snr15', 'noisy', 'loss3'] as const;
export type Condition = (typeof CONDITIONS)[number];

const LOSS_PERCENT = 3;
const MOST_GAIN_DB = 4;
/** 10 ms, the step of the recogniser's analysis. */
const MOST_SHIFT_SAMPLES = 80;

/** @param speech one utterance, decoded from G.711 @param seed of this utterance under this condition */
export function heardOver(condition: Condition, speech: Int16Array, seed: number): Int16Array {
  const placed = withRests(speech);
  const random = seededRandom(seed);
  const kind = NOISE_KINDS[Math.floor(random() * NOISE_KINDS.length)]!;
  switch (condition) {
    case 'clean':
      return placed;
    case 'snr15':
      return throughUlaw(addNoise(placed, { kind, snrDb: 15, seed }));
    case 'noisy':
      return throughUlaw(addNoise(placed, { kind, snrDb: 5 + 7 * random(), seed }));
    case 'loss3':
      return loseFrames(placed, { lossPercent: LOSS_PERCENT, seed });
  }
}

/** The same words again: up to 4 dB louder or softer, and at another place within the frames of the analysis. */
export function saidAgain(speech: Int16Array, seed: number): Int16Array {
  const random = seededRandom(seed);
  const later = new Int16Array(Math.ceil(random() * MOST_SHIFT_SAMPLES));
  const gainDb = MOST_GAIN_DB * (2 * random() - 1);
  return throughUlaw(withGain(Int16Array.from([...later, ...speech]), gainDb));
}

/** Encoded and decoded again. */
export function throughUlaw(samples: Int16Array): Int16Array {
  const bytes = new Uint8Array(samples.length);
  encodeUlaw(samples, bytes, samples.length);
  const heard = new Int16Array(samples.length);
  decodeUlaw(bytes, heard, bytes.length);
  return heard;
}

/** With an idle line before and after, as the voice detector cuts it. */
export function withRests(speech: Int16Array): Int16Array {
  const before = (PRE_ROLL_MS * LINE_RATE_HZ) / 1000;
  const after = (POST_ROLL_MS * LINE_RATE_HZ) / 1000;
  const placed = new Int16Array(before + speech.length + after);
  placed.set(speech, before);
  return placed;
}
