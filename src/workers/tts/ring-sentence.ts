/**
 * One sentence on its way into a downlink ring: takes samples as they are made, writes as much as fits, keeps all
 * of them until the sentence is done. Thread: TTS worker. Never waits and never drops; what does not fit stays
 * pending. A second attempt skips what the first one wrote (tts-task.ts, SentencePlace).
 */

import { rmsDbfs } from '../../audio/level.ts';
import { distance } from '../../ring-buffers/position.ts';
import { RingWriter } from '../../ring-buffers/ring.ts';
import type { CancelWord } from '../protocol.ts';
import { FADE_MS } from './speech-shaper.ts';
import { PLACE_WORD, type RenderedSentence, type SentencePlace, type SpeakAttempt } from './tts-task.ts';

/** Written between two looks at the cancel word and the epoch: one frame of 20 ms at 8 kHz, two and a half at 16. */
const BLOCK_SAMPLES = 160;
const FRAME_MS = 20;
/** A frame below this is not heard: what a caller's ear takes for the start of the reply is above it. */
const HEARD_DBFS = -50;

export class RingSentence {
  readonly rateHz: number;
  readonly startIndex: number;
  readonly #writer: RingWriter;
  readonly #cancel: CancelWord;
  readonly #turnId: number;
  readonly #parts: Int16Array[] = [];
  #madeSamples = 0;
  #speechSamples = 0;
  #writtenSamples: number;
  #isFinished = false;

  /** @throws WildfireError INVALID_STATE when the handle is no ring or the epoch was never requested. */
  constructor({ downlink, epoch, cancel, turnId, place }: SpeakAttempt) {
    this.#writer = new RingWriter(downlink, epoch);
    this.#cancel = cancel;
    this.#turnId = turnId;
    this.rateHz = this.#writer.rateHz;
    this.startIndex = startIndexOf(place, this.#writer);
    this.#writtenSamples = distance(this.startIndex, this.#writer.writeIndex);
  }

  /** Barged in on, or its turn cancelled: nobody will hear more of it. */
  get isUnwanted(): boolean {
    return this.#writer.isFlushed || Atomics.load(this.#cancel, 0) >= this.#turnId;
  }

  /** Everything was made (see finish) and is in the ring. */
  get isWhole(): boolean {
    return this.#isFinished && this.#pendingSamples === 0;
  }

  /** Made, wanted, and not one sample of it found room. */
  get isStuck(): boolean {
    return this.#writtenSamples === 0 && this.#pendingSamples > 0 && !this.isUnwanted;
  }

  /** Samples of the sentence up to now, the rest at its end not counted. */
  get speechSamples(): number {
    return this.#speechSamples;
  }

  /** Whole frames at the start of what was made so far that are too quiet to hear, ms. */
  get leadInMs(): number {
    const frameSamples = (this.rateHz * FRAME_MS) / 1000;
    const [first = EMPTY] = this.#parts;
    let quietFrames = 0;
    for (let at = 0; at + frameSamples <= first.length; at += frameSamples) {
      if (rmsDbfs(first.subarray(at, at + frameSamples)) > HEARD_DBFS) break;
      quietFrames += 1;
    }
    return quietFrames * FRAME_MS;
  }

  /** After the last written sample of speech. */
  get endIndex(): number {
    return (this.startIndex + Math.min(this.#writtenSamples, this.#speechSamples)) >>> 0;
  }

  /**
   * Takes the next piece and the silence after it, and writes what fits.
   * @returns whether any sample was written.
   */
  add(speech: Int16Array, restSamples: number): boolean {
    this.#smoothResumption(speech);
    this.#keep(speech);
    this.#speechSamples = this.#madeSamples;
    this.#keep(new Int16Array(restSamples));
    return this.writePending();
  }

  /** Takes a sentence rendered earlier, whole. @returns whether any sample was written. */
  addRendered({ pcm, speechSamples }: RenderedSentence): boolean {
    this.#keep(pcm);
    this.#speechSamples = speechSamples;
    return this.writePending();
  }

  /** @returns whether any sample was written. */
  writePending(): boolean {
    const before = this.#writtenSamples;
    this.#writer.write(EMPTY); // acknowledges a flush even when the ring is full of what it threw away
    let partStart = 0;
    for (const part of this.#parts) {
      const from = Math.max(0, this.#writtenSamples - partStart);
      if (from < part.length && !this.#writePart(part, from)) break;
      partStart += part.length;
    }
    return this.#writtenSamples > before;
  }

  /** Says that no more will be added. A sentence that became unwanted on the way stays unfinished. */
  finish(): void {
    this.#isFinished = !this.isUnwanted;
  }

  /** All of the sentence in shared memory. */
  rendered(): RenderedSentence {
    return { pcm: joined(this.#parts, this.#madeSamples), speechSamples: this.#speechSamples };
  }

  get #pendingSamples(): number {
    return Math.max(0, this.#madeSamples - this.#writtenSamples);
  }

  // False when the ring is full or the sentence unwanted.
  #writePart(part: Int16Array, from: number): boolean {
    for (let at = from; at < part.length; ) {
      const room = Math.min(BLOCK_SAMPLES, part.length - at, this.#writer.freeSamples);
      if (room === 0 || this.isUnwanted) return false;
      const taken = this.#writer.write(part.subarray(at, at + room));
      this.#writtenSamples += taken;
      at += taken;
      if (taken < room) return false;
    }
    return true;
  }

  // A sentence made anew after its thread died is not equal sample by sample: it fades in where it goes on.
  #smoothResumption(speech: Int16Array): void {
    const from = this.#writtenSamples - this.#madeSamples;
    if (from <= 0 || from >= speech.length) return;
    const fadeSamples = Math.min(speech.length - from, Math.round((FADE_MS * this.rateHz) / 1000));
    for (let i = 0; i < fadeSamples; i++) speech[from + i] = (speech[from + i] as number) * (i / fadeSamples);
  }

  #keep(samples: Int16Array): void {
    this.#parts.push(samples);
    this.#madeSamples += samples.length;
  }
}

const EMPTY = new Int16Array(0);

/** Parts one after the other in shared memory of their own. */
export function joined(parts: readonly Int16Array[], lengthSamples: number): Int16Array<SharedArrayBuffer> {
  const all = new Int16Array(new SharedArrayBuffer(lengthSamples * 2));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function startIndexOf(place: SentencePlace, writer: RingWriter): number {
  if (Atomics.load(place, PLACE_WORD.hasStarted) === 0) {
    Atomics.store(place, PLACE_WORD.startIndex, writer.writeIndex);
    Atomics.store(place, PLACE_WORD.hasStarted, 1);
  }
  return Atomics.load(place, PLACE_WORD.startIndex) >>> 0;
}
