/**
 * Uplink tape: what the caller said, at absolute sample positions. One writer, any number of readers; the
 * writer never waits and overwrites the oldest. Positions are the clock of the call.
 * Thread: writer on media, readers on VAD and Whisper. Hot: `write` and `read` do not allocate or throw.
 * Walk: packet steps 8 to 10. Invariants: README.md.
 */
import { openShared, type SharedAudio, TAPE_WORD, type TapeHandle } from './layout.ts';
import { advance, signedDistance } from './position.ts';
import { copyIn, copyOut } from './sample-area.ts';

/** The only writer of a tape. */
export class TapeWriter {
  readonly #tape: SharedAudio;

  /** @throws WildfireError INVALID_STATE when the handle is no tape. */
  constructor(handle: TapeHandle) {
    this.#tape = openShared('tape', handle);
  }

  get rateHz(): number {
    return this.#tape.rateHz;
  }

  /** Position after the last sample written. */
  get positionSamples(): number {
    return Atomics.load(this.#tape.words, TAPE_WORD.head) >>> 0;
  }

  /** Appends `samples`, overwriting the oldest. Of a block longer than the tape only the end remains. */
  write(samples: Int16Array): void {
    const { words, capacitySamples, startPosition } = this.#tape;
    const end = advance(Atomics.load(words, TAPE_WORD.head), samples.length);
    Atomics.store(words, TAPE_WORD.claimed, end);
    // A store alone lets later plain stores pass it on ARM; the load behind it holds them back.
    Atomics.load(words, TAPE_WORD.claimed);
    const keptSamples = Math.min(samples.length, capacitySamples);
    copyIn(
      this.#tape.samples,
      advance(end, -keptSamples),
      samples,
      samples.length - keptSamples,
      keptSamples,
    );
    Atomics.store(words, TAPE_WORD.head, end); // publishes (I4)
    // After head, and for ever: whoever sees 1 also sees a head at least a capacity past the start.
    if (words[TAPE_WORD.hasWrapped] === 0 && signedDistance(startPosition, end) >= capacitySamples) {
      Atomics.store(words, TAPE_WORD.hasWrapped, 1);
    }
  }
}

/** Why a read did or did not fill its target. */
export type TapeReadResult = 'ok' | 'lapped' | 'ahead';

/** One of many readers; each thread makes its own. It stores nothing in the tape. */
export class TapeReader {
  readonly #tape: SharedAudio;
  readonly #fence = new Int32Array(new SharedArrayBuffer(4));

  /** @throws WildfireError INVALID_STATE when the handle is no tape. */
  constructor(handle: TapeHandle) {
    this.#tape = openShared('tape', handle);
  }

  get rateHz(): number {
    return this.#tape.rateHz;
  }

  get capacitySamples(): number {
    return this.#tape.capacitySamples;
  }

  /** The writer's head: position after the newest sample. May be out of date, only too small (I7). */
  get positionSamples(): number {
    return Atomics.load(this.#tape.words, TAPE_WORD.head) >>> 0;
  }

  /** The oldest position still on the tape just now. Clamp a look-back to it; leave room for the writer. */
  get oldestPositionSamples(): number {
    const { words, capacitySamples, startPosition } = this.#tape;
    const hasWrapped = Atomics.load(words, TAPE_WORD.hasWrapped) === 1;
    return hasWrapped ? advance(Atomics.load(words, TAPE_WORD.claimed), -capacitySamples) : startPosition;
  }

  /**
   * Copies [fromSample, fromSample + target.length) into `target`.
   * @returns 'ok': target is full. 'ahead': not all of it is written yet, target untouched. 'lapped': it is
   * overwritten, or older than the tape; target then holds rubbish.
   */
  read(fromSample: number, target: Int16Array): TapeReadResult {
    const { words, samples } = this.#tape;
    const writtenSamples = signedDistance(fromSample, Atomics.load(words, TAPE_WORD.head));
    if (writtenSamples < target.length) return this.#isOld(fromSample) ? 'lapped' : 'ahead';
    if (this.#isOld(fromSample)) return 'lapped';
    copyOut(samples, fromSample, target, target.length);
    // Load, copy, check again. On ARM the plain loads of the copy may sink below an atomic load, not below
    // an atomic store; the store goes to a word of our own because readers store nothing shared.
    Atomics.store(this.#fence, 0, 0);
    return this.#isOld(fromSample) ? 'lapped' : 'ok';
  }

  /** Whether `fromSample` is being, or has been, overwritten, or was never on the tape. */
  #isOld(fromSample: number): boolean {
    const { words, capacitySamples, startPosition } = this.#tape;
    const isUnwrapped = Atomics.load(words, TAPE_WORD.hasWrapped) === 0;
    if (isUnwrapped && signedDistance(startPosition, fromSample) < 0) return true;
    return signedDistance(fromSample, Atomics.load(words, TAPE_WORD.claimed)) > capacitySamples;
  }
}
