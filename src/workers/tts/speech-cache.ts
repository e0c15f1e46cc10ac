/**
 * Rendered sentences by text, least recently used first out, in a block of memory that is taken at the start. Thread:
 * its owner's: main, and each TTS worker for openings. Why: an agent repeats itself (greeting, questions, apologies), and a
 * sentence that need not be made is in the ring a millisecond after it is asked for.
 * Kept is only what was asked for twice: one caller's name and number are not. In memory only, never on disk.
 */
import { SpeechShelf } from './speech-shelf.ts';
import type { RenderedSentence } from './tts-task.ts';

export interface SpeechKey {
  readonly text: string;
  readonly voice: string;
  readonly speed: number;
  readonly rateHz: number;
}

/** A sentence in the cache. Unless it is held, the next put() may write over its samples. */
export interface KeptSentence {
  readonly sentence: RenderedSentence;
}

interface Entry extends KeptSentence {
  /** Who may still read it. */
  holders: number;
  isDropped: boolean;
}

/** Sentences asked for once, as far as they are remembered: hashes, not texts. */
const SEEN_LIMIT = 4096;

export class SpeechCache {
  readonly #limitBytes: number;
  // A Map keeps insertion order: the first entry is the one not used for longest.
  readonly #entries = new Map<string, Entry>();
  readonly #shelf: SpeechShelf;
  readonly #seen = new Set<number>();
  #usedBytes = 0;
  hits = 0;
  misses = 0;

  /** @param limitBytes taken at once; 0 turns it off. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#shelf = new SpeechShelf(limitBytes);
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

  get(key: SpeechKey): KeptSentence | null {
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

  /** @returns what must be called, once, when it is no longer read: until then its samples stay as they are */
  hold(kept: KeptSentence): () => void {
    const entry = kept as Entry;
    entry.holders++;
    return () => {
      entry.holders--;
      this.#giveIfUnused(entry);
    };
  }

  /** Copies the sentence in, in place of those that were not used for longest. Not kept where too much is held. */
  put(key: SpeechKey, { pcm, speechSamples }: RenderedSentence): void {
    if (pcm.byteLength > this.#limitBytes / 4) return; // one monologue must not empty the cache
    const word = wordOf(key);
    this.#drop(word);
    const place = this.#placeFor(pcm);
    if (place === null) return;
    this.#entries.set(word, { sentence: { pcm: place, speechSamples }, holders: 0, isDropped: false });
    this.#usedBytes += place.byteLength;
  }

  clear(): void {
    for (const word of [...this.#entries.keys()]) this.#drop(word);
    this.#seen.clear();
  }

  #placeFor(pcm: Int16Array): Int16Array<SharedArrayBuffer> | null {
    for (;;) {
      const place = this.#shelf.put(pcm);
      const [oldest] = this.#entries.keys();
      if (place !== null || oldest === undefined) return place;
      this.#drop(oldest);
    }
  }

  #drop(word: string): void {
    const found = this.#entries.get(word);
    if (found === undefined) return;
    this.#usedBytes -= found.sentence.pcm.byteLength;
    this.#entries.delete(word);
    found.isDropped = true;
    this.#giveIfUnused(found);
  }

  #giveIfUnused({ isDropped, holders, sentence }: Entry): void {
    if (isDropped && holders === 0) this.#shelf.give(sentence.pcm);
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
