/** Draws how a caller sounds and how good its line is. Pure. */
import type { NoiseKind } from './impairment.ts';
import type { Draw } from './seeded-random.ts';

export interface VoicePlan {
  /** A voice of Kokoro. */
  readonly name: string;
  /** 1 is the voice's own pace. */
  readonly speed: number;
  /** Plays faster and higher by this: another vocal tract. */
  readonly pitchFactor: number;
}

export interface LinePlan {
  /** Null: no noise. */
  readonly snrDb: number | null;
  readonly noise: NoiseKind;
  readonly gainDb: number;
  /** Share of the caller's packets that are not sent. */
  readonly lossPercent: number;
}

/** A quiet line in a quiet room. */
export const CLEAN_LINE: LinePlan = { snrDb: null, noise: 'white', gainDb: 0, lossPercent: 0 };

const VOICES = ['af_heart', 'af_bella', 'af_sky', 'am_michael', 'am_adam', 'am_echo', 'bf_emma', 'bm_george'];
/** About as often as in training/speech/noise.py. */
const NOISE_SHARES: readonly (readonly [NoiseKind, number])[] = [
  ['white', 0.45],
  ['brown', 0.35],
  ['resonant', 0.1],
  ['wavering', 0.1],
];
/** Pitch in steps whose resampling ratio has a short filter. */
const PITCH_STEP = 0.02;

export function drawVoice(draw: Draw): VoicePlan {
  return {
    name: draw.pick(VOICES),
    speed: rounded(draw.between(0.88, 1.15)),
    pitchFactor: rounded(1 + PITCH_STEP * draw.integer(-4, 5)),
  };
}

/** Two lines in five are clean; the others hiss or hum 15 to 35 dB under the speech. One in four loses packets. */
export function drawLine(draw: Draw): LinePlan {
  return {
    snrDb: draw.isTrue(0.4) ? null : rounded(draw.between(15, 35)),
    noise: draw.weighted(NOISE_SHARES),
    gainDb: rounded(draw.between(-14, 0)),
    lossPercent: draw.isTrue(0.25) ? rounded(draw.between(0.5, 3)) : 0,
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100 + 0; // plus 0: no "-0"
}
