/**
 * Thread priority: asks the operating system to run this thread before the ones that compute.
 * Thread: the one that calls it. Setup only. Linux: a nice value belongs to a thread, not to the process (sched(7)).
 */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Sets the nice value of the calling thread.
 * @param nice -20 (first) to 19 (last); below 0 needs CAP_SYS_NICE or a raised RLIMIT_NICE
 * @returns the value, or null when it is not permitted or this is not Linux. @throws never
 */
export function setThreadNice(nice: number): number | null {
  try {
    const threadId = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(threadId, nice);
    return nice;
  } catch {
    return null; // without it packets leave later under load, nothing else changes
  }
}
