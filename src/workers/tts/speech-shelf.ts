/**
 * Places for samples in one block of shared memory that is taken, and touched, when it is made: what is put there later
 * takes no more memory, and what goes leaves nothing for a collector. Thread: its owner's; others read by views.
 */

export class SpeechShelf {
  readonly #samples: Int16Array<SharedArrayBuffer>;
  /** Free ranges by place; no two touch. */
  readonly #free: Range[];

  constructor(sizeBytes: number) {
    const lengthSamples = Math.floor(sizeBytes / 2);
    this.#samples = new Int16Array(new SharedArrayBuffer(lengthSamples * 2)).fill(0);
    this.#free = lengthSamples === 0 ? [] : [{ from: 0, to: lengthSamples }];
  }

  /** The first place that is long enough, with these samples in it; null where there is none. */
  put(samples: Int16Array): Int16Array<SharedArrayBuffer> | null {
    const index = this.#free.findIndex(({ from, to }) => to - from >= samples.length);
    const range = this.#free[index];
    if (range === undefined) return null;
    const place = this.#samples.subarray(range.from, range.from + samples.length);
    if (range.to - range.from === samples.length) this.#free.splice(index, 1);
    else this.#free[index] = { from: range.from + samples.length, to: range.to };
    place.set(samples);
    return place;
  }

  /** Gives a place back, once; nobody may read it any more. @param place from put() */
  give(place: Int16Array): void {
    if (place.length === 0) return;
    const from = place.byteOffset / place.BYTES_PER_ELEMENT;
    const to = from + place.length;
    const next = this.#free.findIndex((range) => range.from >= to);
    const at = next < 0 ? this.#free.length : next;
    const [before, after] = [this.#free[at - 1], this.#free[at]];
    const joinsBefore = before?.to === from;
    const joinsAfter = after?.from === to;
    const joined = { from: joinsBefore ? before.from : from, to: joinsAfter ? after.to : to };
    this.#free.splice(at - (joinsBefore ? 1 : 0), (joinsBefore ? 1 : 0) + (joinsAfter ? 1 : 0), joined);
  }
}

/** Samples [from, to). */
interface Range {
  readonly from: number;
  readonly to: number;
}
