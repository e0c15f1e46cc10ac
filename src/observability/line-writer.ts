/**
 * Lines for a file descriptor whose other end may be slow, stuck, full or gone: a disk that is being written back, a pager,
 * `head`. The loop never waits for it and a failed write ends nothing: what finds no room is dropped and counted. One write is
 * under way at a time, so lines stay in order. Thread: any.
 */
import { write, writeSync } from 'node:fs';

/** Some minutes of a busy runtime's log. */
const MOST_WAITING_BYTES = 2 ** 20;
/** A write takes one of the four threads that Node has for files: not line by line, nor everything at once. */
const MOST_WRITE_BYTES = 2 ** 16;
/** Until the next try when there is no room. Pipes do not block once Node has opened `process.stderr`. */
const RETRY_MS = 50;
/** Of the last tries, at the end of the process, those without room in a row. */
const MOST_LAST_TRIES = 20;

/** Why a line was not written: the other end is too slow, or takes nothing. */
export type DropReason = 'queueFull' | 'writeFailed';

export interface LineWriterOptions {
  /** So many lines were dropped. */
  readonly dropped: (reason: DropReason, lines: number) => void;
  /** A write succeeded after `lines` lines had been dropped, and there is room for more. */
  readonly recovered: (lines: number) => void;
}

/** Lines, the last of them perhaps written in part. */
interface Chunk {
  readonly lines: number;
  readonly bytes: Buffer;
}

export class LineWriter {
  readonly #fd: number;
  readonly #options: LineWriterOptions;
  #waiting: Chunk[] = [];
  #waitingBytes = 0;
  /** A write is under way, or will be tried again. */
  #isBusy = false;
  #droppedLines = 0;
  /** Nobody reads any more: what comes is for nobody. */
  #isClosed = false;

  constructor(fd: number, options: LineWriterOptions) {
    this.#fd = fd;
    this.#options = options;
  }

  /** Takes a line, its end included, and returns at once. */
  write(line: string): void {
    if (this.#isClosed) return;
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > MOST_WAITING_BYTES) return this.#drop(1, 'queueFull');
    this.#waiting.push({ lines: 1, bytes });
    this.#waitingBytes += bytes.length;
    if (!this.#isBusy) this.#writeNext();
  }

  /** Writes what waits before it returns, for a process that ends. Gives up after a second without room, or at an error. */
  flushSync(): void {
    let triesLeft = MOST_LAST_TRIES;
    while (this.#waiting.length > 0 && triesLeft > 0) {
      const { bytes, lines } = this.#take(MOST_WRITE_BYTES);
      const writtenBytes = this.#writeSync(bytes);
      if (writtenBytes === null) return;
      if (writtenBytes < bytes.length) this.#putBack({ bytes: bytes.subarray(writtenBytes), lines });
      else this.#tellRecovered();
      triesLeft = writtenBytes > 0 ? MOST_LAST_TRIES : triesLeft - 1;
      if (writtenBytes === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }

  /** @returns bytes written, 0 where there is no room now, null where there is no use */
  #writeSync(bytes: Buffer): number | null {
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 0 : null;
    }
  }

  #writeNext(): void {
    this.#isBusy = this.#waiting.length > 0;
    if (this.#isBusy) this.#writeChunk(this.#take(MOST_WRITE_BYTES));
  }

  /** Takes whole lines out of the queue, at least one if one waits. */
  #take(mostBytes: number): Chunk {
    const taken: Buffer[] = [];
    let takenBytes = 0;
    let lines = 0;
    for (const chunk of this.#waiting) {
      if (taken.length > 0 && takenBytes + chunk.bytes.length > mostBytes) break;
      taken.push(chunk.bytes);
      takenBytes += chunk.bytes.length;
      lines += chunk.lines;
    }
    this.#waiting.splice(0, taken.length);
    this.#waitingBytes -= takenBytes;
    return { lines, bytes: Buffer.concat(taken) };
  }

  #putBack(chunk: Chunk): void {
    this.#waiting.unshift(chunk);
    this.#waitingBytes += chunk.bytes.length;
  }

  #writeChunk({ lines, bytes }: Chunk): void {
    write(this.#fd, bytes, (error, writtenBytes) => {
      if (error !== null) return this.#failed(error, { lines, bytes });
      if (writtenBytes < bytes.length)
        return this.#writeChunk({ lines, bytes: bytes.subarray(writtenBytes) });
      this.#tellRecovered();
      this.#writeNext();
    });
  }

  #failed(error: NodeJS.ErrnoException, chunk: Chunk): void {
    if (error.code === 'EAGAIN') {
      this.#putBack(chunk);
      setTimeout(() => this.#writeNext(), RETRY_MS).unref();
      return;
    }
    this.#drop(chunk.lines, 'writeFailed');
    this.#isClosed = error.code === 'EPIPE';
    if (this.#isClosed) this.#take(Number.POSITIVE_INFINITY);
    this.#writeNext();
  }

  #drop(lines: number, reason: DropReason): void {
    this.#droppedLines += lines;
    this.#options.dropped(reason, lines);
  }

  #tellRecovered(): void {
    const lines = this.#droppedLines;
    if (lines === 0 || this.#waitingBytes > MOST_WAITING_BYTES / 2) return;
    this.#droppedLines = 0;
    this.#options.recovered(lines);
  }
}
