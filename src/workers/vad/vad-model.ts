/**
 * What every VAD model is: one run judges one frame of each of many calls.
 * Thread: vad. Hot: `run` once or more per tick; it does not allocate.
 */

/** Rows [0, count) of a run; allocated once for all calls of one rate. */
export interface VadBatch {
  readonly rateHz: number;
  readonly frameSamples: number;
  /** Rows in use. */
  count: number;
  /** Stream of each row, as given by `openStream`. */
  readonly streams: Int32Array;
  /** In: int16 PCM of each row, `frameSamples` long; views of one block. */
  readonly frames: readonly Int16Array<ArrayBuffer>[];
  /** Out: evidence that the frame is speech, 0..1. */
  readonly speech: Float32Array;
  /** Out: 1 when the frame stands out from the noise, speech or not. */
  readonly isActive: Uint8Array;
  /** Out: RMS of the frame. */
  readonly levelDbfs: Float32Array;
  /** Out: noise floor of the line. */
  readonly noiseDbfs: Float32Array;
}

export interface VadModel {
  /** Samples per frame at the model's rate. */
  readonly frameSamples: number;
  /** Evidence from which a frame counts towards a start, and below which it counts as silence. */
  readonly startThreshold: number;
  readonly stopThreshold: number;
  /** How long evidence must last for a start. */
  readonly startMs: number;
  /** State for one more call. @returns its number, reused after `closeStream`; -1 when all are taken */
  openStream(): number;
  closeStream(stream: number): void;
  /** Judges the rows of `batch`, each a new frame of its stream. No stream may be in two rows. */
  run(batch: VadBatch): Promise<void> | void;
  close(): Promise<void> | void;
}

export function createVadBatch(rateHz: number, frameSamples: number, maxStreams: number): VadBatch {
  const block = new Int16Array(frameSamples * maxStreams);
  return {
    rateHz,
    frameSamples,
    count: 0,
    streams: new Int32Array(maxStreams),
    frames: Array.from({ length: maxStreams }, (_, row) =>
      block.subarray(row * frameSamples, (row + 1) * frameSamples),
    ),
    speech: new Float32Array(maxStreams),
    isActive: new Uint8Array(maxStreams),
    levelDbfs: new Float32Array(maxStreams),
    noiseDbfs: new Float32Array(maxStreams),
  };
}

/** Numbers 0..size-1, each given out once until it comes back. */
export class StreamNumbers {
  readonly #free: number[];

  constructor(size: number) {
    this.#free = Array.from({ length: size }, (_, index) => size - 1 - index);
  }

  /** @returns -1 when all are taken */
  take(): number {
    return this.#free.pop() ?? -1;
  }

  giveBack(stream: number): void {
    this.#free.push(stream);
  }
}
