/**
 * The main thread's right of way: it does little, but SIP, registrations and turns wait for it, so it goes before
 * inference, and collects its young garbage by itself instead of waiting for helper threads of ordinary priority
 * (ADR 5; a process with media has done so already). Thread: main, once all other threads have been started: they would
 * inherit the nice value. Decision: docs/adr/0008-main-thread-priority.md.
 */
import { setFlagsFromString } from 'node:v8';
import { setRealtime, setThreadNice } from '../media/thread-priority.ts';

/** As the VAD thread's: below the media thread, which asks for real-time. */
const MAIN_NICE = -5;

/**
 * Asks for it; where it is not permitted everything works as before.
 * @param hasMedia whether a media thread runs here, which must stay above the main thread
 * @returns what was granted
 * @throws never
 */
export function raiseMainThread(hasMedia: boolean): 'realtime' | 'nice' | 'normal' {
  setFlagsFromString('--no-parallel-scavenge');
  if (!hasMedia && setRealtime()) return 'realtime';
  return setThreadNice(MAIN_NICE) ? 'nice' : 'normal';
}
