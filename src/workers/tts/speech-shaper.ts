/**
 * Voice samples as a model makes them -> samples as the ring takes them: silence at the edges off, steady level,
 * the ring's rate, 5 ms fades, Int16 that never clips. Thread: TTS worker, once per piece, not hot. No I/O.
 */
import { createResampler, type Resampler } from '../../native/resampler.ts';

/** Loudest sample that leaves: headroom for what G.711 and a sound card do after us. */
export const CEILING_DBFS = -1;
/** Level of the speech itself, pauses not counted; ITU-T P.56 style, a few dB above the -26 dBov of networks. */
export const SPEECH_LEVEL_DBFS = -21;
export const FADE_MS = 5;

const CEILING = fromDb(CEILING_DBFS);
/** Below it samples pass unchanged, above it they bend towards the ceiling. */
const KNEE = 0.7 * CEILING;
/** How far above the ceiling the loudest sample of a piece may be before the bend: more than 3 dB is heard. */
const OVERDRIVE = fromDb(3);
const LOWEST_GAIN = fromDb(-18);
const HIGHEST_GAIN = fromDb(12);

const WINDOW_MS = 5;
/** A window this far below the loudest one, or absolutely this quiet, is silence at the edge of a piece. */
const SILENCE_BELOW_LOUDEST = fromDb(-45);
const SILENCE_ABSOLUTE = fromDb(-70);
/** A window this far below the loudest one is a pause, not speech, when the level is measured. */
const PAUSE_BELOW_LOUDEST = fromDb(-30);
/** Kept around the speech, so that soft consonants and the last vowel are whole. */
const KEEP_BEFORE_MS = 10;
const KEEP_AFTER_MS = 30;
/** Ten frames to play while the rest is shaped, which takes a hundredth of its playing time. */
const FIRST_PART_MS = 200;

/** A piece, or a part of one. */
export interface ShapedPart {
  readonly pcm: Int16Array;
  readonly isLast: boolean;
}

interface PartPlace {
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** Shapes pieces of one engine for rings of one rate; may be used for many calls, one piece at a time. */
export class SpeechShaper {
  readonly #fromHz: number;
  readonly #toHz: number;
  readonly #resampler: Resampler;
  /** Grows to the longest piece and is used again: megabytes a minute need not be collected. */
  #scratch = new Float32Array(0);

  /** @throws WildfireError AUDIO_INVALID for an impossible pair of rates. */
  constructor({ fromHz, toHz }: { fromHz: number; toHz: number }) {
    this.#fromHz = fromHz;
    this.#toHz = toHz;
    this.#resampler = createResampler({ fromHz, toHz });
  }

  /**
   * @param samples one piece at fromHz, any level; NaN and infinities count as silence. Cleaned in place.
   * @param voiceGain of the voice, from voiceGain().
   * @returns the piece at toHz, peak <= CEILING_DBFS; empty when nothing in it is audible.
   */
  shape(samples: Float32Array, voiceGain: number): Int16Array {
    const [whole] = this.#parts(samples, voiceGain, Number.POSITIVE_INFINITY);
    return whole?.pcm ?? new Int16Array(0);
  }

  /**
   * The piece as `shape` gives it, its beginning first: the caller hears that while the rest is still being shaped.
   * @returns no part when nothing is audible, one for a short piece, else two. Take all before the next call.
   */
  shapeInParts(samples: Float32Array, voiceGain: number): Iterable<ShapedPart> {
    return this.#parts(samples, voiceGain, samplesIn(FIRST_PART_MS, this.#fromHz));
  }

  *#parts(samples: Float32Array, voiceGain: number, firstSamples: number): Generator<ShapedPart> {
    replaceNonFinite(samples);
    const { fromSample, toSample } = speechBounds(samples, this.#fromHz);
    if (toSample <= fromSample) return;
    const speech = samples.subarray(fromSample, toSample);
    const gain = Math.min(voiceGain, (CEILING * OVERDRIVE) / peakOf(speech));
    const cutSample = speech.length >= 2 * firstSamples ? firstSamples : speech.length;
    this.#resampler.reset();
    const isWhole = cutSample === speech.length;
    yield this.#part(speech.subarray(0, cutSample), gain, { isFirst: true, isLast: isWhole });
    if (!isWhole) yield this.#part(speech.subarray(cutSample), gain, { isFirst: false, isLast: true });
  }

  #part(speech: Float32Array, gain: number, place: PartPlace): ShapedPart {
    const resampled = this.#resample(speech, place);
    const pcm = new Int16Array(resampled.length);
    for (let i = 0; i < pcm.length; i++) pcm[i] = Math.round(32_767 * bend(gain * (resampled[i] as number)));
    fadeEdges(pcm, samplesIn(FADE_MS, this.#toHz), place);
    return { pcm, isLast: place.isLast };
  }

  // The filter's delay is cut off at the start of a piece and its tail brought in at the end.
  #resample(speech: Float32Array, { isFirst, isLast }: PartPlace): Float32Array {
    const resampler = this.#resampler;
    const mostSamples = resampler.maxOutputSamples(speech.length) + resampler.delaySamples;
    if (this.#scratch.length < mostSamples) this.#scratch = new Float32Array(mostSamples);
    const written = resampler.process(speech, this.#scratch);
    const tail = isLast ? resampler.flush(this.#scratch.subarray(written)) : 0;
    return this.#scratch.subarray(isFirst ? resampler.delaySamples : 0, written + tail);
  }
}

/** Gain that brings speech of this voice to SPEECH_LEVEL_DBFS; 1 for silence. */
export function voiceGain(samples: Float32Array, rateHz: number): number {
  const windows = windowLevels(samples, rateHz);
  const threshold = loudest(windows) * PAUSE_BELOW_LOUDEST;
  const speech = windows.filter((level) => level > threshold);
  if (speech.length === 0) return 1;
  const meanSquare = speech.reduce((sum, level) => sum + level * level, 0) / speech.length;
  const gain = fromDb(SPEECH_LEVEL_DBFS) / Math.sqrt(meanSquare);
  return Math.min(Math.max(gain, LOWEST_GAIN), HIGHEST_GAIN);
}

/** Where the audible part lies, [fromSample, toSample); equal when all is silence. */
export function speechBounds(
  samples: Float32Array,
  rateHz: number,
): { fromSample: number; toSample: number } {
  const windows = windowLevels(samples, rateHz);
  const threshold = Math.max(loudest(windows) * SILENCE_BELOW_LOUDEST, SILENCE_ABSOLUTE);
  const first = windows.findIndex((level) => level > threshold);
  if (first < 0) return { fromSample: 0, toSample: 0 };
  const last = windows.findLastIndex((level) => level > threshold);
  const windowSamples = samplesIn(WINDOW_MS, rateHz);
  return {
    fromSample: Math.max(0, first * windowSamples - samplesIn(KEEP_BEFORE_MS, rateHz)),
    toSample: Math.min(samples.length, (last + 1) * windowSamples + samplesIn(KEEP_AFTER_MS, rateHz)),
  };
}

/** RMS of each 5 ms; the last window may be shorter. */
function windowLevels(samples: Float32Array, rateHz: number): Float64Array {
  const windowSamples = samplesIn(WINDOW_MS, rateHz);
  const levels = new Float64Array(Math.ceil(samples.length / windowSamples));
  for (let window = 0; window < levels.length; window++) {
    const end = Math.min(samples.length, (window + 1) * windowSamples);
    let sum = 0;
    for (let i = window * windowSamples; i < end; i++) sum += (samples[i] as number) ** 2;
    levels[window] = Math.sqrt(sum / (end - window * windowSamples));
  }
  return levels;
}

// A model that diverges says nothing rather than a bang.
function replaceNonFinite(samples: Float32Array): void {
  for (let i = 0; i < samples.length; i++) {
    if (!Number.isFinite(samples[i])) samples[i] = 0;
  }
}

function peakOf(samples: Float32Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak;
}

function bend(value: number): number {
  const size = Math.abs(value);
  if (size <= KNEE) return value;
  const room = CEILING - KNEE;
  return Math.sign(value) * (KNEE + room * Math.tanh((size - KNEE) / room));
}

function fadeEdges(pcm: Int16Array, fadeSamples: number, { isFirst, isLast }: PartPlace): void {
  const length = Math.min(fadeSamples, pcm.length >> 1);
  for (let i = 0; i < length; i++) {
    const gain = (i + 0.5) / length;
    const end = pcm.length - 1 - i;
    if (isFirst) pcm[i] = (pcm[i] as number) * gain;
    if (isLast) pcm[end] = (pcm[end] as number) * gain;
  }
}

function loudest(levels: Float64Array): number {
  return levels.reduce((high, level) => Math.max(high, level), 0);
}

function samplesIn(ms: number, rateHz: number): number {
  return Math.round((ms * rateHz) / 1000);
}

function fromDb(db: number): number {
  return 10 ** (db / 20);
}
