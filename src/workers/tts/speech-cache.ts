/**
 * Rendered sentences by text, least recently used first out, bounded in bytes. Thread: main; it holds handles to
 * shared memory and never looks at a sample. Why: an agent repeats itself (greeting, questions, apologies), and a
 * sentence that need not be made is in the ring a millisecond after it is asked for. In memory only, never on disk.
 */
import type { RenderedSentence } from './tts-task.ts';

export interface SpeechKey {
  readonly text: string;
  readonly voice: string;
  readonly speed: number;
  readonly rateHz: number;
}

export class SpeechCache {
  readonly #limitBytes: number;
  // A Map keeps insertion order: the first entry is the one not used for longest.
  readonly #entries = new Map<string, RenderedSentence>();
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

  /** Whether a sentence of this text is worth asking a worker for its samples. */
  get isOn(): boolean {
    return this.#limitBytes > 0;
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
