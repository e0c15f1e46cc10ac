/** One fact that `doctor` found. Pure. */

export interface Finding {
  readonly name: string;
  readonly value: string;
  readonly verdict: 'ok' | 'note' | 'problem';
  /** What to do; empty when there is nothing to do. */
  readonly advice: string;
}

/** A fact that needs nothing done. */
export function ok(name: string, value: string): Finding {
  return { name, value, verdict: 'ok', advice: '' };
}
