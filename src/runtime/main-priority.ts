/**
 * The main thread's OS priority: it does little, but SIP, registrations and turns wait for it, so it goes before
 * inference and before other programs of its session. Thread: main, once all other threads have been started: they
 * would inherit it. The media thread stays above it.
 */
import { setThreadNice } from '../media/thread-priority.ts';

/** As the VAD thread's: below the media thread, which asks for real-time. */
const MAIN_NICE = -5;

/** Asks for it; where it is not permitted everything works as before. @returns whether it was granted. @throws never */
export function raiseMainThread(): boolean {
  return setThreadNice(MAIN_NICE);
}
