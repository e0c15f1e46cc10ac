/**
 * Rendered sentences by text, least recently used first out, bounded in bytes. Thread: main; it holds handles to
 * shared memory and never looks at a sample. Why: an agent repeats itself (greeting, questions, apologies), and a
 * sentence that need not be made is in the ring a millisecond after it is asked for.
 * Kept is only what was asked for twice: one caller's name and number are not, and V8 collects shared memory so late
 * that keeping everything cost 80 KB a sentence for hours. In memory only, never on disk.
 */
import type { RenderedSentence } from './tts-task.ts';

export interface SpeechKey {
  readonly text: string;
  readonly voice: string;
  readonly speed: number;
  readonly rateHz: number;
}

/** Sentences asked for once, as far as they are remembered: hashes, not texts. */
const SEEN_LIMIT = 4096;

export class SpeechCache {
  readonly #limitBytes: number;
  // A Map keeps insertion order: the first entry is the one not used for longest.
  readonly #entries = new Map<string, RenderedSentence>();
  readonly #seen = new Set<number>();
  #usedBytes = 0;
  hits = 0;
  misses = 0;

  /** @param limitBytes 0 turns it off. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get sentences(): number {
    return this.#entries.size;
  }

  /** Notes that a sentence had to be made. @returns whether to keep it: it is not the first time. */
  isRepeated(key: SpeechKey): boolean {
    if (this.#limitBytes === 0) return false;
    const hash = hashOf(wordOf(key));
    if (this.#seen.delete(hash)) return true;
    this.#seen.add(hash);
    const [oldest] = this.#seen;
    if (this.#seen.size > SEEN_LIMIT && oldest !== undefined) this.#seen.delete(oldest);
    return false;
  }

  get(key: SpeechKey): RenderedSentence | null {
    const word = wordOf(key);
    const found = this.#entries.get(word);
    if (found === undefined) {
      this.misses++;
      return null;
    }
    this.hits++;
    this.#entries.delete(word);
    this.#entries.set(word, found);
    return found;
  }

  put(key: SpeechKey, sentence: RenderedSentence): void {
    const bytes = sentence.pcm.byteLength;
    if (bytes > this.#limitBytes / 4) return; // one monologue must not empty the cache
    const word = wordOf(key);
    this.#drop(word);
    this.#entries.set(word, sentence);
    this.#usedBytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#usedBytes <= this.#limitBytes) break;
      this.#drop(oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#seen.clear();
    this.#usedBytes = 0;
  }

  #drop(word: string): void {
    const found = this.#entries.get(word);
    if (found === undefined) return;
    this.#usedBytes -= found.pcm.byteLength;
    this.#entries.delete(word);
  }
}

function wordOf({ text, voice, speed, rateHz }: SpeechKey): string {
  return JSON.stringify([text, voice, speed, rateHz]);
}

// FNV-1a, 32 bits: a clash only keeps a sentence too early.
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
