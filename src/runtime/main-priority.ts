/**
 * The main thread's right of way: it does little, but SIP, registrations and turns wait for it, so it goes before
 * inference and before other programs of its session, and collects its young garbage by itself instead of waiting for
 * helper threads of ordinary priority (ADR 5 has the figures; a process with media has done so already). Thread: main,
 * once all other threads have been started: they would inherit the nice value. The media thread stays above it.
 */
import { setFlagsFromString } from 'node:v8';
import { setThreadNice } from '../media/thread-priority.ts';

/** As the VAD thread's: below the media thread, which asks for real-time. */
const MAIN_NICE = -5;

/** Asks for it; where it is not permitted everything works as before. @returns whether it was granted. @throws never */
export function raiseMainThread(): boolean {
  setFlagsFromString('--no-parallel-scavenge');
  return setThreadNice(MAIN_NICE);
}
