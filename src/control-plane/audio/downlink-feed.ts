/**
 * Audio from outside on its way into one call's ring: keeps what finds no room, in order and within bounds, and forgets
 * what belongs to a reply that was barged in on. Thread: wire audio. Never waits.
 */
import type { RingHandle } from '../../ring-buffers/layout.ts';
import { RingController, RingWriter } from '../../ring-buffers/ring.ts';
import { ChunkResampler } from './wire-samples.ts';

/** Audio that may wait for room in the ring, beside what the ring holds. */
const MAX_WAITING_S = 60;

interface WaitingPiece {
  readonly epoch: number;
  readonly samples: Int16Array;
  /** The last piece of a chunk: its chunk is answered when it is gone. */
  readonly endsChunk: boolean;
}

export class DownlinkFeed {
  readonly #ring: RingHandle;
  readonly #controller: RingController;
  readonly #resampler: ChunkResampler;
  readonly #maxWaitingSamples: number;
  readonly #waiting: WaitingPiece[] = [];
  #waitingSamples = 0;
  #writer: RingWriter;
  #writerEpoch: number;
  #finishedChunks = 0;
  #droppedSamples = 0;

  constructor(ring: RingHandle) {
    this.#ring = ring;
    this.#controller = new RingController(ring);
    this.#writerEpoch = this.#controller.epoch;
    this.#writer = new RingWriter(ring, this.#writerEpoch);
    this.#resampler = new ChunkResampler(this.#writer.rateHz);
    this.#maxWaitingSamples = MAX_WAITING_S * this.#writer.rateHz;
  }

  /** Whether something waits for room. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  push(bytes: Uint8Array<ArrayBuffer>, rateHz: number, epoch: number): void {
    this.#keep({ epoch, samples: this.#resampler.push(bytes, rateHz), endsChunk: true });
    this.pump();
  }

  finish(epoch: number): void {
    this.#keep({ epoch, samples: this.#resampler.finish(), endsChunk: false });
    this.pump();
  }

  /** Writes what fits. */
  pump(): void {
    for (let piece = this.#waiting[0]; piece !== undefined; piece = this.#waiting[0]) {
      const leftSamples = this.#write(piece);
      this.#waitingSamples -= piece.samples.length - leftSamples.length;
      if (leftSamples.length > 0) {
        this.#waiting[0] = { ...piece, samples: leftSamples };
        return;
      }
      this.#waiting.shift();
      if (piece.endsChunk) this.#finishedChunks += 1;
    }
  }

  /** What was finished and thrown away since the last time; null when nothing. */
  takeProgress(): { chunks: number; droppedSamples: number } | null {
    if (this.#finishedChunks === 0 && this.#droppedSamples === 0) return null;
    const progress = { chunks: this.#finishedChunks, droppedSamples: this.#droppedSamples };
    this.#finishedChunks = 0;
    this.#droppedSamples = 0;
    return progress;
  }

  #keep(piece: WaitingPiece): void {
    if (this.#waitingSamples + piece.samples.length > this.#maxWaitingSamples) {
      this.#droppedSamples += piece.samples.length;
      if (piece.endsChunk) this.#finishedChunks += 1;
      return;
    }
    this.#waiting.push(piece);
    this.#waitingSamples += piece.samples.length;
  }

  /** @returns what found no room */
  #write({ epoch, samples }: WaitingPiece): Int16Array {
    if (epoch !== this.#controller.epoch) return EMPTY; // barged in on: nobody will hear it
    if (epoch !== this.#writerEpoch) {
      this.#writer = new RingWriter(this.#ring, epoch);
      this.#writerEpoch = epoch;
    }
    const room = Math.min(samples.length, this.#writer.freeSamples);
    this.#writer.write(samples.subarray(0, room)); // of nothing, it still acknowledges a flush
    return samples.subarray(room);
  }
}

const EMPTY = new Int16Array(0);
