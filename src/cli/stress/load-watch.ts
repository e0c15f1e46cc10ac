/**
 * Watches a run second by second: how late the calling process itself is and what it uses, and, where the runtime was
 * started for the run, the same of the runtime as seen from outside. Thread: main of the calling process.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../../observability/clock.ts';
import { LoopDelay } from '../../observability/loop-delay.ts';
import {
  type LoadSample,
  ofRuntime,
  type RuntimeFigures,
  type RuntimeSample,
  type WatchedLoad,
} from '../../stress/load-sample.ts';
import type { RuntimeProcess } from '../runtime-process.ts';
import { leaksBetween, type RuntimeReading, readRuntime } from './runtime-reading.ts';

const PERIOD_MS = 1000;
/** Resources of a call may be given back a little after its BYE. */
const SETTLE_MS = 3000;

export class LoadWatch {
  readonly #runtime: RuntimeProcess | null;
  readonly #callsEnded: () => number;
  readonly #startedAtMs = monotonicMs();
  /** Null where there is no runtime to look at. */
  readonly #start: RuntimeReading | null;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  readonly #ownLoop = new LoopDelay();
  readonly #samples: LoadSample[] = [];
  #finished: Promise<WatchedLoad> | null = null;
  #last: RuntimeReading | null;
  #lastOwn = { cpuS: ownCpuSeconds(), atMs: monotonicMs() };

  private constructor(
    runtime: RuntimeProcess | null,
    callsEnded: () => number,
    start: RuntimeReading | null,
  ) {
    this.#runtime = runtime;
    this.#callsEnded = callsEnded;
    this.#start = start;
    this.#last = start;
    this.#watching = this.#watch();
  }

  /** Begins. @param runtime null when the target is somebody else's: only the calling process is watched */
  static async start(runtime: RuntimeProcess | null, callsEnded: () => number): Promise<LoadWatch> {
    const reading = runtime === null ? null : await readRuntime(runtime);
    return new LoadWatch(runtime, callsEnded, reading);
  }

  /** The newest second; null in the first. */
  get lastSample(): LoadSample | null {
    return this.#samples.at(-1) ?? null;
  }

  /** Ends, once what the last call held is back or should be. */
  finish(): Promise<WatchedLoad> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<WatchedLoad> {
    this.#stop.abort();
    await this.#watching;
    this.#ownLoop.close();
    const end =
      this.#runtime === null || this.#start === null ? null : await settled(this.#runtime, this.#start);
    return {
      startedAtMs: this.#startedAtMs,
      samples: this.#samples,
      runtime: this.#start === null || end === null ? null : this.#figures(this.#start, end),
    };
  }

  #figures(start: RuntimeReading, end: RuntimeReading): RuntimeFigures {
    const { status } = end;
    const wallS = Math.max(0.001, (end.atMs - start.atMs) / 1000);
    const { p50, p99, max } = status.media.sendLatenessMs;
    const peakMiB = ofRuntime(this.#samples).reduce((most, { rssMiB }) => Math.max(most, rssMiB), 0);
    return {
      cpuCores: round((end.cpuS - start.cpuS) / wallS),
      rssMiB: {
        start: round(start.status.memoryMiB.rss),
        peak: round(Math.max(start.status.memoryMiB.rss, status.memoryMiB.rss, peakMiB)),
        end: round(status.memoryMiB.rss),
      },
      mainLoopMs: {
        p50: round(status.mainLoopMs.p50),
        p99: round(status.mainLoopMs.p99),
        max: round(status.mainLoopMs.max),
      },
      sendLatenessMs: { p50, p99, max },
      leaks: leaksBetween(start, end),
    };
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await delay(PERIOD_MS, undefined, { signal }).catch(() => {}); // aborted: the loop ends
      if (signal.aborted) return;
      const reading = this.#runtime === null ? null : await readRuntime(this.#runtime);
      this.#samples.push({ ...this.#sampleOfCallers(), ...this.#sampleOfRuntime(reading) });
    }
  }

  #sampleOfCallers(): LoadSample {
    const now = { cpuS: ownCpuSeconds(), atMs: monotonicMs() };
    const seconds = Math.max(0.001, (now.atMs - this.#lastOwn.atMs) / 1000);
    const callerCores = round((now.cpuS - this.#lastOwn.cpuS) / seconds);
    this.#lastOwn = now;
    return {
      atS: round((now.atMs - this.#startedAtMs) / 1000),
      callsEnded: this.#callsEnded(),
      callerCores,
      callerLoopMs: round(this.#ownLoop.lastSecond.max),
    };
  }

  #sampleOfRuntime(reading: RuntimeReading | null): RuntimeSample | null {
    const last = this.#last;
    if (reading === null || last === null) return null;
    this.#last = reading;
    const { status, atMs, cpuS } = reading;
    return {
      calls: status.activeCalls,
      cpuCores: round((cpuS - last.cpuS) / Math.max(0.001, (atMs - last.atMs) / 1000)),
      rssMiB: round(status.memoryMiB.rss),
      mainLoopMs: round(status.recentMainLoopMs.max),
      sendLatenessMs: round(status.media.recentSendLatenessMs.max),
    };
  }
}

/** The runtime once nothing leaks, or when it is no longer waited for. */
async function settled(runtime: RuntimeProcess, start: RuntimeReading): Promise<RuntimeReading | null> {
  const giveUpAtMs = monotonicMs() + SETTLE_MS;
  for (;;) {
    const end = await readRuntime(runtime);
    const isClean = end === null || Object.values(leaksBetween(start, end)).every((count) => count === 0);
    if (isClean || monotonicMs() >= giveUpAtMs) return end;
    await delay(100);
  }
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
