/**
 * Playout clock: the 20 ms beat of all legs, on an absolute monotonic schedule, so that it never drifts.
 * Thread: media. Hot: one tick per 20 ms. `PlayoutSchedule` is pure; `PlayoutClock` waits.
 * Walk: step 4. Choice of the way to wait: bench/media/playout-clock.bench.ts.
 *
 * A tick is due at start + n * 20 ms. The thread sleeps in its event loop, where it receives datagrams, until shortly
 * before that, and for the rest in a futex, which wakes within 0.1 ms where a timer is rounded to whole milliseconds.
 */
import { TICK_MS } from './frame.ts';

/**
 * Late ticks that are made up for at once. Three packets in a burst fit into any receiver's jitter buffer (60 ms);
 * more would be thrown away there, so the stream skips ahead instead.
 */
export const CATCH_UP_TICKS = 3;
/** How long before a tick the event loop is left: a timer fires up to 1 ms late, and setting one costs a little. */
const FUTEX_WAIT_MS = 1.5;
/** Later than this, waiting datagrams are read before the tick is run: they belong to it. */
const READ_FIRST_MS = 5;

/** One beat: `ticks` frames are to be made up to `dueMs`; of their packets the last `sends` are to be sent. */
export interface Beat {
  /** When the latest of the ticks was due. */
  dueMs: number;
  ticks: number;
  sends: number;
}

/** The arithmetic of the schedule. */
export class PlayoutSchedule {
  readonly #startMs: number;
  #tick = 1;
  readonly #beat: Beat = { dueMs: 0, ticks: 0, sends: 0 };
  ticksRun = 0;
  ticksCaughtUp = 0;
  ticksSkipped = 0;

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** When the next tick is due. Computed from its number, so that no error adds up. */
  get nextDueMs(): number {
    return this.#startMs + this.#tick * TICK_MS;
  }

  /**
   * The beat to run now: one tick when in time, more after a stall.
   * @returns a record that is filled anew at each call. @throws never
   */
  takeBeat(nowMs: number): Beat {
    const lateTicks = Math.max(0, Math.floor((nowMs - this.nextDueMs) / TICK_MS));
    const beat = this.#beat;
    beat.ticks = 1 + lateTicks;
    beat.sends = lateTicks < CATCH_UP_TICKS ? beat.ticks : 1;
    this.ticksRun += beat.ticks;
    this.ticksCaughtUp += beat.sends - 1;
    this.ticksSkipped += beat.ticks - beat.sends;
    this.#tick += lateTicks;
    beat.dueMs = this.nextDueMs;
    this.#tick += 1;
    return beat;
  }
}

export interface PlayoutClockOptions {
  readonly nowMs: () => number;
  readonly onBeat: (beat: Beat) => void;
  /** From now to the first beat. Default TICK_MS. */
  readonly firstBeatMs?: number;
}

/** Runs a schedule in the event loop of this thread. */
export class PlayoutClock {
  readonly schedule: PlayoutSchedule;
  readonly #nowMs: () => number;
  readonly #onBeat: (beat: Beat) => void;
  readonly #futex = new Int32Array(new SharedArrayBuffer(4));
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: PlayoutClockOptions) {
    this.#nowMs = options.nowMs;
    this.#onBeat = options.onBeat;
    this.schedule = new PlayoutSchedule(options.nowMs() + (options.firstBeatMs ?? TICK_MS) - TICK_MS);
    this.#sleep();
  }

  /** No beat after this. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #sleep(): void {
    if (this.#isStopped) return;
    const remainingMs = this.schedule.nextDueMs - this.#nowMs();
    this.#timer = setTimeout(this.#wake, Math.max(0, Math.floor(remainingMs - FUTEX_WAIT_MS)));
  }

  readonly #wake = (): void => {
    const remainingMs = this.schedule.nextDueMs - this.#nowMs();
    if (remainingMs < -READ_FIRST_MS) {
      setImmediate(this.#run);
      return;
    }
    if (remainingMs > 0) Atomics.wait(this.#futex, 0, 0, remainingMs);
    this.#run();
  };

  readonly #run = (): void => {
    if (this.#isStopped) return;
    this.#onBeat(this.schedule.takeBeat(this.#nowMs()));
    this.#sleep();
  };
}
