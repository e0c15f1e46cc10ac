/**
 * From judged frames to speech: hysteresis, and where speech began and ended.
 * Thread: vad. Hot: `frame` runs per frame of each call; it does not allocate.
 *
 * A start needs `startMs` of evidence in one stretch of activity; the onset is where that stretch began, at most
 * maxOnsetMs back. A stop needs `stopHangoverMs` without; its position is the end of the last speech frame.
 */
import { advance, signedDistance } from '../../ring-buffers/position.ts';
import type { SpeechDetectorOptions } from './vad-messages.ts';
import type { VadModel } from './vad-model.ts';

export type SpeechChange = 'none' | 'started' | 'stopped';

export interface FrameVerdict {
  /** Evidence of speech, 0..1. */
  speech: number;
  isActive: boolean;
  levelDbfs: number;
  /** Tape position one past the frame. */
  endSample: number;
}

export interface DetectorSetting extends SpeechDetectorOptions {
  readonly rateHz: number;
  readonly model: Pick<VadModel, 'frameSamples' | 'startThreshold' | 'stopThreshold' | 'startMs'>;
}

/** Longest stretch without activity inside one onset: the closure of a stop consonant. */
const MAX_ONSET_GAP_MS = 40;
/** Activity without evidence still belongs to speech this long: an unvoiced ending ("six"). */
const MAX_UNVOICED_MS = 260;
/** Evidence this old no longer counts towards a start. */
const EVIDENCE_MS = 160;

/** Of one call. */
export class SpeechDetector {
  readonly #setting: DetectorSetting;
  readonly #frameMs: number;
  #isSpeech = false;
  /** First sample of the present stretch of activity; meaningful while #activeMs > 0. */
  #stretchStart = 0;
  #activeMs = 0;
  #gapMs = 0;
  /** Leaky count of evidence. */
  #evidenceMs = 0;
  #sinceEvidenceMs = 0;
  #changedAtSample = 0;
  #lastSpeechEnd = 0;
  #peakDbfs = Number.NEGATIVE_INFINITY;
  #powerSum = 0;
  #powerFrames = 0;

  constructor(setting: DetectorSetting) {
    this.#setting = setting;
    this.#frameMs = (setting.model.frameSamples * 1000) / setting.rateHz;
  }

  get isSpeech(): boolean {
    return this.#isSpeech;
  }

  /** Position of the last change: first speech sample, or one past the last. */
  get changedAtSample(): number {
    return this.#changedAtSample;
  }

  /** Level for the last change: loudest frame of the onset, or mean power of the speech. */
  get levelDbfs(): number {
    return this.#isSpeech
      ? this.#peakDbfs
      : 10 * Math.log10(this.#powerSum / Math.max(1, this.#powerFrames) + 1e-12);
  }

  /** The next frame of the call. */
  frame(verdict: FrameVerdict): SpeechChange {
    return this.#isSpeech ? this.#inSpeech(verdict) : this.#inSilence(verdict);
  }

  #inSilence(verdict: FrameVerdict): SpeechChange {
    if (verdict.isActive) this.#extendStretch(verdict);
    else this.#gapMs += this.#frameMs;
    if (this.#gapMs > MAX_ONSET_GAP_MS) this.#forgetStretch();
    const isEvidence = verdict.speech >= this.#setting.model.startThreshold;
    this.#evidenceMs = isEvidence
      ? this.#evidenceMs + this.#frameMs
      : Math.max(0, this.#evidenceMs - (this.#frameMs * this.#setting.model.startMs) / EVIDENCE_MS);
    if (!isEvidence || this.#evidenceMs < this.#setting.model.startMs - 1e-6) return 'none';
    this.#begin(verdict);
    return 'started';
  }

  #extendStretch(verdict: FrameVerdict): void {
    if (this.#activeMs === 0) {
      this.#stretchStart = advance(verdict.endSample, -this.#setting.model.frameSamples);
      this.#peakDbfs = Number.NEGATIVE_INFINITY;
      this.#powerSum = 0;
      this.#powerFrames = 0;
    }
    this.#activeMs += this.#frameMs;
    this.#gapMs = 0;
    this.#addPower(verdict);
  }

  #forgetStretch(): void {
    this.#activeMs = 0;
    this.#evidenceMs = 0;
    this.#gapMs = 0;
  }

  #begin(verdict: FrameVerdict): void {
    const { rateHz, maxOnsetMs } = this.#setting;
    const earliest = advance(verdict.endSample, -Math.round((maxOnsetMs * rateHz) / 1000));
    const isRecent = this.#activeMs > 0 && signedDistance(earliest, this.#stretchStart) >= 0;
    this.#changedAtSample = isRecent ? this.#stretchStart : earliest;
    this.#isSpeech = true;
    this.#lastSpeechEnd = verdict.endSample;
    this.#sinceEvidenceMs = 0;
  }

  #inSpeech(verdict: FrameVerdict): SpeechChange {
    const isEvidence = verdict.speech >= this.#setting.model.stopThreshold;
    this.#sinceEvidenceMs = isEvidence ? 0 : this.#sinceEvidenceMs + this.#frameMs;
    if (isEvidence || (verdict.isActive && this.#sinceEvidenceMs <= MAX_UNVOICED_MS)) {
      this.#lastSpeechEnd = verdict.endSample;
      this.#addPower(verdict);
      return 'none';
    }
    const silentMs = (signedDistance(this.#lastSpeechEnd, verdict.endSample) * 1000) / this.#setting.rateHz;
    if (silentMs < this.#setting.stopHangoverMs) return 'none';
    this.#isSpeech = false;
    this.#changedAtSample = this.#lastSpeechEnd;
    this.#forgetStretch();
    return 'stopped';
  }

  #addPower(verdict: FrameVerdict): void {
    if (verdict.levelDbfs > this.#peakDbfs) this.#peakDbfs = verdict.levelDbfs;
    this.#powerSum += 10 ** (verdict.levelDbfs / 10);
    this.#powerFrames += 1;
  }
}
