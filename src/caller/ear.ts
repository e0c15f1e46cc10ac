/**
 * Understands what the built-in caller hears: transcribes a stretch of audio with the pack's own Whisper, piece by
 * piece where it is longer than the model's window, and compares it with what a step expects.
 * Thread: the caller process's main thread.
 */
import { rmsDbfs } from '../audio/level.ts';

const RATE_HZ = 8000;
const FRAME_SAMPLES = 160;
const SILENT_DBFS = -50;
/** Cut at a pause once a piece is this long; the shortest window of a shipped model is 10 s. */
const PIECE_SAMPLES = 5 * RATE_HZ;
const MAX_PIECE_SAMPLES = 9 * RATE_HZ;
const PAUSE_FRAMES = 4;

/** The one thing the ear needs of an engine. */
export type TranscribeSamples = (samples: Int16Array, rateHz: number) => Promise<string>;

/** The text of a stretch of 8 kHz audio of any length. */
export async function understand(samples: Int16Array, transcribe: TranscribeSamples): Promise<string> {
  const texts: string[] = [];
  for (const piece of cutAtPauses(samples)) {
    const text = (await transcribe(piece, RATE_HZ)).trim();
    if (text !== '') texts.push(text);
  }
  return texts.join(' ');
}

/** Whether all expectations (regular expressions, case ignored) are found in the text, whose punctuation is left out. */
export function meetsExpectations(text: string, expectations: readonly string[]): boolean {
  const plain = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}']+/gu, ' ')
    .trim();
  return expectations.every((expectation) => new RegExp(expectation, 'i').test(plain));
}

/** Cuts audio at pauses into pieces that fit a short recognition window; a piece without a pause is cut hard. */
export function cutAtPauses(samples: Int16Array): Int16Array[] {
  const pieces: Int16Array[] = [];
  let start = 0;
  let silentFrames = 0;
  for (let at = 0; at + FRAME_SAMPLES <= samples.length; at += FRAME_SAMPLES) {
    const frame = samples.subarray(at, at + FRAME_SAMPLES);
    silentFrames = rmsDbfs(frame) < SILENT_DBFS ? silentFrames + 1 : 0;
    const length = at + FRAME_SAMPLES - start;
    if ((length >= PIECE_SAMPLES && silentFrames === PAUSE_FRAMES) || length >= MAX_PIECE_SAMPLES) {
      pieces.push(samples.subarray(start, at + FRAME_SAMPLES));
      start = at + FRAME_SAMPLES;
    }
  }
  if (start < samples.length) pieces.push(samples.subarray(start));
  return pieces.filter((piece) => rmsDbfs(piece) > SILENT_DBFS - 10);
}
