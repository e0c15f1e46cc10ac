/**
 * One look at a runtime from outside: what it holds, how late it is, memory and CPU, by its HTTP status and by /proc.
 * Thread: main of the watching process.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { z } from 'zod';
import { monotonicMs } from '../../observability/clock.ts';
import type { RuntimeProcess } from '../runtime-process.ts';

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

/** Jiffies in a second on every Linux that Node runs on (sysconf _SC_CLK_TCK). */
const JIFFIES_PER_S = 100;

export interface RuntimeReading {
  readonly status: Status;
  readonly fds: number;
  /** Since the process began. */
  readonly cpuS: number;
  readonly atMs: number;
}

/** @returns null when the runtime has no HTTP side or does not answer */
export async function readRuntime(runtime: RuntimeProcess): Promise<RuntimeReading | null> {
  const status = await fetchStatus(runtime);
  if (status === null) return null;
  return { status, fds: openFiles(runtime.pid), cpuS: cpuSeconds(runtime.pid), atMs: monotonicMs() };
}

/** What is held at the end over what was held at the start, by kind. */
export function leaksBetween(start: RuntimeReading, end: RuntimeReading): Record<string, number> {
  const before = held(start);
  return Object.fromEntries(
    Object.entries(held(end)).map(([name, count]) => [name, Math.max(0, count - (before[name] ?? 0))]),
  );
}

function held({ status, fds }: RuntimeReading): Record<string, number> {
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
