/**
 * The database as a thing that may fail and come back: opens it when needed, again after a fault or when another file is
 * in its place, and tells faults of the file from records that it does not take. Thread: store.
 */
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { CallReader } from './call-reader.ts';
import { CallWriter } from './call-writer.ts';
import { isBusy, isEnvironmentFault, type OpenOptions, openDatabase, storeError } from './open-database.ts';
import type { StoreQuery, StoreRecord } from './store-messages.ts';

interface OpenFile {
  readonly database: DatabaseSync;
  readonly writer: CallWriter;
  readonly reader: CallReader;
  readonly inode: number;
}

export interface StoreFileOptions extends OpenOptions {
  /** Absolute. */
  readonly path: string;
  /** Of the process whose records these are. */
  readonly run: string;
}

export class StoreFile {
  readonly #options: StoreFileOptions;
  #open: OpenFile | null = null;

  constructor(options: StoreFileOptions) {
    this.#options = options;
  }

  /** @throws WildfireError STORE_UNAVAILABLE, STORE_DAMAGED, STORE_NEWER */
  open(): void {
    this.#use(() => {});
  }

  /**
   * Writes a batch, all of it or, where single records are refused, all others.
   * @returns how many were refused
   * @throws WildfireError STORE_UNAVAILABLE, STORE_DAMAGED, STORE_NEWER; then nothing was written
   */
  write(records: readonly StoreRecord[]): number {
    return this.#use(({ writer }) => {
      try {
        writer.write(this.#options.run, records);
        return 0;
      } catch (error) {
        if (isEnvironmentFault(error)) throw error;
        return this.#writeSingly(writer, records);
      }
    });
  }

  /** @returns null when there is no such call. @throws as `write` */
  answer(query: StoreQuery): object | null {
    return this.#use(({ reader }) => reader.answer(query));
  }

  /** One short step. @returns whether there may be more to delete. @throws as `write` */
  deleteOlder(cutoffMs: number, atMost: number): boolean {
    return this.#use(({ writer }) => writer.deleteOlder(cutoffMs, atMost));
  }

  /** Brings what is in the WAL into the file, unless another process has it open. */
  close(): void {
    const open = this.#open;
    this.#open = null;
    open?.database.close();
  }

  #writeSingly(writer: CallWriter, records: readonly StoreRecord[]): number {
    let refused = 0;
    for (const record of records) {
      try {
        writer.write(this.#options.run, [record]);
      } catch (error) {
        if (isEnvironmentFault(error)) throw error;
        refused += 1;
      }
    }
    return refused;
  }

  #use<T>(work: (open: OpenFile) => T): T {
    try {
      return work(this.#opened());
    } catch (error) {
      if (!isBusy(error)) this.#abandon();
      throw storeError(this.#options.path, error);
    }
  }

  #opened(): OpenFile {
    const { path } = this.#options;
    // A file that was moved or deleted would go on taking rows that nobody can find.
    if (this.#open !== null && inodeOf(path) !== this.#open.inode) this.#abandon();
    if (this.#open === null) {
      const database = openDatabase(path, this.#options);
      const [writer, reader] = [new CallWriter(database), new CallReader(database)];
      this.#open = { database, writer, reader, inode: inodeOf(path) };
    }
    return this.#open;
  }

  #abandon(): void {
    try {
      this.close();
    } catch {
      // It is being given up because it does not work; the fault that led here is told.
    }
  }
}

/** 0 where there is no file. */
function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}
