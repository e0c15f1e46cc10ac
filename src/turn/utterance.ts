/**
 * The caller's speech on the uplink tape: the turn he is in, as stretches of speech, the windows of it that Whisper
 * reads, and when it is over. Thread: main. Pure. Walk "One turn": steps 1, 2 and 4.
 */
import { advance, isBefore, signedDistance } from '../ring-buffers/position.ts';
import { Endpointer } from './endpointing.ts';
import type { TurnConfig, UtteranceConfig } from './turn-config.ts';
import type { SampleWindow, SpeechEvent } from './turn-messages.ts';

const NEVER_MS = Number.POSITIVE_INFINITY;
/** The tape may be this far behind where the clock says that it is: two frames and a late tick. */
const TAPE_MARGIN_MS = 60;

/** What the caller said in a turn that is over. */
export interface HeardSpeech {
  readonly windows: readonly SampleWindow[];
  readonly speechEndSample: number;
  readonly speechMs: number;
  readonly endpointDelayMs: number;
  readonly isForced: boolean;
}

/** Of one call: ties the VAD's positions to the clock and keeps the utterance under way. */
export class CallerSpeech {
  readonly endpointer: Endpointer;
  readonly #config: UtteranceConfig;
  readonly #rateHz: number;
  /** Newest VAD event. */
  #event: SpeechEvent | null = null;
  #utterance: Utterance | null = null;
  /** End of the turn before: no window reaches back over it. */
  #earliestSample: number;

  constructor(config: TurnConfig, rateHz: number, tapeStartSample: number) {
    this.endpointer = new Endpointer(config.endpointing);
    this.#config = config.utterance;
    this.#rateHz = rateHz;
    this.#earliestSample = tapeStartSample;
  }

  /** The utterance under way, or the one being answered; null when the caller has said nothing since. */
  get utterance(): Utterance | null {
    return this.#utterance;
  }

  /** Whether the VAD hears speech. */
  get isActive(): boolean {
    return this.#event?.kind === 'speechStarted';
  }

  /** Remembers the newest VAD event. */
  note(event: SpeechEvent): void {
    this.#event = event;
  }

  begin(startSample: number): Utterance {
    this.#utterance = new Utterance(laterOf(startSample, this.#earliestSample), {
      config: this.#config,
      rateHz: this.#rateHz,
      earliestSample: this.#earliestSample,
    });
    return this.#utterance;
  }

  forget(): void {
    this.#utterance = null;
  }

  /** When the turn is over if the caller stays silent. */
  get endpointAtMs(): number {
    if (this.#utterance === null || this.#event === null) return NEVER_MS;
    const waitedSamples = msToSamples(this.endpointer.delayMs(this.#utterance), this.#rateHz);
    return msOfSample(this.#event, advance(this.#utterance.endSample, waitedSamples), this.#rateHz);
  }

  /** When the turn is closed although the caller still speaks. */
  get forcedAtMs(): number {
    if (this.#utterance === null || this.#event === null) return NEVER_MS;
    return msOfSample(this.#event, this.#utterance.startSample, this.#rateHz) + this.#config.maxTurnMs;
  }

  /** The tape position at `nowMs`, by the newest event. */
  sampleAt(nowMs: number): number {
    return this.#event === null ? this.#earliestSample : sampleAtMs(this.#event, nowMs, this.#rateHz);
  }

  /** Closes the turn at `nowMs`; with force while the caller still speaks. No window reaches beyond the tape's head. */
  finish(nowMs: number, isForced: boolean): HeardSpeech {
    const latestSample = advance(this.sampleAt(nowMs), -msToSamples(TAPE_MARGIN_MS, this.#rateHz));
    const utterance = this.#utterance ?? this.begin(this.#earliestSample);
    if (isForced) utterance.stop(latestSample, utterance.levelDbfs);
    this.#earliestSample = utterance.endSample;
    return {
      windows: utterance.windows(latestSample),
      speechEndSample: utterance.endSample,
      speechMs: utterance.speechMs,
      endpointDelayMs: isForced ? 0 : this.endpointer.delayMs(utterance),
      isForced,
    };
  }
}

/** Speech without a pause, [startSample, endSample). */
export interface Stretch {
  readonly startSample: number;
  readonly endSample: number;
}

export interface UtteranceOptions {
  readonly config: UtteranceConfig;
  readonly rateHz: number;
  /** Nothing before this may be read: the tape's first sample, or the end of the turn before. */
  readonly earliestSample: number;
}

/** The speech of one turn, as the VAD reports it. */
export class Utterance {
  readonly #options: UtteranceOptions;
  readonly #stretches: Stretch[] = [];
  readonly #startSample: number;
  #openSince: number | null;
  #levelDbfs = Number.NEGATIVE_INFINITY;
  #longestPauseMs = 0;

  /** A turn whose first speech sample is `startSample`; speech is going on. */
  constructor(startSample: number, options: UtteranceOptions) {
    this.#startSample = startSample;
    this.#openSince = startSample;
    this.#options = options;
  }

  get startSample(): number {
    return this.#startSample;
  }

  /** One past the last speech sample known. */
  get endSample(): number {
    return this.#stretches.at(-1)?.endSample ?? this.#startSample;
  }

  /** Mean level of the last stretch; -Infinity before the first stop. */
  get levelDbfs(): number {
    return this.#levelDbfs;
  }

  /** Longest silence between two stretches. */
  get longestPauseMs(): number {
    return this.#longestPauseMs;
  }

  /** Speech without the pauses. */
  get speechMs(): number {
    const samples = this.#stretches.reduce((sum, { startSample, endSample }) => {
      return sum + signedDistance(startSample, endSample);
    }, 0);
    return samplesToMs(samples, this.#options.rateHz);
  }

  /** The caller went on at `atSample`. @returns the pause, ms */
  resume(atSample: number): number {
    const pauseMs = Math.max(0, samplesToMs(signedDistance(this.endSample, atSample), this.#options.rateHz));
    this.#openSince = laterOf(atSample, this.endSample);
    this.#longestPauseMs = Math.max(this.#longestPauseMs, pauseMs);
    return pauseMs;
  }

  /** The caller stopped at `atSample` (one past the last speech sample). */
  stop(atSample: number, levelDbfs: number): void {
    if (this.#openSince === null) return;
    this.#stretches.push({ startSample: this.#openSince, endSample: laterOf(atSample, this.#openSince) });
    this.#openSince = null;
    this.#levelDbfs = levelDbfs;
  }

  /**
   * The windows to transcribe, in order, each at most maxWindowMs; cut at pauses where there are any.
   * @param latestSample what lies behind is not on the tape yet
   */
  windows(latestSample: number): SampleWindow[] {
    const { config, rateHz } = this.#options;
    const maxSpeechSamples = msToSamples(config.maxWindowMs - config.preRollMs - config.postRollMs, rateHz);
    const pieces = joinStretches(
      this.#stretches.flatMap((stretch) => cutStretch(stretch, maxSpeechSamples)),
      maxSpeechSamples,
    );
    return pieces.map((piece, index) => {
      const next = pieces[index + 1]?.startSample;
      return this.#pad(
        piece,
        pieces[index - 1],
        next === undefined ? latestSample : middle(piece.endSample, next),
      );
    });
  }

  // Pre-roll and post-roll; between two windows each gets at most half of the pause, so no word is read twice.
  #pad(piece: Stretch, previous: Stretch | undefined, latestSample: number): SampleWindow {
    const { config, rateHz, earliestSample } = this.#options;
    const firstSample = previous ? middle(previous.endSample, piece.startSample) : earliestSample;
    const roomBefore = Math.max(0, signedDistance(firstSample, piece.startSample));
    const roomAfter = Math.max(0, signedDistance(piece.endSample, latestSample));
    const before = Math.min(msToSamples(config.preRollMs, rateHz), roomBefore);
    const after = Math.min(msToSamples(config.postRollMs, rateHz), roomAfter);
    return { fromSample: advance(piece.startSample, -before), toSample: advance(piece.endSample, after) };
  }
}

function cutStretch(stretch: Stretch, maxSamples: number): Stretch[] {
  const parts: Stretch[] = [];
  let startSample = stretch.startSample;
  while (signedDistance(startSample, stretch.endSample) > maxSamples) {
    parts.push({ startSample, endSample: advance(startSample, maxSamples) });
    startSample = advance(startSample, maxSamples);
  }
  parts.push({ startSample, endSample: stretch.endSample });
  return parts;
}

/** Neighbours joined as long as the whole, pauses included, stays within `maxSamples`. */
function joinStretches(pieces: readonly Stretch[], maxSamples: number): Stretch[] {
  const joined: Stretch[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last !== undefined && signedDistance(last.startSample, piece.endSample) <= maxSamples) {
      joined[joined.length - 1] = { startSample: last.startSample, endSample: piece.endSample };
    } else {
      joined.push(piece);
    }
  }
  return joined;
}

/** The monotonic time at which `sample` was, or will be, on the tape, reckoned from `event`. */
export function msOfSample(event: SpeechEvent, sample: number, rateHz: number): number {
  return event.atMs + samplesToMs(signedDistance(event.decidedAtSample, sample), rateHz);
}

/** The tape position at `atMs`, reckoned from `event`. */
export function sampleAtMs(event: SpeechEvent, atMs: number, rateHz: number): number {
  return advance(event.decidedAtSample, msToSamples(atMs - event.atMs, rateHz));
}

/** Whole samples in `ms`. */
export function msToSamples(ms: number, rateHz: number): number {
  return Math.round((ms * rateHz) / 1000);
}

export function samplesToMs(samples: number, rateHz: number): number {
  return (samples * 1000) / rateHz;
}

function middle(a: number, b: number): number {
  return advance(a, Math.floor(signedDistance(a, b) / 2));
}

function laterOf(a: number, b: number): number {
  return isBefore(a, b) ? b : a;
}
