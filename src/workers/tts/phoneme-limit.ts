/**
 * Cuts a string of phonemes that is longer than the model's input. Pure. Thread: TTS worker.
 * Kokoro takes 510 phonemes and kokoro-js silently drops what comes after them.
 */

// Best place first: end of sentence, clause, word.
const BREAKS = [/[.!?…]\s/g, /[,;:—]\s/g, /\s/g] as const;

/** Pieces of at most `limit` UTF-16 units that together hold all of `phonemes`. */
export function cutPhonemes(phonemes: string, limit: number): string[] {
  const pieces: string[] = [];
  let rest = phonemes.trim();
  while (rest.length > limit) {
    const end = breakBefore(rest, limit);
    pieces.push(rest.slice(0, end).trim());
    rest = rest.slice(end).trim();
  }
  if (rest !== '') pieces.push(rest);
  return pieces;
}

// A break in the first half would leave a stub; the next kind of break is tried instead.
function breakBefore(phonemes: string, limit: number): number {
  const head = phonemes.slice(0, limit);
  for (const pattern of BREAKS) {
    const last = Array.from(head.matchAll(pattern)).at(-1);
    if (last !== undefined && last.index >= limit / 2) return last.index + last[0].length;
  }
  return limit;
}
