/**
 * Counts what the SIP side did with what it got. Every drop and refusal has a reason word; nothing is silent.
 * Thread: main. Names: `received`, `sent`, `dropped`, `refused`, `failed`, `call`.
 */

/** Called for each count, so that a metrics library can mirror it. */
export type CountHook = (name: string, reason: string) => void;

export class SipCounters {
  readonly #counts = new Map<string, number>();
  readonly #hook: CountHook | undefined;

  constructor(hook?: CountHook) {
    this.#hook = hook;
  }

  /** Adds one to `name.reason`. @throws never; a throwing hook is ignored (it must not stop a call). */
  count(name: string, reason: string): void {
    const key = `${name}.${reason}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    try {
      this.#hook?.(name, reason);
    } catch {
      // The hook is the owner's metrics; its fault is not the caller's.
    }
  }

  /** All counts so far, as `name.reason` -> number. */
  snapshot(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  /**
   * Runs the owner's handler; what it throws is counted as `failed.<what>` and goes no further, so that one
   * call's bug cannot end another call or the process.
   */
  safely(what: string, run: () => void): void {
    try {
      run();
    } catch {
      this.count('failed', what);
    }
  }
}
