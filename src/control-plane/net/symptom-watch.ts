/**
 * Looks at the registration listeners once a second, and remembers for a while what was wrong: a full queue is seen only
 * in the moment in which the main thread is free again. Thread: main.
 */

import { type ListenerFigures, type Symptom, symptomsOf } from './symptoms.ts';
import { readUdpTable } from './udp-figures.ts';

/** How long a symptom stays shown after it was last seen. */
export const SHOWN_MS = 60_000;
const LOOK_MS = 1_000;

export interface WatchedListener {
  /** @param table the kernel's, read once for all listeners */
  figures(table: string): ListenerFigures;
}

export interface ListenerState extends ListenerFigures {
  readonly symptoms: readonly Symptom[];
}

export class SymptomWatch {
  readonly #listeners: readonly WatchedListener[];
  readonly #nowMs: () => number;
  readonly #timer: NodeJS.Timeout;
  readonly #before = new Map<WatchedListener, ListenerFigures>();
  readonly #seenAtMs = new Map<WatchedListener, Map<Symptom, number>>();

  /** Looks at listeners as they are added to the array. */
  constructor(listeners: readonly WatchedListener[], nowMs: () => number) {
    this.#listeners = listeners;
    this.#nowMs = nowMs;
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** Figures of each listener now, and what was wrong with it lately. */
  look(): ListenerState[] {
    const nowMs = this.#nowMs();
    const table = this.#listeners.length === 0 ? '' : readUdpTable();
    return this.#listeners.map((listener) => {
      const figures = listener.figures(table);
      const seen = this.#seenAtMs.get(listener) ?? new Map<Symptom, number>();
      for (const symptom of symptomsOf(figures, this.#before.get(listener) ?? null)) seen.set(symptom, nowMs);
      this.#before.set(listener, figures);
      this.#seenAtMs.set(listener, seen);
      const symptoms = [...seen].flatMap(([symptom, atMs]) => (nowMs - atMs <= SHOWN_MS ? [symptom] : []));
      return { ...figures, symptoms };
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
