/**
 * What waits for the store: bounded, in the order in which it came, one batch under way at a time. A batch stays here
 * until it is known to be written. Thread: main. Pure.
 */
import type { StoreRecord } from './store-messages.ts';

export class RecordQueue {
  readonly #most: number;
  readonly #batchRecords: number;
  #waiting: StoreRecord[] = [];
  #batch: readonly StoreRecord[] = [];

  /** @param most records that wait beside the batch under way; @param batchRecords of one batch at the most */
  constructor(most: number, batchRecords: number) {
    this.#most = most;
    this.#batchRecords = batchRecords;
  }

  /** Records that are not known to be written. */
  get length(): number {
    return this.#waiting.length + this.#batch.length;
  }

  /** The batch under way; empty when there is none. */
  get batch(): readonly StoreRecord[] {
    return this.#batch;
  }

  /** @returns false when it is full: the record, the newest of all, is not taken */
  add(record: StoreRecord): boolean {
    if (this.#waiting.length >= this.#most) return false;
    this.#waiting.push(record);
    return true;
  }

  /** Makes the oldest records the batch under way, unless one is. @returns whether there is a new one to send */
  nextBatch(): boolean {
    if (this.#batch.length > 0 || this.#waiting.length === 0) return false;
    this.#batch = this.#waiting.splice(0, this.#batchRecords);
    return true;
  }

  /** The batch under way is written. @returns how many records it had */
  settleBatch(): number {
    const { length } = this.#batch;
    this.#batch = [];
    return length;
  }
}
