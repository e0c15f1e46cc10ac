/**
 * The turn under way: its number, what was said, what the reply is, and how an action word of the table becomes
 * an action with its data. Thread: main. Pure. Part of TurnPolicy.
 */
import type { TurnActionKind } from './turn-machine.ts';
import type { HangUpReason, TurnAction } from './turn-messages.ts';
import type { HeardSpeech } from './utterance.ts';

/** What the reply under way is; an answer counts as success of the turn, a prompt does not. */
export type ReplyKind = 'none' | 'greeting' | 'prompt' | 'answer';

/** Positions of the speech that stopped the reply. */
export interface FlushPositions {
  readonly atSample: number;
  readonly decidedAtSample: number;
}

export interface ActionContext {
  readonly heard: () => HeardSpeech;
  readonly flush: () => FlushPositions;
  /** How often this prompt has been given in a row, from 1. */
  readonly attempt: (kind: PromptKind) => number;
}

export type PromptKind = 'greet' | 'askAgain' | 'promptNoInput' | 'apologise' | 'sayGoodbye';

/** One per call. */
export class CurrentTurn {
  /** Counts from 1; 0 before the first. */
  turnId = 0;
  replyKind: ReplyKind = 'none';
  text = '';
  textSource: 'speech' | 'digits' = 'speech';
  /** What the turn that the caller resumed had said, in case the second hearing finds nothing. */
  retractedText = '';
  /** The turn whose reply the caller's present utterance cut short. */
  interruptedTurnId: number | null = null;
  hangUpReason: HangUpReason = 'farewell';

  /** The action for `kind`; what starts anew gets a new turn number. */
  build(kind: TurnActionKind, context: ActionContext): TurnAction {
    switch (kind) {
      case 'startTranscription':
        return { kind, turnId: this.#next(), interruptedTurnId: this.interruptedTurnId, ...context.heard() };
      case 'startThinking':
        return this.#startThinking();
      case 'resumeReply':
        this.replyKind = 'answer';
        return { kind, turnId: this.#next(), interruptedTurnId: this.interruptedTurnId ?? 0 };
      case 'flushDownlink':
        return { kind, turnId: this.turnId, ...context.flush() };
      case 'cancelTranscription':
      case 'cancelReply':
      case 'keepHeardWords':
      case 'retractTurn':
        return { kind, turnId: this.turnId };
      case 'hangUp':
        return { kind, reason: this.hangUpReason };
      default:
        this.replyKind = kind === 'greet' ? 'greeting' : 'prompt';
        return { kind, turnId: this.#next(), attempt: context.attempt(kind) };
    }
  }

  // The transcription had already opened this turn; digits open one of their own.
  #startThinking(): TurnAction {
    this.replyKind = 'answer';
    const turnId = this.textSource === 'digits' ? this.#next() : this.turnId;
    return { kind: 'startThinking', turnId, text: this.text, source: this.textSource };
  }

  #next(): number {
    this.turnId += 1;
    return this.turnId;
  }
}
