/**
 * Voice samples as a model makes them -> samples as the ring takes them: silence at the edges off, steady level,
 * the ring's rate, 5 ms fades, Int16 that never clips. Thread: TTS worker, once per piece, not hot. No I/O.
 */
import { joinedFloats } from '../../audio/pcm.ts';
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

/** A piece whose chunks begin with less speech waits for the next one. */
const LEAST_FIRST_MS = 20;

/** Speech that may be heard, and whether the piece ends with it. */
export interface ShapedPart {
  readonly pcm: Int16Array;
  readonly isLast: boolean;
}

interface PartPlace {
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/**
 * Shapes pieces of one engine for rings of one rate; may be used for many calls, one piece at a time: `begin`, then
 * `add` each chunk of it as the engine makes it.
 */
export class SpeechShaper {
  readonly #fromHz: number;
  readonly #toHz: number;
  readonly #resampler: Resampler;
  /** Grows to the longest piece and is used again: megabytes a minute need not be collected. */
  #scratch = new Float32Array(0);
  #gain = 1;
  /** RMS of the loudest 5 ms of the piece so far. */
  #loudest = 0;
  /** Samples that are silence, and will be left out if nothing follows them or nothing precedes them. */
  #held = NONE;
  #hasBegun = false;

  /** @throws WildfireError AUDIO_INVALID for an impossible pair of rates. */
  constructor({ fromHz, toHz }: { fromHz: number; toHz: number }) {
    this.#fromHz = fromHz;
    this.#toHz = toHz;
    this.#resampler = createResampler({ fromHz, toHz });
  }

  /** A new piece; what is left of the last one goes. @param voiceGain of the voice, from voiceGain(). */
  begin(voiceGain: number): void {
    this.#resampler.reset();
    this.#gain = voiceGain;
    this.#loudest = 0;
    this.#held = NONE;
    this.#hasBegun = false;
  }

  /**
   * What of a piece can be heard after its next chunk, at toHz, peak <= CEILING_DBFS. Joined, the parts of chunks of
   * 20 ms or more, all of them whole 5 ms, are what one chunk of all gives, unless the loudest sample comes late.
   * @param chunk at fromHz, any level; NaN and infinities count as silence. Cleaned in place.
   * @param isLast the piece ends with it.
   * @returns no part where nothing is audible yet; of a long first chunk two, the beginning before the rest is shaped;
   *   else one. A piece with any part has one that isLast. Take all before the next call.
   */
  *add(chunk: Float32Array, isLast: boolean): Generator<ShapedPart> {
    replaceNonFinite(chunk);
    const samples = this.#held.length === 0 ? chunk : joinedFloats([this.#held, chunk]);
    const { fromSample, endSample, toSample } = this.#bounds(samples);
    if (!this.#hasBegun && this.#isTooLittle(endSample - fromSample, isLast)) {
      const from = endSample === 0 ? samples.length - samplesIn(KEEP_BEFORE_MS, this.#fromHz) : fromSample;
      this.#held = samples.slice(Math.max(0, from));
      return;
    }
    const speech = samples.subarray(this.#hasBegun ? 0 : fromSample, isLast ? toSample : endSample);
    this.#held = isLast ? NONE : samples.slice(endSample);
    if (speech.length > 0 || isLast) yield* this.#parts(speech, isLast);
  }

  // To begin with: a fade needs room.
  #isTooLittle(speechSamples: number, isLast: boolean): boolean {
    return isLast ? speechSamples === 0 : speechSamples < samplesIn(LEAST_FIRST_MS, this.#fromHz);
  }

  // Where a piece is heard, in what is left of it: [fromSample, endSample), and up to toSample if nothing follows.
  #bounds(samples: Float32Array): { fromSample: number; endSample: number; toSample: number } {
    const windows = windowLevels(samples, this.#fromHz);
    this.#loudest = Math.max(this.#loudest, loudest(windows));
    return speechBounds(windows, samples.length, this.#fromHz, this.#loudest);
  }

  *#parts(speech: Float32Array, isLast: boolean): Generator<ShapedPart> {
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    const firstSamples = samplesIn(FIRST_PART_MS, this.#fromHz);
    const cutSample = isFirst && speech.length >= 2 * firstSamples ? firstSamples : speech.length;
    const isWhole = cutSample === speech.length;
    const gainBefore = this.#gain;
    this.#gain = Math.min(this.#gain, (CEILING * OVERDRIVE) / peakOf(speech));
    const fromGain = isFirst ? this.#gain : gainBefore;
    yield this.#part(speech.subarray(0, cutSample), fromGain, { isFirst, isLast: isLast && isWhole });
    if (!isWhole) yield this.#part(speech.subarray(cutSample), this.#gain, { isFirst: false, isLast });
  }

  // The gain glides from what it was: a step would be a click.
  #part(speech: Float32Array, fromGain: number, place: PartPlace): ShapedPart {
    const resampled = this.#resample(speech, place);
    const pcm = new Int16Array(resampled.length);
    const glideSamples = samplesIn(FADE_MS, this.#toHz);
    for (let i = 0; i < pcm.length; i++) {
      const gain = this.#gain + (fromGain - this.#gain) * Math.max(0, 1 - i / glideSamples);
      pcm[i] = Math.round(32_767 * bend(gain * (resampled[i] as number)));
    }
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

const NONE = new Float32Array(0);

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

/**
 * Where the audible part lies, all 0 when all is silence: [fromSample, toSample) with what is kept around it, up to
 * endSample without what is kept behind it.
 */
function speechBounds(windows: Float64Array, lengthSamples: number, rateHz: number, loudestLevel: number) {
  const threshold = Math.max(loudestLevel * SILENCE_BELOW_LOUDEST, SILENCE_ABSOLUTE);
  const isSpeech = (level: number) => level > threshold;
  const first = windows.findIndex(isSpeech);
  const windowSamples = samplesIn(WINDOW_MS, rateHz);
  const endSample = Math.min(lengthSamples, (windows.findLastIndex(isSpeech) + 1) * windowSamples);
  return {
    fromSample: Math.max(0, first * windowSamples - samplesIn(KEEP_BEFORE_MS, rateHz)),
    endSample,
    toSample: Math.min(lengthSamples, endSample + samplesIn(KEEP_AFTER_MS, rateHz)),
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
