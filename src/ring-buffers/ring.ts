/**
 * Downlink ring: what the caller is going to hear. One writer at a time, one reader, and a controller that
 * flushes it on barge-in. Nobody waits for anybody; what was not heard before a flush is never heard.
 * Thread: writer on TTS, reader on media, controller on main. Hot: `read` and `write` do not allocate or throw.
 * Walk: turn steps 8 to 11, barge-in steps 2 to 4. Invariants and the flush protocol: README.md.
 */
import { WildfireError } from '../errors.ts';
import { openShared, RING_WORD, type RingHandle, type SharedAudio } from './layout.ts';
import { advance, distance, signedDistance } from './position.ts';
import { copyIn, copyOut } from './sample-area.ts';

/** Writes the samples of one epoch. Several writers may follow each other; two at a time break I1. */
export class RingWriter {
  readonly #ring: SharedAudio;
  readonly #epoch: number;

  /**
   * @param epoch what `RingController` answered when the reply was started.
   * @throws WildfireError INVALID_STATE when the handle is no ring or the epoch was never requested.
   */
  constructor(handle: RingHandle, epoch: number) {
    this.#ring = openShared('ring', handle);
    this.#epoch = epoch >>> 0;
    if (signedDistance(load(this.#ring, RING_WORD.requestedEpoch), epoch) > 0) {
      throw new WildfireError('INVALID_STATE', `ring epoch ${epoch} was never requested`);
    }
  }

  get rateHz(): number {
    return this.#ring.rateHz;
  }

  /** Index after the last sample written by anyone. */
  get writeIndex(): number {
    return load(this.#ring, RING_WORD.writeIndex);
  }

  /** Room just now; may be out of date, only too small (I7). */
  get freeSamples(): number {
    const readIndex = load(this.#ring, RING_WORD.readIndex);
    return this.#ring.capacitySamples - distance(readIndex, this.writeIndex);
  }

  /** Whether a newer epoch was requested: stop making samples, nobody will hear them. */
  get isFlushed(): boolean {
    return load(this.#ring, RING_WORD.requestedEpoch) !== this.#epoch;
  }

  /**
   * Offers samples to the ring.
   * @returns samples taken, 0..length. Fewer = ring full (try the rest later; counted as overrun) or, when
   * `isFlushed`, thrown away for ever.
   */
  write(samples: Int16Array): number {
    if (this.isFlushed) return 0;
    const ring = this.#ring;
    const writeIndex = this.writeIndex;
    if (load(ring, RING_WORD.writerEpoch) !== this.#epoch) {
      // This order: a reader that sees the new epoch must find its start (I6).
      Atomics.store(ring.words, RING_WORD.epochStartIndex, writeIndex);
      Atomics.store(ring.words, RING_WORD.writerEpoch, this.#epoch);
    }
    const takenSamples = Math.min(samples.length, this.freeSamples);
    copyIn(ring.samples, writeIndex, samples, 0, takenSamples);
    Atomics.store(ring.words, RING_WORD.writeIndex, advance(writeIndex, takenSamples)); // publishes (I4)
    if (takenSamples < samples.length) count(ring, RING_WORD.overrunSamples, samples.length - takenSamples);
    return takenSamples;
  }
}

/** The only reader of a ring. */
export class RingReader {
  readonly #ring: SharedAudio;

  /** @throws WildfireError INVALID_STATE when the handle is no ring. */
  constructor(handle: RingHandle) {
    this.#ring = openShared('ring', handle);
  }

  get rateHz(): number {
    return this.#ring.rateHz;
  }

  /** Index of the next sample to play. */
  get readIndex(): number {
    return load(this.#ring, RING_WORD.readIndex);
  }

  /** Samples in the ring, stale ones of an unfinished flush included; may be out of date, only too small (I7). */
  get fillSamples(): number {
    return distance(this.readIndex, load(this.#ring, RING_WORD.writeIndex));
  }

  /** Frames that came up short while a reply was open. */
  get underrunFrames(): number {
    return load(this.#ring, RING_WORD.underrunFrames);
  }

  /** Samples of real audio played. */
  get playedSamples(): number {
    return load(this.#ring, RING_WORD.playedSamples);
  }

  /** Samples jumped over by flushes. */
  get flushedSamples(): number {
    return load(this.#ring, RING_WORD.flushedSamples);
  }

  /**
   * Fills `target` with the next frame; what is missing is silence.
   * @returns samples of real audio at the start of target, 0..length.
   */
  read(target: Int16Array): number {
    if (!this.#hasFlushed()) {
      target.fill(0);
      return 0;
    }
    const ring = this.#ring;
    const readIndex = this.readIndex;
    const playedSamples = Math.min(target.length, this.fillSamples);
    if (playedSamples > 0) {
      copyOut(ring.samples, readIndex, target, playedSamples);
      Atomics.store(ring.words, RING_WORD.readIndex, advance(readIndex, playedSamples)); // frees the room
      count(ring, RING_WORD.playedSamples, playedSamples);
    }
    if (playedSamples < target.length) {
      target.fill(0, playedSamples);
      if (load(ring, RING_WORD.replyOpen) === 1) count(ring, RING_WORD.underrunFrames, 1);
    }
    return playedSamples;
  }

  /** Follows a requested flush as far as the writer has got; true when what lies at readIndex may be heard. */
  #hasFlushed(): boolean {
    const ring = this.#ring;
    const requestedEpoch = load(ring, RING_WORD.requestedEpoch);
    if (requestedEpoch === load(ring, RING_WORD.readerEpoch)) return true;
    if (load(ring, RING_WORD.writerEpoch) !== requestedEpoch) return false;
    const startIndex = load(ring, RING_WORD.epochStartIndex);
    // The writer may have gone on to a still newer epoch between the two loads.
    if (load(ring, RING_WORD.writerEpoch) !== requestedEpoch) return false;
    const skippedSamples = distance(this.readIndex, startIndex);
    // Further than a capacity means behind us: a read that began before the request has crossed the start.
    if (skippedSamples <= ring.capacitySamples) {
      Atomics.store(ring.words, RING_WORD.readIndex, startIndex);
      count(ring, RING_WORD.flushedSamples, skippedSamples);
    }
    Atomics.store(ring.words, RING_WORD.readerEpoch, requestedEpoch);
    return true;
  }
}

/** The call's side on main: starts and flushes replies, never touches a sample. */
export class RingController {
  readonly #ring: SharedAudio;

  /** @throws WildfireError INVALID_STATE when the handle is no ring. */
  constructor(handle: RingHandle) {
    this.#ring = openShared('ring', handle);
  }

  /** The epoch to make writers for. */
  get epoch(): number {
    return load(this.#ring, RING_WORD.requestedEpoch);
  }

  /** Index of the next sample to play: before it was heard, from it on was not. */
  get readIndex(): number {
    return load(this.#ring, RING_WORD.readIndex);
  }

  /** Index after the last sample written. Not readIndex + fillSamples: the reader moves between the two. */
  get writeIndex(): number {
    return load(this.#ring, RING_WORD.writeIndex);
  }

  /** Samples in the ring, stale ones of an unfinished flush included. */
  get fillSamples(): number {
    return distance(this.readIndex, this.writeIndex);
  }

  /** Samples that are still going to be heard: 0 from a flush until its epoch is written. May be out of date. */
  get playableSamples(): number {
    const ring = this.#ring;
    const { epoch } = this;
    if (load(ring, RING_WORD.writerEpoch) !== epoch) return 0;
    if (load(ring, RING_WORD.readerEpoch) === epoch) return this.fillSamples;
    return distance(load(ring, RING_WORD.epochStartIndex), this.writeIndex);
  }

  /** Frames that came up short while a reply was open. */
  get underrunFrames(): number {
    return load(this.#ring, RING_WORD.underrunFrames);
  }

  /** Samples that writers offered and the ring did not take; one that is offered again counts again. */
  get overrunSamples(): number {
    return load(this.#ring, RING_WORD.overrunSamples);
  }

  /** Samples of real audio played. */
  get playedSamples(): number {
    return load(this.#ring, RING_WORD.playedSamples);
  }

  /**
   * Silences the ring from the reader's next frame on and throws away all that was not heard.
   * `readIndex` stands still from that frame until samples of the new epoch are written.
   * @returns the new epoch.
   */
  requestFlush(): number {
    const epoch = advance(this.epoch, 1);
    Atomics.store(this.#ring.words, RING_WORD.requestedEpoch, epoch);
    return epoch;
  }

  /** Whether more of the reply is to come: only then an empty ring is an underrun. */
  setReplyOpen(isOpen: boolean): void {
    Atomics.store(this.#ring.words, RING_WORD.replyOpen, isOpen ? 1 : 0);
  }
}

function load(ring: SharedAudio, word: number): number {
  return Atomics.load(ring.words, word) >>> 0;
}

/** Adds to a counter that only the calling side stores (I2), so load and store need not be one step. */
function count(ring: SharedAudio, word: number, samples: number): void {
  Atomics.store(ring.words, word, Atomics.load(ring.words, word) + samples);
}
