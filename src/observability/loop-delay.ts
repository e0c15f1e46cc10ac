/**
 * How late the main loop is: since the start, and in the last whole second. Thread: main.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The histogram's samples are at least this long; what is above it is delay. */
const RESOLUTION_MS = 10;
const RECENT_MS = 1000;

export interface DelayMs {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export class LoopDelay {
  readonly #all = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #recent = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #lastSecond: DelayMs = { p50: 0, p99: 0, max: 0 };

  constructor() {
    this.#all.enable();
    this.#recent.enable();
    this.#timer = setInterval(() => this.#rotate(), RECENT_MS).unref();
  }

  /** Since the start. */
  get all(): DelayMs {
    return delayOf(this.#all);
  }

  get lastSecond(): DelayMs {
    return this.#lastSecond;
  }

  /** Forgets what was before: loading models is no delay of the main thread's own work. */
  reset(): void {
    this.#all.reset();
    this.#recent.reset();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#all.disable();
    this.#recent.disable();
  }

  #rotate(): void {
    this.#lastSecond = delayOf(this.#recent);
    this.#recent.reset();
  }
}

function delayOf(histogram: ReturnType<typeof monitorEventLoopDelay>): DelayMs {
  return {
    p50: delayMs(histogram.percentile(50)),
    p99: delayMs(histogram.percentile(99)),
    max: delayMs(histogram.max),
  };
}

function delayMs(sampleNs: number): number {
  return Math.max(0, sampleNs / 1e6 - RESOLUTION_MS);
}
