/**
 * Endpointing: how much silence after the last speech sample means that the caller's turn is over.
 * Thread: main. Pure. Walk "One turn": step 2.
 */
import type { EndpointingConfig } from './turn-config.ts';

export interface TurnShape {
  /** Speech without pauses, ms. */
  readonly speechMs: number;
  /** Longest silence inside the turn, ms. */
  readonly longestPauseMs: number;
}

/** Of one call: learns from turns that were cut off too early. */
export class Endpointer {
  readonly #config: EndpointingConfig;
  #learnedPauseMs = 0;

  constructor(config: EndpointingConfig) {
    this.#config = config;
  }

  /** @returns silence to wait for, ms from the last speech sample, VAD hangover included; minDelayMs..maxDelayMs. */
  delayMs(shape: TurnShape): number {
    const { minDelayMs, maxDelayMs } = this.#config;
    const wantedMs = Math.max(
      minDelayMs,
      this.#learnedPauseMs,
      this.#shortDelayMs(shape),
      this.#hesitantDelayMs(shape),
    );
    return Math.min(maxDelayMs, wantedMs);
  }

  /** The caller went on after `pauseMs` although the turn had been declared over. */
  onCutOff(pauseMs: number): void {
    this.#learnedPauseMs = Math.max(this.#learnedPauseMs, pauseMs * this.#config.learnedPauseFactor);
  }

  /** A turn was heard to its end. */
  onTurnCompleted(): void {
    this.#learnedPauseMs *= this.#config.learnedPauseDecay;
  }

  #shortDelayMs(shape: TurnShape): number {
    return shape.speechMs < this.#config.shortUtteranceMs ? this.#config.shortUtteranceDelayMs : 0;
  }

  #hesitantDelayMs(shape: TurnShape): number {
    const { hesitantPauseMs, hesitantExtraMs, minDelayMs } = this.#config;
    return shape.longestPauseMs >= hesitantPauseMs ? minDelayMs + hesitantExtraMs : 0;
  }
}
