/**
 * Thread priority: asks the operating system to run this thread before the ones that compute.
 * Thread: the one that calls it. Setup only. Linux: a nice value and a scheduling class belong to a thread, not to the
 * process (sched(7)). Measured in bench/media/waiting.bench.ts.
 *
 * The nice value only counts among threads of one session or service: Linux shares the cores evenly between sessions
 * (autogroups) and between cgroups first. The real-time class stands above all of that, and the kernel's throttle
 * (sched_rt_runtime_us, 95 %) bounds what a runaway thread can take.
 */
import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** What was granted: real-time round robin, a nice value, or neither. */
export type ThreadPriority =
  | { readonly kind: 'realtime' | 'normal' }
  | { readonly kind: 'nice'; readonly nice: number };

/** The lowest real-time priority: above every ordinary thread, below anything that means it. */
const REALTIME_PRIORITY = '1';
const CHRT_TIMEOUT_MS = 2000;

/**
 * Raises the calling thread as far as it is permitted: real-time, else the nice value, else nothing.
 * @param nice -20 (first) to 19 (last); below 0 needs CAP_SYS_NICE or a raised RLIMIT_NICE. Real-time is only asked
 * for when it is negative.
 * @throws never
 */
export function raiseThreadPriority(nice: number): ThreadPriority {
  const isNiced = setThreadNice(nice);
  if (nice < 0 && setRealtime()) return { kind: 'realtime' };
  return isNiced ? { kind: 'nice', nice } : { kind: 'normal' };
}

/** Sets the nice value of the calling thread. @returns whether it was permitted. @throws never */
export function setThreadNice(nice: number): boolean {
  try {
    setPriority(threadId(), nice);
    return true;
  } catch {
    return false; // packets leave later under load, nothing else changes
  }
}

/** Puts the calling thread into SCHED_RR with the chrt of util-linux. @returns whether it worked. @throws never */
export function setRealtime(): boolean {
  try {
    const args = ['--rr', '--reset-on-fork', '--pid', REALTIME_PRIORITY, String(threadId())];
    execFileSync('chrt', args, { stdio: 'ignore', timeout: CHRT_TIMEOUT_MS });
    return true;
  } catch {
    return false; // not installed or not permitted: the nice value has to do
  }
}

/** Puts the calling thread back among the ordinary ones. @returns whether it worked. @throws never */
export function leaveRealtime(): boolean {
  try {
    const args = ['--other', '--pid', '0', String(threadId())];
    execFileSync('chrt', args, { stdio: 'ignore', timeout: CHRT_TIMEOUT_MS });
    return true;
  } catch {
    return false; // the thread keeps its priority; what it was granted it may keep
  }
}

function threadId(): number {
  return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
}
