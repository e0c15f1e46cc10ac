/**
 * Watches a runtime from outside while calls are up: memory, what it holds, how late its packets and its main loop are,
 * by its HTTP status and by /proc; and how late the watching process itself is. Thread: main of the watching process.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { monotonicMs } from '../observability/clock.ts';
import { LoopDelay } from '../observability/loop-delay.ts';
import type { LoadSample } from '../stress/load-sample.ts';
import type { RuntimeFigures } from '../stress/stress-report.ts';
import type { RuntimeProcess } from './runtime-process.ts';

const quantiles = z.object({ p50: z.number(), p99: z.number(), max: z.number() });
const statusSchema = z.object({
  activeCalls: z.number(),
  held: z.record(z.string(), z.number()),
  rings: z.object({ inUse: z.number() }),
  sip: z.object({ openDialogs: z.number() }),
  media: z.object({ openSockets: z.number(), sendLatenessMs: quantiles, recentSendLatenessMs: quantiles }),
  openSequences: z.number(),
  mainLoopMs: quantiles,
  recentMainLoopMs: quantiles,
  memoryMiB: z.object({ rss: z.number() }),
});
type Status = z.output<typeof statusSchema>;

const PERIOD_MS = 1000;
/** Jiffies in a second on every Linux that Node runs on (sysconf _SC_CLK_TCK). */
const JIFFIES_PER_S = 100;
/** Resources of a call may be given back a little after its BYE. */
const SETTLE_MS = 3000;

interface Reading {
  readonly status: Status;
  readonly fds: number;
  readonly cpuS: number;
  readonly atMs: number;
}

export class RuntimeWatch {
  readonly #runtime: RuntimeProcess;
  readonly #start: Reading;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  readonly #ownLoop = new LoopDelay();
  readonly #samples: LoadSample[] = [];
  readonly #callsBefore: number;
  #finished: Promise<RuntimeFigures | null> | null = null;
  #last: Reading;
  #lastOwnCpuS = ownCpuSeconds();

  private constructor(runtime: RuntimeProcess, start: Reading) {
    this.#runtime = runtime;
    this.#start = start;
    this.#last = start;
    this.#callsBefore = runtime.calls.length;
    this.#watching = this.#watch();
  }

  /** Begins. @returns null when the runtime has no HTTP side or does not answer */
  static async start(runtime: RuntimeProcess): Promise<RuntimeWatch | null> {
    const reading = await read(runtime);
    return reading === null ? null : new RuntimeWatch(runtime, reading);
  }

  /** The newest second; null in the first. */
  get lastSample(): LoadSample | null {
    return this.#samples.at(-1) ?? null;
  }

  /** Ends, once what the last call held is back or should be. @returns null when the runtime no longer answers */
  finish(): Promise<RuntimeFigures | null> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<RuntimeFigures | null> {
    this.#stop.abort();
    await this.#watching;
    this.#ownLoop.close();
    const giveUpAtMs = monotonicMs() + SETTLE_MS;
    let end = await read(this.#runtime);
    while (
      end !== null &&
      leaks(this.#start, end).some(([, count]) => count > 0) &&
      monotonicMs() < giveUpAtMs
    ) {
      await delay(100);
      end = await read(this.#runtime);
    }
    return end === null ? null : this.#figures(end);
  }

  #figures(end: Reading): RuntimeFigures {
    const { status } = end;
    const wallS = Math.max(0.001, (end.atMs - this.#start.atMs) / 1000);
    const { p50, p99, max } = status.media.sendLatenessMs;
    return {
      cpuCores: round((end.cpuS - this.#start.cpuS) / wallS),
      rssMiB: {
        start: round(this.#start.status.memoryMiB.rss),
        peak: round(Math.max(status.memoryMiB.rss, ...this.#samples.map(({ rssMiB }) => rssMiB))),
        end: round(status.memoryMiB.rss),
      },
      mainLoopMs: {
        p50: round(status.mainLoopMs.p50),
        p99: round(status.mainLoopMs.p99),
        max: round(status.mainLoopMs.max),
      },
      sendLatenessMs: { p50, p99, max },
      leaks: Object.fromEntries(leaks(this.#start, end)),
      samples: this.#samples,
    };
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await delay(PERIOD_MS, undefined, { signal }).catch(() => {}); // aborted: the loop ends
      const reading = signal.aborted ? null : await read(this.#runtime);
      if (reading !== null) this.#note(reading);
    }
  }

  #note(reading: Reading): void {
    const { status, atMs, cpuS } = reading;
    const seconds = Math.max(0.001, (atMs - this.#last.atMs) / 1000);
    const ownCpuS = ownCpuSeconds();
    this.#samples.push({
      atS: round((atMs - this.#start.atMs) / 1000),
      calls: status.activeCalls,
      callsEnded: this.#runtime.calls.length - this.#callsBefore,
      cpuCores: round((cpuS - this.#last.cpuS) / seconds),
      callerCores: round((ownCpuS - this.#lastOwnCpuS) / seconds),
      rssMiB: round(status.memoryMiB.rss),
      mainLoopMs: round(status.recentMainLoopMs.max),
      sendLatenessMs: round(status.media.recentSendLatenessMs.max),
      callerLoopMs: round(this.#ownLoop.lastSecond.max),
    });
    this.#last = reading;
    this.#lastOwnCpuS = ownCpuS;
  }
}

function leaks(start: Reading, end: Reading): [string, number][] {
  const held = (reading: Reading): Record<string, number> => {
    const { status, fds } = reading;
    const { rtpPort = 0, timer = 0 } = status.held;
    return {
      sockets: status.media.openSockets,
      rtpPorts: rtpPort,
      rings: status.rings.inUse,
      sequences: status.openSequences,
      timers: timer,
      dialogs: status.sip.openDialogs,
      fds,
    };
  };
  const before = held(start);
  return Object.entries(held(end)).map(([name, count]) => [name, Math.max(0, count - (before[name] ?? 0))]);
}

async function read(runtime: RuntimeProcess): Promise<Reading | null> {
  const status = await fetchStatus(runtime);
  if (status === null) return null;
  return { status, fds: openFiles(runtime.pid), cpuS: cpuSeconds(runtime.pid), atMs: monotonicMs() };
}

async function fetchStatus({ webPort }: RuntimeProcess): Promise<Status | null> {
  if (webPort === null) return null;
  try {
    const response = await fetch(`http://127.0.0.1:${webPort}/api/status`, {
      signal: AbortSignal.timeout(5000),
    });
    return statusSchema.parse(await response.json());
  } catch {
    return null; // a runtime that does not answer is no figure; the calls tell that it is gone
  }
}

/** Open files that are no sockets: those of the watching come and go, and the media thread counts its own. */
function openFiles(pid: number): number {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).filter((fd) => !readlinkSync(`${folder}/${fd}`).startsWith('socket:')).length;
  } catch {
    return 0; // gone
  }
}

function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / JIFFIES_PER_S; // utime and stime: proc(5), fields 14 and 15
  } catch {
    return 0; // gone
  }
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
