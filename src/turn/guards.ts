/**
 * What keeps a call from standing still: the silent caller is asked and then given up, and no state of the turn
 * machine lasts for ever. The clock is passed in. Thread: main. Pure.
 */
import type { GuardConfig, NoInputConfig } from './turn-config.ts';
import type { TurnState } from './turn-machine.ts';

/** How long a state may last before the turn counts as failed (leaving: until the call ends); Infinity for the rest. */
export function longestStayMs(state: TurnState, guards: GuardConfig): number {
  const longestMs: Partial<Record<TurnState, number>> = {
    transcribing: guards.transcribingMaxMs,
    thinking: guards.thinkingMaxMs,
    speaking: guards.speakingMaxMs,
    closing: guards.closingMaxMs,
    leaving: guards.lingerMs,
  };
  return longestMs[state] ?? Number.POSITIVE_INFINITY;
}

/** Of one call. Runs only while the call is listening; a noise does not start it again. */
export class NoInputGuard {
  readonly #config: NoInputConfig;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #prompts = 0;

  constructor(config: NoInputConfig) {
    this.#config = config;
  }

  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Prompts given in a row. */
  get prompts(): number {
    return this.#prompts;
  }

  /** The agent has finished; silence counts from now. */
  arm(nowMs: number): void {
    this.#deadlineMs = nowMs + this.#config.promptAfterMs;
  }

  /** The caller said or entered something. */
  onInput(): void {
    this.#prompts = 0;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
  }

  /** To be called at the deadline. @returns which event of the turn machine this is */
  expire(): 'noInputTimeout' | 'noInputExhausted' {
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    if (this.#prompts >= this.#config.maxPrompts) return 'noInputExhausted';
    this.#prompts += 1;
    return 'noInputTimeout';
  }
}
