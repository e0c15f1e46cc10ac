/**
 * Which calls there are: admission, numbering, and the wait until the last one ended. Thread: main.
 */
import { emptyCounts, LEDGER_KINDS, type LedgerCounts } from './ledger.ts';

/** What the registry needs of a call. */
export interface RegisteredCall {
  readonly id: number;
  ledgerCounts(): LedgerCounts;
  end(endedBy: 'agent', reason: string): Promise<void>;
}

export type Admission =
  | { readonly admitted: true; readonly callId: number }
  | { readonly admitted: false; readonly reason: 'callLimit' | 'draining' };

export class CallRegistry {
  readonly #maxCalls: number;
  readonly #calls = new Map<number, RegisteredCall>();
  /** Admitted, whether or not the call object exists yet. */
  readonly #admitted = new Set<number>();
  readonly #idleWaiters: (() => void)[] = [];
  #nextCallId = 1;
  #isDraining = false;

  constructor(maxCalls: number) {
    this.#maxCalls = maxCalls;
  }

  /** May one more call start? The slot is held until `leave`. */
  admit(): Admission {
    if (this.#isDraining) return { admitted: false, reason: 'draining' };
    if (this.#admitted.size >= this.#maxCalls) return { admitted: false, reason: 'callLimit' };
    const callId = this.#nextCallId++;
    this.#admitted.add(callId);
    return { admitted: true, callId };
  }

  add(call: RegisteredCall): void {
    this.#calls.set(call.id, call);
  }

  get(callId: number): RegisteredCall | undefined {
    return this.#calls.get(callId);
  }

  /** Gives the slot back. */
  leave(callId: number): void {
    this.#calls.delete(callId);
    this.#admitted.delete(callId);
    if (this.#admitted.size === 0) for (const waiter of this.#idleWaiters.splice(0)) waiter();
  }

  get activeCalls(): number {
    return this.#admitted.size;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** From now on nothing is admitted. */
  startDraining(): void {
    this.#isDraining = true;
  }

  /** Resolves when no call is left. */
  idle(): Promise<void> {
    if (this.#admitted.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends every call and waits until each has given back what it held. */
  async endAll(reason: string): Promise<void> {
    await Promise.allSettled([...this.#calls.values()].map((call) => call.end('agent', reason)));
    await this.idle();
  }

  /** What all calls hold together, by kind. */
  ledgerTotals(): LedgerCounts {
    const totals = emptyCounts();
    for (const call of this.#calls.values()) {
      const counts = call.ledgerCounts();
      for (const kind of LEDGER_KINDS) totals[kind] += counts[kind];
    }
    return totals;
  }
}
