/** The windows of an utterance as Whisper heard them -> what the turn policy is told. Thread: main. Pure. */
import type { Cancelled, Lapped, Transcript } from '../workers/protocol.ts';

export interface HeardWords {
  /** Of all windows, joined with a space. */
  readonly text: string;
  /** Some of it was said and is missing. */
  readonly isPartial: boolean;
}

/** A window that was overwritten, or whose words cannot be believed, is a hole; one without speech is a pause. */
export function heardWords(windows: readonly (Transcript | Cancelled | Lapped)[]): HeardWords {
  const text = windows
    .map((window) => (window.kind === 'transcript' ? window.text : ''))
    .filter(Boolean)
    .join(' ');
  return { text, isPartial: text !== '' && windows.some(isHole) };
}

function isHole(window: Transcript | Cancelled | Lapped): boolean {
  if (window.kind !== 'transcript') return window.kind === 'lapped';
  return window.rejectedBy === 'lowConfidence' || window.rejectedBy === 'repetition';
}
