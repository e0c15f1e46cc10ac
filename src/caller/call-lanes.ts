/**
 * Calls in lanes: as many at once as there are lanes, begun evenly spaced, each lane one call after another, until all
 * were made or the time to begin is over. Thread: the caller process's main thread.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../observability/clock.ts';

export interface LaneOptions<Item> {
  /** One call each. */
  readonly items: Iterable<Item>;
  /** Calls at once, at the most. */
  readonly concurrent: number;
  /** Calls begun in a second, at the most. */
  readonly callsPerS: number;
  /** No call begins later than this after the first. Default: all items are used. */
  readonly beginWithinMs?: number | undefined;
  /** Of tests. */
  readonly clock?: LaneClock;
}

export interface LaneClock {
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

const REAL_CLOCK: LaneClock = { nowMs: monotonicMs, sleep: (ms) => delay(ms) };

/** How the run went. Times are monotonicMs(). */
export interface LaneTimes {
  readonly startedAtMs: number;
  /** When as many calls were up as ever were. */
  readonly fullAtMs: number;
  /** When the first call ended for which no other began. */
  readonly drainingAtMs: number;
  readonly endedAtMs: number;
  readonly peakConcurrent: number;
}

/**
 * Runs `call` for every item.
 * @throws what `call` throws, after the other lanes have ended
 */
export async function runLanes<Item>(
  options: LaneOptions<Item>,
  call: (item: Item) => Promise<void>,
): Promise<LaneTimes> {
  const lanes = new Lanes(options, call);
  return lanes.run();
}

class Lanes<Item> {
  readonly #options: LaneOptions<Item>;
  readonly #call: (item: Item) => Promise<void>;
  readonly #items: Iterator<Item>;
  readonly #clock: LaneClock;
  readonly #startedAtMs: number;
  #nextStartMs: number;
  #fullAtMs: number;
  #drainingAtMs: number | null = null;
  #up = 0;
  #peak = 0;

  constructor(options: LaneOptions<Item>, call: (item: Item) => Promise<void>) {
    this.#options = options;
    this.#call = call;
    this.#items = options.items[Symbol.iterator]();
    this.#clock = options.clock ?? REAL_CLOCK;
    this.#startedAtMs = this.#clock.nowMs();
    this.#nextStartMs = this.#startedAtMs;
    this.#fullAtMs = this.#startedAtMs;
  }

  async run(): Promise<LaneTimes> {
    const count = Math.max(1, this.#options.concurrent);
    const ended = await Promise.allSettled(Array.from({ length: count }, () => this.#runOne()));
    const broken = ended.find((one) => one.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
    const endedAtMs = this.#clock.nowMs();
    const { startedAtMs, fullAtMs } = { startedAtMs: this.#startedAtMs, fullAtMs: this.#fullAtMs };
    const drainingAtMs = Math.max(fullAtMs, this.#drainingAtMs ?? endedAtMs);
    return { startedAtMs, fullAtMs, drainingAtMs, endedAtMs, peakConcurrent: this.#peak };
  }

  async #runOne(): Promise<void> {
    for (let hasCalled = false; ; hasCalled = true) {
      const startMs = Math.max(this.#clock.nowMs(), this.#nextStartMs);
      const isOver = startMs - this.#startedAtMs > (this.#options.beginWithinMs ?? Number.POSITIVE_INFINITY);
      const item = isOver ? null : this.#items.next();
      if (item === null || item.done === true) {
        if (hasCalled) this.#drainingAtMs ??= this.#clock.nowMs();
        return;
      }
      this.#nextStartMs = startMs + 1000 / this.#options.callsPerS;
      await this.#clock.sleep(Math.max(0, startMs - this.#clock.nowMs()));
      await this.#runCall(item.value);
    }
  }

  async #runCall(item: Item): Promise<void> {
    this.#up += 1;
    if (this.#up > this.#peak) {
      this.#peak = this.#up;
      this.#fullAtMs = this.#clock.nowMs();
    }
    try {
      await this.#call(item);
    } finally {
      this.#up -= 1;
    }
  }
}
