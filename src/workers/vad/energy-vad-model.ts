/**
 * The built-in VAD: louder than the line's own noise, and voiced. It needs no file.
 * Thread: vad. Hot: `run` costs about 3 us for a silent and 15 us for a loud frame of a call; no allocation.
 *
 * Loudness alone would take a rise of noise, a tone or a knock for speech; so a start needs voiced frames. What is
 * loud but unvoiced ("s", "t") belongs to speech when voiced frames are near, which the detector sees to.
 */
import { Biquad } from './biquad.ts';
import { NoiseFloor } from './noise-floor.ts';
import { StreamNumbers, type VadBatch, type VadModel } from './vad-model.ts';
import { VoicingAnalyser } from './voicing.ts';

export interface EnergyVadOptions {
  /** 8000 or 16000: a multiple of 4000. */
  readonly rateHz: number;
  readonly maxStreams: number;
}

const FRAME_MS = 20;
/** Takes out mains hum and handling noise; telephone speech has nothing there. */
const HIGH_PASS_HZ = 160;
/** Above the floor by this much counts as activity. */
const ACTIVE_SNR_DB = 4;
/** Nothing below this is speech to a telephone. */
const QUIETEST_SPEECH_DBFS = -55;
/** r(lag) of a voice, even in noise at 5 dB. */
const MIN_PERIODICITY = 0.55;
/** Lags of neighbouring voiced frames differ by less than this part. */
const MAX_LAG_CHANGE = 0.2;
/** A periodic frame that resembles the one before more than this, is a tone or a hum. */
const MIN_CHANGE = 0.05;

/** Of one call. */
class EnergyStream {
  readonly #highPass: Biquad;
  readonly #floor = new NoiseFloor();
  readonly #voicing: VoicingAnalyser;
  readonly #samples: Float32Array;
  #lastLag = 0;
  levelDbfs = 0;
  noiseDbfs = 0;
  isActive = false;
  speech = 0;

  constructor(rateHz: number, frameSamples: number) {
    this.#highPass = Biquad.highPass(HIGH_PASS_HZ, rateHz, Math.SQRT1_2);
    this.#voicing = new VoicingAnalyser(rateHz);
    this.#samples = new Float32Array(frameSamples);
  }

  reset(): void {
    this.#highPass.reset();
    this.#floor.reset();
    this.#voicing.reset();
    this.#lastLag = 0;
  }

  judge(frame: Int16Array): void {
    this.levelDbfs = this.#take(frame);
    this.noiseDbfs = this.#floor.update(this.levelDbfs);
    this.#voicing.push(this.#samples);
    this.isActive = this.levelDbfs > Math.max(this.noiseDbfs + ACTIVE_SNR_DB, QUIETEST_SPEECH_DBFS);
    this.speech = this.isActive ? this.#speechOf() : 0;
    if (!this.isActive) this.#voicing.skip();
  }

  /** Filters the frame. @returns its level */
  #take(frame: Int16Array): number {
    let power = 0;
    for (let n = 0; n < frame.length; n += 1) {
      const sample = this.#highPass.next(frame[n]! / 32768);
      this.#samples[n] = sample;
      power += sample * sample;
    }
    return 10 * Math.log10(power / frame.length + 1e-12);
  }

  #speechOf(): number {
    const { periodicity, lag, change } = this.#voicing.analyse();
    const isSamePitch = Math.abs(lag - this.#lastLag) <= MAX_LAG_CHANGE * lag;
    this.#lastLag = lag;
    if (periodicity < MIN_PERIODICITY) return 0;
    return isSamePitch && change >= MIN_CHANGE ? 1 : 0.5;
  }
}

export class EnergyVadModel implements VadModel {
  readonly frameSamples: number;
  readonly startThreshold = 0.9;
  readonly stopThreshold = 0.4;
  readonly #streams: EnergyStream[];
  readonly #numbers: StreamNumbers;

  constructor(options: EnergyVadOptions) {
    this.frameSamples = (options.rateHz * FRAME_MS) / 1000;
    this.#numbers = new StreamNumbers(options.maxStreams);
    this.#streams = Array.from(
      { length: options.maxStreams },
      () => new EnergyStream(options.rateHz, this.frameSamples),
    );
  }

  openStream(): number {
    const stream = this.#numbers.take();
    this.#streams[stream]?.reset();
    return stream;
  }

  closeStream(stream: number): void {
    this.#numbers.giveBack(stream);
  }

  run(batch: VadBatch): void {
    for (let row = 0; row < batch.count; row += 1) {
      const stream = this.#streams[batch.streams[row]!]!;
      stream.judge(batch.frames[row]!);
      batch.speech[row] = stream.speech;
      batch.isActive[row] = stream.isActive ? 1 : 0;
      batch.levelDbfs[row] = stream.levelDbfs;
      batch.noiseDbfs[row] = stream.noiseDbfs;
    }
  }

  close(): void {}
}
