/**
 * Runs the callers' thread before the ones that compute while calls are up: it sends every 20 ms, and on a busy box an
 * ordinary thread is late by hundreds of ms, which would be heard as lost packets. Thread: the one that calls.
 */
import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { raiseThreadPriority, setThreadNice } from '../media/thread-priority.ts';

const WANTED_NICE = -10;
const CHRT_TIMEOUT_MS = 2000;

/** Runs with the highest priority that is permitted; the thread then has the priority again that it had before. */
export async function punctually<Result>(run: () => Promise<Result>): Promise<Result> {
  const niceBefore = getPriority(0);
  const granted = raiseThreadPriority(WANTED_NICE);
  try {
    return await run();
  } finally {
    if (granted.kind === 'realtime') leaveRealtime();
    setThreadNice(niceBefore);
  }
}

function leaveRealtime(): void {
  try {
    const threadId = readlinkSync('/proc/thread-self').split('/').at(-1) ?? '';
    execFileSync('chrt', ['--other', '--pid', '0', threadId], { stdio: 'ignore', timeout: CHRT_TIMEOUT_MS });
  } catch {
    // the thread keeps its priority; what it was granted it may keep
  }
}
