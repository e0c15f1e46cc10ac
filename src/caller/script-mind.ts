/**
 * A fixed script as a caller's mind: says its steps one after another, whatever it hears, and judges each reply by the
 * step's patterns. Pure.
 */
import type { CallerAction, CallerMind, CallerOutcome } from './caller-mind.ts';
import { meetsExpectations } from './ear.ts';
import type { CallerScript, CallerStep } from './script.ts';

export function createScriptMind(script: CallerScript): CallerMind {
  return new ScriptMind(script.steps);
}

class ScriptMind implements CallerMind {
  readonly #steps: readonly CallerStep[];
  readonly #missed: string[] = [];
  #judged = 0;
  #wasReplyGood = false;

  constructor(steps: readonly CallerStep[]) {
    this.#steps = steps;
  }

  get wasReplyGood(): boolean {
    return this.#wasReplyGood;
  }

  get outcome(): CallerOutcome {
    const left = this.#steps.length - this.#judged;
    if (left > 0) return { goalMet: false, why: `${left} steps of the script were left` };
    const goalMet = this.#missed.length === 0;
    return { goalMet, why: goalMet ? 'every step met its goal' : `missed: ${this.#missed.join(', ')}` };
  }

  begin(_greetingHeard: string): CallerAction {
    return this.#current();
  }

  next(agentHeard: string): CallerAction {
    this.#judge(agentHeard, agentHeard !== '');
    return this.#current();
  }

  /** The next step talks over this reply, whatever it is. */
  interrupt(heardSoFar: string): CallerAction | null {
    if (this.#steps[this.#judged + 1]?.bargeInAfterMs === undefined) return null;
    this.#judge(heardSoFar, true);
    return this.#current();
  }

  wantsAnswer(_agentHeard: string): boolean {
    return true;
  }

  #judge(heard: string, isThere: boolean): void {
    const step = this.#steps[this.#judged];
    if (step === undefined) return;
    this.#wasReplyGood = isThere && meetsExpectations(heard, step.expect);
    if (!this.#wasReplyGood) this.#missed.push(step.goal);
    this.#judged += 1;
  }

  #current(): CallerAction {
    const step = this.#steps[this.#judged];
    if (step === undefined) return { kind: 'hangUp', ...this.outcome };
    const bargeInAfterMs = this.#steps[this.#judged + 1]?.bargeInAfterMs;
    const turn = {
      occasion: step.goal,
      purpose: step.goal,
      thinkMs: 0,
      ...(bargeInAfterMs === undefined ? {} : { bargeInAfterMs }),
    };
    if (step.say === undefined) return { kind: 'key', digits: step.dtmf ?? '', ...turn };
    return { kind: 'say', utterance: { text: step.say, slots: {}, spokenSlots: [], pauses: [] }, ...turn };
  }
}
