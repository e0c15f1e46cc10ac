/** The recorded utterances of test/fixtures/utterances, and how far a transcript is from what was said. */
import { readFileSync } from 'node:fs';
import { parseWav } from '../../../src/audio/wav.ts';

export interface RecordedUtterance {
  readonly file: string;
  readonly said: string;
}

export const UTTERANCES: readonly RecordedUtterance[] = [
  { file: 'book-table.wav', said: 'i would like to book a table for four people on friday at seven thirty' },
  { file: 'opening-hours.wav', said: 'what are your opening hours' },
  { file: 'opening-hours-ulaw.wav', said: 'what are your opening hours' },
  { file: 'my-name.wav', said: 'my name is baker' },
  { file: 'phone-number.wav', said: 'my number is five five one two nine three' },
];

/** Mono samples of a recording, and their rate. */
export function recording(file: string): { samples: Int16Array; rateHz: number } {
  const path = new URL(`../../fixtures/utterances/${file}`, import.meta.url);
  const { channels, rateHz } = parseWav(readFileSync(path));
  return { samples: channels[0]!, rateHz };
}

/** Words inserted, deleted or replaced between two texts: Levenshtein distance over words. */
export function wordErrors(said: string, heard: string): number {
  const reference = words(said);
  const hypothesis = words(heard);
  let row = hypothesis.map((_, i) => i + 1);
  row.unshift(0);
  for (const [i, word] of reference.entries()) {
    const next = [i + 1];
    for (const [j, other] of hypothesis.entries()) {
      next.push(Math.min(row[j]! + (word === other ? 0 : 1), row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}

export function words(text: string): string[] {
  return text.toLowerCase().match(/[a-z']+/g) ?? [];
}
