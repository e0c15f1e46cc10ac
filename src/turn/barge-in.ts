/**
 * Barge-in: whether speech that began while the agent has the floor takes it from him.
 * Thread: main. Pure. Walk "One barge-in": step 1.
 *
 * Bursts closer than mergeGapMs are one attempt; its speech adds up. How much is needed depends on when the
 * attempt began: before anything of the reply was heard (the caller had not finished), in the first moments
 * of the reply (more likely an echo or a tail), or later.
 */
import { advance, signedDistance } from '../ring-buffers/position.ts';
import type { BargeInConfig } from './turn-config.ts';
import type { SpeechEvent } from './turn-messages.ts';
import { msOfSample, msToSamples, type Stretch, sampleAtMs, samplesToMs } from './utterance.ts';

/** Speech over the agent, judged. */
export interface BargeIn {
  /** First speech sample. */
  readonly atSample: number;
  /** Position at which enough had been heard. */
  readonly decidedAtSample: number;
  /** It began before the first sample of the reply was played. */
  readonly isResumed: boolean;
  /** Bursts that had ended by then, oldest first. */
  readonly stretches: readonly Stretch[];
  /** First sample of the burst that is going on; null when the last one has ended. */
  readonly openSince: number | null;
  readonly levelDbfs: number;
}

export interface BargeInCounters {
  readonly accepted: number;
  readonly resumed: number;
  readonly rejectedTooShort: number;
  readonly rejectedTooQuiet: number;
}

interface Attempt {
  readonly onset: SpeechEvent;
  stretches: Stretch[];
  /** The burst that is going on. */
  open: SpeechEvent | null;
  lastStop: SpeechEvent | null;
}

/** Weight of the newest turn in the caller's usual level. */
const CALLER_LEVEL_WEIGHT = 0.3;

/** Of one call. Fed only while the agent has the floor. */
export class BargeInJudge {
  readonly #config: BargeInConfig;
  readonly #rateHz: number;
  #attempt: Attempt | null = null;
  #callerLevelDbfs: number | null = null;
  #firstPlayedAtMs = Number.POSITIVE_INFINITY;
  #accepted = 0;
  #resumed = 0;
  #rejectedTooShort = 0;
  #rejectedTooQuiet = 0;

  constructor(config: BargeInConfig, rateHz: number) {
    this.#config = config;
    this.#rateHz = rateHz;
  }

  get counters(): BargeInCounters {
    return {
      accepted: this.#accepted,
      resumed: this.#resumed,
      rejectedTooShort: this.#rejectedTooShort,
      rejectedTooQuiet: this.#rejectedTooQuiet,
    };
  }

  /** The caller's turn is over: the agent has the floor, nothing of its reply was heard yet. */
  onFloorTaken(): void {
    this.#attempt = null;
    this.#firstPlayedAtMs = Number.POSITIVE_INFINITY;
  }

  onFirstSamplePlayed(atMs: number): void {
    this.#firstPlayedAtMs = atMs;
  }

  /** Level of a turn that was understood: what this caller's speech usually measures. */
  learnCallerLevel(levelDbfs: number): void {
    if (!Number.isFinite(levelDbfs)) return;
    const usual = this.#callerLevelDbfs ?? levelDbfs;
    this.#callerLevelDbfs = usual + CALLER_LEVEL_WEIGHT * (levelDbfs - usual);
  }

  speechStarted(event: SpeechEvent): void {
    if (!this.#isLoudEnough(event)) {
      this.#rejectedTooQuiet += 1;
      return;
    }
    const attempt = this.#attempt;
    if (attempt !== null && this.#isSameAttempt(attempt, event)) attempt.open = event;
    else this.#attempt = { onset: event, stretches: [], open: event, lastStop: null };
  }

  speechStopped(event: SpeechEvent): void {
    const attempt = this.#attempt;
    if (attempt?.open == null) return;
    attempt.stretches.push({ startSample: attempt.open.atSample, endSample: event.atSample });
    attempt.open = null;
    attempt.lastStop = event;
    if (this.#closedSamples(attempt) < this.#neededSamples(attempt)) this.#rejectedTooShort += 1;
  }

  /** When decide() can say yes if the speech goes on; Infinity when there is nothing to decide. */
  get deadlineMs(): number {
    const attempt = this.#attempt;
    if (attempt === null) return Number.POSITIVE_INFINITY;
    const missing = this.#neededSamples(attempt) - this.#closedSamples(attempt);
    if (missing <= 0) return attempt.lastStop?.atMs ?? attempt.onset.atMs;
    if (attempt.open === null) return Number.POSITIVE_INFINITY;
    return msOfSample(attempt.open, advance(attempt.open.atSample, missing), this.#rateHz);
  }

  /** @returns the barge-in when enough has been heard by `nowMs`; the attempt is then forgotten */
  decide(nowMs: number): BargeIn | null {
    const attempt = this.#attempt;
    if (attempt === null || nowMs < this.deadlineMs) return null;
    const isResumed = this.#isBeforeReply(attempt);
    const bargeIn = this.#describe(attempt, isResumed, nowMs);
    this.#attempt = null;
    if (isResumed) this.#resumed += 1;
    else this.#accepted += 1;
    return bargeIn;
  }

  /**
   * The agent has finished: speech that is going on, or that ended just before, is the caller's next turn.
   * @returns that speech, or null; the attempt is then forgotten
   */
  takeLateSpeech(nowMs: number): BargeIn | null {
    const attempt = this.#attempt;
    this.#attempt = null;
    if (attempt === null) return null;
    const stoppedAtMs = attempt.lastStop === null ? nowMs : attempt.lastStop.atMs;
    const isFresh = attempt.open !== null || nowMs - stoppedAtMs <= this.#config.lateSpeechKeptMs;
    return isFresh ? this.#describe(attempt, false, nowMs) : null;
  }

  #describe(attempt: Attempt, isResumed: boolean, nowMs: number): BargeIn {
    return {
      atSample: attempt.onset.atSample,
      decidedAtSample: sampleAtMs(attempt.open ?? attempt.lastStop ?? attempt.onset, nowMs, this.#rateHz),
      isResumed,
      stretches: attempt.stretches,
      openSince: attempt.open?.atSample ?? null,
      levelDbfs: attempt.onset.levelDbfs,
    };
  }

  #isLoudEnough(event: SpeechEvent): boolean {
    const { minSnrDb, maxBelowCallerDb } = this.#config;
    if (event.levelDbfs - event.noiseDbfs < minSnrDb) return false;
    return this.#callerLevelDbfs === null || event.levelDbfs >= this.#callerLevelDbfs - maxBelowCallerDb;
  }

  #isSameAttempt(attempt: Attempt, event: SpeechEvent): boolean {
    const lastSample = attempt.stretches.at(-1)?.endSample ?? attempt.onset.atSample;
    return samplesToMs(signedDistance(lastSample, event.atSample), this.#rateHz) <= this.#config.mergeGapMs;
  }

  #closedSamples(attempt: Attempt): number {
    return attempt.stretches.reduce((sum, s) => sum + signedDistance(s.startSample, s.endSample), 0);
  }

  #neededSamples(attempt: Attempt): number {
    const { resumeMinSpeechMs, graceMinSpeechMs, minSpeechMs, graceMs } = this.#config;
    if (this.#isBeforeReply(attempt)) return msToSamples(resumeMinSpeechMs, this.#rateHz);
    const intoReplyMs = this.#onsetMs(attempt) - this.#firstPlayedAtMs;
    return msToSamples(intoReplyMs < graceMs ? graceMinSpeechMs : minSpeechMs, this.#rateHz);
  }

  #isBeforeReply(attempt: Attempt): boolean {
    return this.#onsetMs(attempt) < this.#firstPlayedAtMs;
  }

  #onsetMs(attempt: Attempt): number {
    return msOfSample(attempt.onset, attempt.onset.atSample, this.#rateHz);
  }
}

/** Whether all of what was said is one of the words that mean "go on": "Mm-hmm.", "Okay, okay". */
export function isBackchannel(text: string, backchannels: readonly string[]): boolean {
  const phrases = text
    .toLowerCase()
    .split(/[.,!?;:…]+/u)
    .map((phrase) => phrase.replace(/[^\p{L}\p{N}]+/gu, ' ').trim())
    .filter((phrase) => phrase !== '');
  return phrases.length > 0 && phrases.every((phrase) => backchannels.includes(phrase));
}
