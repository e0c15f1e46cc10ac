/**
 * What one call holds, item by item. Every acquire names how to give the item back; `releaseAll` gives all of it
 * back however the call ended, and one failing release never keeps the others.
 * Thread: main. Used by call.ts; read by tests and /api/status to prove that nothing leaks.
 */

export const LEDGER_KINDS = [
  'rtpPort',
  'ring',
  'wireLeg',
  'vadWatch',
  'sequence',
  'timer',
  'dialog',
] as const;
export type LedgerKind = (typeof LEDGER_KINDS)[number];

export type LedgerCounts = Record<LedgerKind, number>;

interface Entry {
  readonly kind: LedgerKind;
  readonly release: () => void | Promise<void>;
}

export class ResourceLedger {
  readonly #entries = new Set<Entry>();

  /**
   * Notes one held item.
   * @returns gives the item back early; safe to call more than once.
   */
  acquire(kind: LedgerKind, release: () => void | Promise<void>): () => Promise<void> {
    const entry: Entry = { kind, release };
    this.#entries.add(entry);
    return async () => {
      if (this.#entries.delete(entry)) await entry.release();
    };
  }

  /**
   * Gives everything back: all releases are started, last acquired first, then awaited, so that a slow one (a BYE
   * that nobody answers) holds up no other.
   * @returns the errors of releases that failed
   */
  async releaseAll(): Promise<unknown[]> {
    const releases = [...this.#entries].reverse().map(async (entry) => {
      try {
        await entry.release();
      } finally {
        this.#entries.delete(entry);
      }
    });
    const results = await Promise.allSettled(releases);
    return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  }

  /** Items held now, by kind. */
  counts(): LedgerCounts {
    const counts = emptyCounts();
    for (const entry of this.#entries) counts[entry.kind] += 1;
    return counts;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }
}

/** All kinds at zero. */
export function emptyCounts(): LedgerCounts {
  return Object.fromEntries(LEDGER_KINDS.map((kind) => [kind, 0])) as LedgerCounts;
}
