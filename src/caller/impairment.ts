/**
 * What a telephone line does to speech: noise over it, packets that never arrive. Seeded; pure. Thread: any.
 * The noise is of training's own recipes (training/speech/noise.py), with other seeds; "speech power" is that of
 * training/speech/telephone.py. Losses follow Gilbert's two-state model.
 */
import { PacketLossConcealer } from '../audio/plc.ts';
import { seededRandom } from './seeded-random.ts';

export const NOISE_KINDS = ['white', 'brown', 'resonant', 'wavering'] as const;
export type NoiseKind = (typeof NOISE_KINDS)[number];

export interface NoiseOptions {
  readonly kind: NoiseKind;
  /** Power of the speech where there is any over the power of the noise, dB. */
  readonly snrDb: number;
  readonly seed: number;
}

export interface LossOptions {
  /** Share of packets that do not arrive, 0..90. */
  readonly lossPercent: number;
  readonly seed: number;
  /** Mean length of a loss, packets; 1 or more. Default 1.3. */
  readonly burst?: number;
}

/** G.711 packet: 20 ms at 8 kHz. */
export const FRAME_SAMPLES = 160;
const DEFAULT_BURST_PACKETS = 1.3;
/** Quieter samples than this share of the peak are pauses. */
const ACTIVE_SHARE = 0.02;
/** Pole of the brown noise, poles of the resonant one (about 900 Hz), and how long a wave of the wavering one is. */
const BROWN_POLE = 0.9;
const RESONANT_FIRST = 1.6;
const RESONANT_SECOND = -0.9;
const WAVE_SAMPLES = 800;
/** RMS of each kind as its recipe makes it, from unit white noise; the source divides by it. */
const RMS_BY_KIND: Readonly<Record<NoiseKind, number>> = {
  white: 1,
  brown: Math.sqrt(1 / (1 - BROWN_POLE ** 2)),
  resonant: Math.sqrt(
    (1 - RESONANT_SECOND) / ((1 + RESONANT_SECOND) * ((1 - RESONANT_SECOND) ** 2 - RESONANT_FIRST ** 2)),
  ),
  wavering: Math.sqrt(1 / 5), // the mean of u^4 for u in 0..1
};

/** An endless stream of noise with mean power 1. */
export function noiseSource(kind: NoiseKind, seed: number): () => number {
  const random = seededRandom(seed);
  const filter = filterOf(kind, random);
  const rms = RMS_BY_KIND[kind];
  return () => filter(gaussian(random)) / rms;
}

/** Mean power of the samples that are louder than a fiftieth of the peak, as squared 16-bit units; 0 for silence. */
export function speechPower(samples: Int16Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  let sum = 0;
  let count = 0;
  for (const sample of samples) {
    if (Math.abs(sample) <= peak * ACTIVE_SHARE) continue;
    sum += sample * sample;
    count += 1;
  }
  return count === 0 ? 0 : sum / count;
}

/** RMS of the noise that lies `snrDb` under speech of this power, 16-bit units. */
export function noiseRms(power: number, snrDb: number): number {
  return Math.sqrt(power) * 10 ** (-snrDb / 20);
}

/** Speech with noise over all of it, pauses included. @param samples 8 kHz @returns new samples of the same length */
export function addNoise(samples: Int16Array, { kind, snrDb, seed }: NoiseOptions): Int16Array {
  return withNoise(samples, Float64Array.from(samples, noiseSource(kind, seed)), snrDb);
}

/** Speech with any noise over all of it, at whatever level the noise came. @param noise as many samples as the speech */
export function withNoise(samples: Int16Array, noise: Float64Array, snrDb: number): Int16Array {
  const power = noise.reduce((sum, value) => sum + value * value, 0) / Math.max(1, noise.length);
  const gain = power === 0 ? 0 : noiseRms(speechPower(samples), snrDb) / Math.sqrt(power);
  return samples.map((sample, i) => clip(sample + gain * (noise[i] ?? 0)));
}

/** Whether each packet in turn is lost. */
export function lossPattern({
  lossPercent,
  seed,
  burst = DEFAULT_BURST_PACKETS,
}: LossOptions): () => boolean {
  const random = seededRandom(seed);
  const share = Math.min(0.9, Math.max(0, lossPercent / 100));
  const stays = 1 - 1 / Math.max(1, burst);
  const begins = Math.min(1, share / (1 - share) / Math.max(1, burst));
  let isLost = false;
  return () => {
    isLost = random() < (isLost ? stays : begins);
    return isLost;
  };
}

/** Speech as it comes out of the concealment when packets are lost. @param samples 8 kHz @returns new samples */
export function loseFrames(samples: Int16Array, options: LossOptions): Int16Array {
  const isLost = lossPattern(options);
  const concealer = new PacketLossConcealer();
  const heard = samples.slice();
  for (let at = 0; at + FRAME_SAMPLES <= heard.length; at += FRAME_SAMPLES) {
    const frame = heard.subarray(at, at + FRAME_SAMPLES);
    if (isLost()) concealer.conceal(frame);
    else concealer.good(frame);
  }
  return heard;
}

/** Louder or softer by `gainDb`, clipped. */
export function withGain(samples: Int16Array, gainDb: number): Int16Array {
  const gain = 10 ** (gainDb / 20);
  return samples.map((sample) => clip(sample * gain));
}

/** To the nearest 16-bit sample. */
export function clip(sample: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(sample)));
}

function filterOf(kind: NoiseKind, random: () => number): (white: number) => number {
  if (kind === 'brown') return brown();
  if (kind === 'resonant') return resonant();
  if (kind === 'wavering') return wavering(random);
  return (white) => white;
}

function brown(): (white: number) => number {
  let last = 0;
  return (white) => {
    last = white + BROWN_POLE * last;
    return last;
  };
}

function resonant(): (white: number) => number {
  let last = 0;
  let before = 0;
  return (white) => {
    const now = white + RESONANT_FIRST * last + RESONANT_SECOND * before;
    [before, last] = [last, now];
    return now;
  };
}

function wavering(random: () => number): (white: number) => number {
  let left = 0;
  let level = 0;
  return (white) => {
    if (left === 0) {
      left = WAVE_SAMPLES;
      level = random() ** 2;
    }
    left -= 1;
    return white * level;
  };
}

/** Box and Muller. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
