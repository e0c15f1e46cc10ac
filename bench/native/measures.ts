/**
 * What a resampler does to a signal, in dB and ms. Tones have half of full scale; all that is not the tone counts as
 * noise. Source of the fits: test/native/tone.ts.
 */
import { joinedFloats } from '../../src/audio/pcm.ts';
import { createResampler } from '../../src/native/resampler.ts';
import { decibels, fitTone, powerOf, tone } from '../../test/native/tone.ts';
import { type Converted, type Peer, type Rates, soxrOf } from './peers.ts';

const BLOCKS_PER_SECOND = 50;
const TONE_POWER = 0.5 ** 2 / 2;
/** The telephone band, as far as G.712 wants it flat. */
const BAND_EDGE_HZ = 3400;

export type Convert = (signal: Float32Array, rates: Rates) => Promise<Converted | null>;

/** Ours, in floats; peers get what they take. */
export const convertNative: Convert = async (signal, rates) => {
  const resampler = createResampler(rates);
  const block = rates.fromHz / BLOCKS_PER_SECOND;
  const samples = new Float32Array(resampler.maxOutputSamples(signal.length) + signal.length / block);
  const delivered: number[] = [];
  let length = 0;
  for (let from = 0; from < signal.length; from += block) {
    delivered.push(resampler.process(signal.subarray(from, from + block), samples.subarray(length)));
    length += delivered.at(-1)!;
  }
  return { samples: samples.subarray(0, length), delivered };
};

export const convertSoxr: Convert = async (signal, rates) => soxrOf(signal, rates);

export function convertWith(peer: Peer): Convert {
  return async (signal, rates) => {
    const stream = await peer.open(rates);
    const block = rates.fromHz / BLOCKS_PER_SECOND;
    const parts: Float32Array[] = [];
    for (let from = 0; from < signal.length; from += block) {
      const floats = signal.subarray(from, from + block);
      const output = stream.process(peer.samples === 'float' ? floats : toInts(floats));
      parts.push(
        output instanceof Int16Array
          ? Float32Array.from(output, (sample) => sample / 32_768)
          : output.slice(),
      );
    }
    stream.close();
    return { samples: joinedFloats(parts), delivered: parts.map((part) => part.length) };
  };
}

export interface Quality {
  /** Total harmonic distortion and noise of a sine of 1 kHz, dB. */
  readonly thdnDb: number;
  /** Largest change of level up to the band edge, dB. */
  readonly rippleDb: number;
  /** The loudest thing that is left of, or mirrored from, tones beyond Nyquist (down) or in the band (up), dB. */
  readonly aliasDb: number;
  /** The same of tones that would land in the telephone band only: what peers with a gentler filter promise. */
  readonly bandAliasDb: number;
  /** From a click's arrival until its peak has come out, at the latest, ms: the filter, and what is held back. */
  readonly delayMs: number;
}

/** @returns null when the peer is not there. */
export async function qualityOf(convert: Convert, rates: Rates): Promise<Quality | null> {
  const lowerNyquistHz = Math.min(rates.fromHz, rates.toHz) / 2;
  const edgeHz = Math.min(BAND_EDGE_HZ, 0.85 * lowerNyquistHz);
  const sine = await middleOf(convert, rates, 1000);
  if (sine === null) return null;
  const { amplitude, restPower } = fitTone(sine, 1000, rates.toHz);
  let rippleDb = 0;
  for (const hz of steps(100, edgeHz, 150)) {
    const fitted = fitTone((await middleOf(convert, rates, hz))!, hz, rates.toHz);
    rippleDb = Math.max(rippleDb, Math.abs(20 * Math.log10(fitted.amplitude / 0.5)));
  }
  const bandAliasDb = await worstAlias(convert, rates, 2 * lowerNyquistHz - edgeHz);
  return {
    thdnDb: decibels(restPower / (amplitude ** 2 / 2)),
    rippleDb,
    aliasDb: Math.max(bandAliasDb, await worstAlias(convert, rates, lowerNyquistHz + 10)),
    bandAliasDb,
    delayMs: await delayOf(convert, rates),
  };
}

/** What tones from `fromAliasHz` on leave, dB under the tone; -Infinity where there are none. */
async function worstAlias(convert: Convert, rates: Rates, fromAliasHz: number): Promise<number> {
  const lowerNyquistHz = Math.min(rates.fromHz, rates.toHz) / 2;
  let worst = Number.NEGATIVE_INFINITY;
  if (rates.toHz < rates.fromHz) {
    const highestHz = rates.fromHz / 2 - 50;
    if (fromAliasHz > highestHz) return worst; // no tone of this rate is that high
    for (const hz of steps(fromAliasHz, highestHz, rates.fromHz / 96)) {
      worst = Math.max(worst, decibels(powerOf((await middleOf(convert, rates, hz))!) / TONE_POWER));
    }
    return worst;
  }
  // Going up, the mirror image of a tone at f lies at 2 Nyquist - f: everything but the tone is such an image.
  for (const hz of steps(100, 2 * lowerNyquistHz - Math.max(fromAliasHz, 1.15 * lowerNyquistHz), 150)) {
    const { restPower } = fitTone((await middleOf(convert, rates, hz))!, hz, rates.toHz);
    worst = Math.max(worst, decibels(restPower / TONE_POWER));
  }
  return worst;
}

/** 0.6 s of a tone, without the edges where it begins and ends. */
async function middleOf(convert: Convert, rates: Rates, hz: number): Promise<Float32Array | null> {
  const converted = await convert(tone(hz, rates.fromHz, 0.6 * rates.fromHz), rates);
  return converted?.samples.subarray(Math.round(0.15 * rates.toHz), Math.round(0.45 * rates.toHz)) ?? null;
}

async function delayOf(convert: Convert, rates: Rates): Promise<number> {
  const block = rates.fromHz / BLOCKS_PER_SECOND;
  const signal = new Float32Array(40 * block);
  const clickAt = 10 * block;
  signal[clickAt] = 0.9;
  const { samples, delivered } = (await convert(signal, rates))!;
  let peak = 0;
  for (let i = 0; i < samples.length; i++) if (Math.abs(samples[i]!) > Math.abs(samples[peak]!)) peak = i;
  const ratio = rates.toHz / rates.fromHz;
  let [held, total] = [0, 0];
  for (const [index, samplesOut] of delivered.entries()) {
    total += samplesOut;
    // The first blocks of some peers are empty: what matters is how far behind the stream then stays.
    if (index > 20) held = Math.max(held, (index + 1) * block * ratio - total);
  }
  return ((peak - clickAt * ratio + Math.max(0, held)) * 1000) / rates.toHz;
}

function toInts(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (sample) => Math.round(sample * 32_768));
}

function steps(from: number, to: number, step: number): number[] {
  const count = Math.max(1, Math.floor((to - from) / step) + 1);
  // Multiples of 10 Hz have whole periods in the window that is measured.
  return [...Array.from({ length: count }, (_, i) => from + i * step), to].map(
    (hz) => Math.round(hz / 10) * 10,
  );
}
