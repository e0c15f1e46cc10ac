/**
 * What goes into the turn policy of a call and what comes out of it: plain data.
 * Thread: main. Pure. A VadEvent is a SpeechEvent, so it can be handed in as it is.
 */
import type { TurnActionKind } from './turn-machine.ts';

/** The VAD's verdict: speech began or ended at `atSample`, found out at `decidedAtSample` and `atMs`. */
export interface SpeechEvent {
  readonly kind: 'speechStarted' | 'speechStopped';
  /** First, or one past the last, speech sample; position on the uplink tape. */
  readonly atSample: number;
  /** How far the tape had been read when this was decided. */
  readonly decidedAtSample: number;
  /** monotonicMs() of the decision. */
  readonly atMs: number;
  /** Started: the loudest frame of the onset. Stopped: the mean of the speech. */
  readonly levelDbfs: number;
  /** The line's noise floor at that time. */
  readonly noiseDbfs: number;
}

export type TurnInput =
  /** The call is up; `hasGreeting` false goes straight to listening. */
  | { readonly kind: 'answered'; readonly hasGreeting: boolean }
  | SpeechEvent
  | { readonly kind: 'dtmf'; readonly digit: string }
  /**
   * Whisper's final text, all windows joined with a space; empty when its guards judged that nothing was said.
   * `isPartial`: a window of it was said, and lost.
   * `isReplyResumable`: the reply of `interruptedTurnId` was not heard, or not written, to its end; false without one.
   */
  | {
      readonly kind: 'transcript';
      readonly turnId: number;
      readonly text: string;
      readonly isPartial: boolean;
      readonly isReplyResumable: boolean;
    }
  /** The first sample of this turn's reply went out at `atMs`. */
  | { readonly kind: 'firstSamplePlayed'; readonly turnId: number; readonly atMs: number }
  /** The last sample of this turn's reply went out and no more will come. */
  | { readonly kind: 'replyDone'; readonly turnId: number }
  /** A stage failed for good, or the reply held no words. */
  | { readonly kind: 'turnFailed'; readonly turnId: number }
  /** The reply of this turn is the last: hang up after it. */
  | { readonly kind: 'farewell'; readonly turnId: number }
  | { readonly kind: 'hangup' };

/** Audio on the uplink tape, [fromSample, toSample). */
export interface SampleWindow {
  readonly fromSample: number;
  readonly toSample: number;
}

export type HangUpReason = 'noInput' | 'endlessSpeech' | 'failed' | 'farewell';

/** What the conversation must do, in the order given. `turnId` is the turn the work belongs to. */
export type TurnAction =
  | {
      readonly kind: 'startTranscription';
      readonly turnId: number;
      /** Usually one. More when the turn is longer than maxWindowMs: transcribe all, join the texts with a space. */
      readonly windows: readonly SampleWindow[];
      /** One past the last speech sample: where the response delay starts. */
      readonly speechEndSample: number;
      readonly speechMs: number;
      /** Silence waited for, from the last speech sample. */
      readonly endpointDelayMs: number;
      /** The turn was closed because it did not end. */
      readonly isForced: boolean;
      /** The turn whose reply this utterance interrupted; ask the transcript whether that could be resumed. */
      readonly interruptedTurnId: number | null;
    }
  /** Stop the work of this and all earlier turns: store `turnId` in the call's cancel word. */
  | { readonly kind: 'cancelTranscription' | 'cancelReply'; readonly turnId: number }
  /** Append `text` to the transcript as the caller's and ask LLaMA. */
  | {
      readonly kind: 'startThinking';
      readonly turnId: number;
      readonly text: string;
      readonly source: 'speech' | 'digits';
    }
  /** RingController.requestFlush(). Positions of the caller's speech that caused it, for the timeline. */
  | {
      readonly kind: 'flushDownlink';
      readonly turnId: number;
      readonly atSample: number;
      readonly decidedAtSample: number;
    }
  /** Transcript.settleReply(turnId, readIndex): only words that were played stay. */
  | { readonly kind: 'keepHeardWords'; readonly turnId: number }
  /** Transcript.retract(turnId): the caller had not finished; his words come again with the rest. */
  | { readonly kind: 'retractTurn'; readonly turnId: number }
  /** Speak Transcript.unheardSentences(interruptedTurnId) again and have the reply written to its end, as turn `turnId`. */
  | { readonly kind: 'resumeReply'; readonly turnId: number; readonly interruptedTurnId: number }
  /** Speak a fixed text. `attempt` counts from 1 within a row of the same kind. */
  | {
      readonly kind: 'greet' | 'askAgain' | 'promptNoInput' | 'apologise' | 'sayGoodbye';
      readonly turnId: number;
      readonly attempt: number;
    }
  | { readonly kind: 'hangUp'; readonly reason: HangUpReason };

// Compile-time check: the actions are those of the table, no more and no less.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
export const ACTIONS_MATCH_TABLE: Same<TurnAction['kind'], TurnActionKind> = true;
