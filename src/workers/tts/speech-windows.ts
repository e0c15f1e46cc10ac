/**
 * How much of a piece is made at a time, where a model can make any part of it: the beginning alone, so that the first
 * samples do not wait for the last word, and then ever more, each part while those before it play. Unlike a cut
 * between pieces (speech-pieces.ts) nobody hears it. Pure. Thread: TTS worker.
 */
import { timesPlayed } from './speech-pieces.ts';

export interface SpeechWindows {
  /** Of the first part. */
  readonly firstMs: number;
  /** A later part may be this many times as long as all before it. */
  readonly growth: number;
}

/** Long enough to make the next part in, also where other threads want the core; making it takes 4 ms. */
const FIRST_WINDOW_MS = 250;
/** With less the next part might come late, and a gap inside of a word is worse than a late beginning. */
const LEAST_GROWTH = 3;

/**
 * Windows for an engine of this speed.
 * @param realTimeFactor compute time / audio time as measured, 0 < x.
 * @returns null where the engine is too slow for more than one.
 */
export function speechWindows(realTimeFactor: number): SpeechWindows | null {
  const growth = timesPlayed(realTimeFactor);
  return growth < LEAST_GROWTH ? null : { firstMs: FIRST_WINDOW_MS, growth };
}

/** Where the window that begins at `startMs` ends, ms from the start of the piece. */
export function windowEndMs({ firstMs, growth }: SpeechWindows, startMs: number): number {
  return startMs === 0 ? firstMs : startMs * (1 + growth);
}
