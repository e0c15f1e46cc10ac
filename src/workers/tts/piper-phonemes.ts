/**
 * Text -> phonemes -> ids as Piper does it, so that a published voice hears what it was trained on.
 * Pure but for the phonemizer handed in. Thread: TTS worker, once per piece.
 * Source: piper-phonemize 1.1 (phonemize.cpp, phoneme_ids.cpp): eSpeak IPA per clause, decomposed (NFD), one code
 * point = one phoneme, the clause's punctuation behind it; ids = ^ _ (phoneme _)* $, unknown phonemes left out.
 */
import { type Phonemize, withoutLanguageMarks } from './espeak-model.ts';

/** Phoneme (one code point) -> ids, usually one. From the voice's json. */
export type PhonemeIdMap = Readonly<Record<string, readonly number[]>>;

const BEGIN = '^';
const END = '$';
const PAD = '_';
/** These end a clause and are phonemes themselves; a comma and its like are followed by a space. */
const CLAUSE = /(.*?)([.?!,:;])["')\]]*(?=\s|$)/sy;
const FOLLOWED_BY_SPACE = ',:;';

/** The phonemes of a text, sentence by sentence. */
export async function piperPhonemes(
  text: string,
  espeakVoice: string,
  phonemize: Phonemize,
): Promise<string[][]> {
  const sentences: string[][] = [];
  let open: string[] = [];
  for (const { words, punctuation } of clausesOf(text)) {
    const ipa = withoutLanguageMarks((await phonemize(words, espeakVoice)).join(' '));
    open.push(...Array.from(ipa.normalize('NFD')));
    if (punctuation !== '') open.push(punctuation);
    if (punctuation !== '' && FOLLOWED_BY_SPACE.includes(punctuation)) open.push(' ');
    if ('.?!'.includes(punctuation) && punctuation !== '') {
      sentences.push(open);
      open = [];
    }
  }
  if (open.length > 0) sentences.push(open);
  return sentences;
}

/** Ids of one sentence, padded: ^ _ (id _)* $. */
export function piperIds(phonemes: readonly string[], map: PhonemeIdMap): number[] {
  const pad = map[PAD] ?? [];
  const ids = [...(map[BEGIN] ?? []), ...pad];
  for (const phoneme of phonemes) {
    if (Object.hasOwn(map, phoneme)) ids.push(...(map[phoneme] ?? []), ...pad);
  }
  ids.push(...(map[END] ?? []));
  return ids;
}

function* clausesOf(text: string): Generator<{ words: string; punctuation: string }> {
  let at = 0;
  while (at < text.length) {
    CLAUSE.lastIndex = at;
    const match = CLAUSE.exec(text);
    const words = (match?.[1] ?? text.slice(at)).trim();
    at = match === null ? text.length : CLAUSE.lastIndex;
    if (/[\p{L}\p{N}]/u.test(words)) yield { words, punctuation: match?.[2] ?? '' };
  }
}
