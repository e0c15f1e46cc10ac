/**
 * Live progress of `stress` on stderr: on a terminal one table that is drawn over each second, elsewhere a line every ten.
 * Lines of single calls stand above it. Thread: main.
 */
import { type LoadSample, ofRuntime } from '../../stress/load-sample.ts';
import { percentilesOf } from '../../stress/percentiles.ts';

const PERIOD_MS = 1000;
const PLAIN_EVERY = 10;
const CLEAR_LINE = '\u001b[2K';

export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** What has happened so far; the run counts it up. */
export class RunTally {
  readonly waitsMs: number[] = [];
  ended = 0;
  failed = 0;
  goalsMet = 0;
  lost = 0;
}

export class StressProgress {
  readonly #stream: ProgressStream;
  readonly #sample: () => LoadSample | null;
  readonly #tally: RunTally;
  readonly #timer: NodeJS.Timeout;
  #drawnLines = 0;
  #beats = 0;

  /** Begins to draw. @param sample the newest second; null in the first */
  constructor(stream: ProgressStream, tally: RunTally, sample: () => LoadSample | null) {
    this.#stream = stream;
    this.#tally = tally;
    this.#sample = sample;
    this.#timer = setInterval(() => this.#draw(), PERIOD_MS);
    this.#timer.unref();
  }

  /** A line that stays. */
  line(text: string): void {
    this.#erase();
    this.#stream.write(`${text}\n`);
  }

  /** The last drawing is erased: the report follows. */
  close(): void {
    clearInterval(this.#timer);
    this.#erase();
  }

  #draw(): void {
    this.#beats += 1;
    const rows = progressRows(this.#tally, this.#sample());
    if (this.#stream.isTTY !== true) {
      if (this.#beats % PLAIN_EVERY === 0)
        this.#stream.write(`  ${rows.map((row) => row.join(' ')).join('; ')}\n`);
      return;
    }
    this.#erase();
    const width = Math.max(...rows.map(([name]) => name.length));
    this.#stream.write(rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join(''));
    this.#drawnLines = rows.length;
  }

  #erase(): void {
    if (this.#drawnLines > 0) this.#stream.write(`\u001b[1A${CLEAR_LINE}`.repeat(this.#drawnLines));
    this.#drawnLines = 0;
  }
}

/** The rows of the table: name and value. Pure. */
export function progressRows(tally: RunTally, sample: LoadSample | null): [string, string][] {
  const { ended, failed, goalsMet, lost, waitsMs } = tally;
  const waits = percentilesOf(waitsMs);
  const rows: [string, string][] = [
    ['calls', `${sample?.calls === undefined ? '' : `${sample.calls} up, `}${ended} ended, ${failed} failed`],
    ['goals met', `${goalsMet} of ${ended}`],
  ];
  if (waits !== null)
    rows.push(['voice to voice', `${waits.p50} ms p50, ${waits.p95} ms p95, ${waitsMs.length} turns`]);
  if (sample === null) return rows;
  for (const { cpuCores, rssMiB, mainLoopMs, sendLatenessMs } of ofRuntime([sample])) {
    rows.push(['runtime', `${cpuCores} cores, ${Math.round(rssMiB)} MiB, packets ${lost} lost`]);
    rows.push(['late by', `main loop ${mainLoopMs} ms, packets ${sendLatenessMs} ms`]);
  }
  rows.push(['callers', `${sample.callerCores} cores, late by ${sample.callerLoopMs} ms`]);
  return rows;
}
