/**
 * Runs the callers' thread before the ones that compute while calls are up: it sends every 20 ms, and on a busy box an
 * ordinary thread is late by hundreds of ms, which would be heard as lost packets. Thread: the one that calls.
 */
import { getPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { leaveRealtime, raiseThreadPriority, setThreadNice } from '../media/thread-priority.ts';

const WANTED_NICE = -10;
/** Runs with the highest priority that is permitted; the thread then has the priority again that it had before. */
export async function punctually<Result>(run: () => Promise<Result>): Promise<Result> {
  const niceBefore = getPriority(0);
  const granted = raiseThreadPriority(WANTED_NICE);
  // Young objects are then copied by the thread itself, which does not wait for helpers of ordinary priority: on a busy
  // box that took up to 250 ms. As in media/self-reliant-worker.ts; the flag is read at each collection.
  setFlagsFromString('--no-parallel-scavenge');
  try {
    return await run();
  } finally {
    if (granted.kind === 'realtime') leaveRealtime();
    setThreadNice(niceBefore);
  }
}
