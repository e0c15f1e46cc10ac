/**
 * The built-in VAD: louder than the line's own noise, and voiced. It needs no file.
 * Thread: vad. Hot: `run` costs about 2 us for a silent and 8 us for a loud frame of a call; no allocation.
 *
 * Loudness alone would take a rise of noise, a tone or a knock for speech; so a start needs voiced frames. What is
 * loud but unvoiced ("s", "t") belongs to speech when voiced frames are near, which the detector sees to.
 */
import { Biquad } from './biquad.ts';
import { NoiseFloor } from './noise-floor.ts';
import { StreamNumbers, type VadBatch, type VadModel } from './vad-model.ts';
import { type Voicing, VoicingAnalyser } from './voicing.ts';

export interface EnergyVadOptions {
  /** 8000 or 16000: a multiple of 4000. */
  readonly rateHz: number;
  readonly maxStreams: number;
}

const FRAME_MS = 20;
/** Takes out mains hum and handling noise; telephone speech has nothing there. */
const HIGH_PASS_HZ = 160;
/** Above its floor by this much in any band counts as activity: a voice stands out below, an "s" above. */
const ACTIVE_SNR_DB = 4;
const ACTIVE_LOW_SNR_DB = 5;
const ACTIVE_HIGH_SNR_DB = 6;
const HIGH_BAND_HZ = 1800;
/** Nothing below this is speech to a telephone. */
const QUIETEST_SPEECH_DBFS = -60;
/** r(lag) of a voice, even in noise at 5 dB; noise alone stays below 0.5. */
const MIN_PERIODICITY = 0.57;
/** A voice has its power below 900 Hz, where it is looked for; what is left there of a whistle is not one. */
const MAX_LOW_BELOW_DB = 24;
/** Half voiced: a pitch that glides fast, or a creaking voice; counts half, and only when loud. */
const HALF_PERIODICITY = 0.42;
const HALF_SHORT_PERIODICITY = 0.66;
const HALF_VOICED_SNR_DB = 12;
/** Voiced frames for a start. */
const MIN_VOICED_FRAMES = 3;
/** Voiced frames further back than this no longer count. */
const VOICED_MEMORY_FRAMES = 8;
/** Who spoke this lately goes on with fewer of them, and has shown that he moves. */
const SPEAKER_MEMORY_FRAMES = 25;
const MIN_VOICED_FRAMES_AGAIN = 2;
/**
 * A voice moves: the median change of r(lag) from frame to frame is 0.15 to 0.24, and 5 % of frames stay below 0.06.
 * Steady tones stay below 0.05, beating ones (440 + 480 Hz) and chords below 0.115. One frame above is enough.
 */
const MIN_MOVEMENT = 0.135;
/** The same between frames whose windows do not overlap. */
const MIN_LONG_MOVEMENT = 0.21;
/** The window of r(lag) must lie within the sound; while it fills, everything moves. */
const SETTLED_FRAMES = 4;
/** What moves because it ends does not count: a fall of more than this must be followed by more voice. */
const MAX_FALL_DB = 1.5;
const MAX_VOICED_FALL_DB = 6;

/** Of one call. */
class EnergyStream {
  readonly #highPass: Biquad;
  readonly #highBand: Biquad;
  readonly #floor = new NoiseFloor();
  readonly #lowFloor = new NoiseFloor();
  readonly #highFloor = new NoiseFloor();
  readonly #voicing: VoicingAnalyser;
  readonly #samples: Float32Array;
  #voicedFrames = 0;
  #neededFrames = MIN_VOICED_FRAMES;
  #sinceVoiced = 0;
  #hasMoved = false;
  #isMoving = false;
  #highDbfs = 0;
  levelDbfs = 0;
  noiseDbfs = 0;
  isActive = false;
  speech = 0;

  constructor(rateHz: number, frameSamples: number) {
    this.#highPass = Biquad.highPass(HIGH_PASS_HZ, rateHz, Math.SQRT1_2);
    this.#highBand = Biquad.highPass(HIGH_BAND_HZ, rateHz, Math.SQRT1_2);
    this.#voicing = new VoicingAnalyser(rateHz);
    this.#samples = new Float32Array(frameSamples);
  }

  reset(): void {
    this.#highPass.reset();
    this.#highBand.reset();
    this.#floor.reset();
    this.#lowFloor.reset();
    this.#highFloor.reset();
    this.#voicing.reset();
    this.#forget();
  }

  judge(frame: Int16Array): void {
    const previousDbfs = this.levelDbfs;
    this.levelDbfs = this.#take(frame);
    this.noiseDbfs = this.#floor.update(this.levelDbfs);
    this.#voicing.push(this.#samples);
    this.isActive = this.#standsOut();
    this.speech = this.isActive ? this.#evidence(this.levelDbfs - previousDbfs) : this.#silence();
  }

  #standsOut(): boolean {
    const lowSnrDb = this.#voicing.levelDbfs - this.#lowFloor.update(this.#voicing.levelDbfs);
    const highDb = this.#highDbfs - this.#highFloor.update(this.#highDbfs);
    if (this.levelDbfs < QUIETEST_SPEECH_DBFS) return false;
    const isLoud = this.levelDbfs - this.noiseDbfs > ACTIVE_SNR_DB;
    return isLoud || lowSnrDb > ACTIVE_LOW_SNR_DB || highDb > ACTIVE_HIGH_SNR_DB;
  }

  /** Filters the frame. @returns its level */
  #take(frame: Int16Array): number {
    let power = 0;
    let highPower = 0;
    for (let n = 0; n < frame.length; n += 1) {
      const sample = this.#highPass.next(frame[n]! / 32768);
      this.#samples[n] = sample;
      power += sample * sample;
      const high = this.#highBand.next(sample);
      highPower += high * high;
    }
    this.#highDbfs = 10 * Math.log10(highPower / frame.length + 1e-12);
    return 10 * Math.log10(power / frame.length + 1e-12);
  }

  #silence(): number {
    this.#voicing.skip();
    this.#isMoving = false;
    this.#passVoiceless();
    return 0;
  }

  /** @returns 0 unvoiced, 0.5 voiced, 1 surely a voice */
  #evidence(riseDb: number): number {
    const voicing = this.#voicing.analyse();
    const weight = this.#voicedWeight(voicing);
    if (weight === 0) {
      this.#isMoving = false;
      this.#passVoiceless();
      return 0;
    }
    this.#sinceVoiced = 0;
    this.#voicedFrames += weight;
    this.#noteMovement(voicing, riseDb);
    const isVoice = this.#hasMoved && this.#voicedFrames >= this.#neededFrames;
    if (isVoice) this.#neededFrames = MIN_VOICED_FRAMES_AGAIN;
    return isVoice ? 1 : 0.5;
  }

  #voicedWeight({ periodicity, shortPeriodicity }: Voicing): number {
    if (this.#voicing.levelDbfs < this.levelDbfs - MAX_LOW_BELOW_DB) return 0;
    if (periodicity >= MIN_PERIODICITY) return 1;
    const isLoud = this.levelDbfs - this.noiseDbfs >= HALF_VOICED_SNR_DB;
    const isHalf = periodicity >= HALF_PERIODICITY || shortPeriodicity >= HALF_SHORT_PERIODICITY;
    return isLoud && isHalf ? 0.5 : 0;
  }

  #noteMovement({ change, longChange, frames }: Voicing, riseDb: number): void {
    if (this.#isMoving && riseDb > -MAX_VOICED_FALL_DB) this.#hasMoved = true;
    const hasMoved = frames >= SETTLED_FRAMES && change >= MIN_MOVEMENT;
    this.#isMoving = hasMoved || (frames > SETTLED_FRAMES && longChange >= MIN_LONG_MOVEMENT);
    if (this.#isMoving && riseDb > -MAX_FALL_DB) this.#hasMoved = true;
  }

  #passVoiceless(): void {
    this.#sinceVoiced += 1;
    if (this.#sinceVoiced > VOICED_MEMORY_FRAMES) this.#voicedFrames = 0;
    const isSpeaker = this.#neededFrames < MIN_VOICED_FRAMES;
    if (this.#sinceVoiced > (isSpeaker ? SPEAKER_MEMORY_FRAMES : VOICED_MEMORY_FRAMES)) this.#forget();
  }

  #forget(): void {
    this.#voicedFrames = 0;
    this.#neededFrames = MIN_VOICED_FRAMES;
    this.#hasMoved = false;
  }
}

export class EnergyVadModel implements VadModel {
  readonly frameSamples: number;
  readonly startThreshold = 0.9;
  readonly stopThreshold = 0.4;
  /** The model counts its evidence itself. */
  readonly startMs = FRAME_MS;
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
