/**
 * Every number of the turn-taking policy with its default; the only place where the defaults stand.
 * Thread: any. Pure.
 */

export interface EndpointingConfig {
  /** Silence after the last speech sample that ends a turn, VAD hangover included. Must exceed postRollMs. */
  readonly minDelayMs: number;
  /** No pause, learned or not, is waited for longer than this. */
  readonly maxDelayMs: number;
  /** A turn with less speech than this ("I", "uh", "yes") ... */
  readonly shortUtteranceMs: number;
  /** ... waits this long, since its speaker often goes on. */
  readonly shortUtteranceDelayMs: number;
  /** A pause inside a turn at least this long marks a hesitant speaker ... */
  readonly hesitantPauseMs: number;
  /** ... who gets this much more. */
  readonly hesitantExtraMs: number;
  /** After a turn was cut off too early: the pause that was mistaken, times this, is waited for from then on. */
  readonly learnedPauseFactor: number;
  /** The learned pause shrinks by this factor with every turn that was not cut off. */
  readonly learnedPauseDecay: number;
}

export interface UtteranceConfig {
  /** Audio before the detected onset that Whisper also gets: soft consonants start before the VAD sees them. */
  readonly preRollMs: number;
  /** Audio after the last speech sample that Whisper also gets. */
  readonly postRollMs: number;
  /** Longest window given to Whisper; longer turns are split, at a pause where there is one. */
  readonly maxWindowMs: number;
  /** A turn is closed by force after this (hold music, a television). The uplink tape must hold this and 2 s more. */
  readonly maxTurnMs: number;
}

export interface BargeInConfig {
  /**
   * Time from the onset to the decision while the agent can be heard. The VAD notices an end stopHangoverMs late, so a
   * burst must last at least minSpeechMs - stopHangoverMs.
   */
  readonly minSpeechMs: number;
  /** The same while nothing of the reply has been heard: the caller had not finished. */
  readonly resumeMinSpeechMs: number;
  /** Speech that begins this early in a reply is often the tail of the caller's own turn or line echo ... */
  readonly graceMs: number;
  /** ... and needs to last this long. */
  readonly graceMinSpeechMs: number;
  /** Two bursts closer than this count as one attempt. */
  readonly mergeGapMs: number;
  /** Onset level above the line's noise floor. */
  readonly minSnrDb: number;
  /** Speech this much weaker than the caller's usual level is taken for echo or a voice in the background. */
  readonly maxBelowCallerDb: number;
  /** A burst too short for a barge-in that ended this shortly before the reply did is an answer, not a noise. */
  readonly lateSpeechKeptMs: number;
  /** Whether the greeting can be cut short. */
  readonly isGreetingInterruptible: boolean;
  /** Whole transcripts that mean "go on": after one of them the interrupted reply is taken up again. */
  readonly backchannels: readonly string[];
}

export interface NoInputConfig {
  /** Silence after the agent's last word before it asks whether the caller is there. */
  readonly promptAfterMs: number;
  /** Prompts before goodbye. */
  readonly maxPrompts: number;
}

export interface GuardConfig {
  /** An unintelligible turn with at least this much speech is asked for again; a shorter one was a noise. */
  readonly unclearMinSpeechMs: number;
  /** Requests to repeat in a row; then the no-input prompts take over. */
  readonly maxAskAgain: number;
  /** Turns in a row closed by maxTurnMs before the agent says goodbye. */
  readonly maxForcedTurns: number;
  /** Failed turns in a row before the agent says goodbye. */
  readonly maxFailedTurns: number;
  /** Watchdogs: longest time in a state before the turn counts as failed. No state can be stuck. */
  readonly transcribingMaxMs: number;
  readonly thinkingMaxMs: number;
  readonly speakingMaxMs: number;
  readonly closingMaxMs: number;
  /** Pause between the last goodbye sample sent and the BYE, for the far side's jitter buffer. */
  readonly lingerMs: number;
}

export interface DigitConfig {
  /** Silence between two key presses that ends the entry. */
  readonly interDigitMs: number;
  /** An entry this long is complete without '#'. */
  readonly maxDigits: number;
  /** Each key is an entry of its own (menus). */
  readonly isSingleDigit: boolean;
}

export interface TurnConfig {
  readonly endpointing: EndpointingConfig;
  readonly utterance: UtteranceConfig;
  readonly bargeIn: BargeInConfig;
  readonly noInput: NoInputConfig;
  readonly guards: GuardConfig;
  readonly digits: DigitConfig;
}

export const DEFAULT_TURN_CONFIG: TurnConfig = {
  endpointing: {
    minDelayMs: 400,
    maxDelayMs: 1200,
    shortUtteranceMs: 250,
    shortUtteranceDelayMs: 500,
    hesitantPauseMs: 280,
    hesitantExtraMs: 150,
    learnedPauseFactor: 1.2,
    learnedPauseDecay: 0.85,
  },
  utterance: { preRollMs: 250, postRollMs: 200, maxWindowMs: 10_000, maxTurnMs: 28_000 },
  bargeIn: {
    minSpeechMs: 180,
    resumeMinSpeechMs: 140,
    graceMs: 250,
    graceMinSpeechMs: 350,
    mergeGapMs: 300,
    minSnrDb: 6,
    maxBelowCallerDb: 18,
    lateSpeechKeptMs: 700,
    isGreetingInterruptible: true,
    backchannels: [
      'mm',
      'mmm',
      'mhm',
      'mm hm',
      'mm hmm',
      'hm',
      'hmm',
      'uh huh',
      'aha',
      'ah',
      'oh',
      'okay',
      'ok',
      'right',
      'i see',
    ],
  },
  noInput: { promptAfterMs: 8_000, maxPrompts: 2 },
  guards: {
    unclearMinSpeechMs: 400,
    maxAskAgain: 2,
    maxForcedTurns: 3,
    maxFailedTurns: 3,
    transcribingMaxMs: 15_000,
    thinkingMaxMs: 20_000,
    speakingMaxMs: 120_000,
    closingMaxMs: 15_000,
    lingerMs: 300,
  },
  digits: { interDigitMs: 2_500, maxDigits: 32, isSingleDigit: false },
};
