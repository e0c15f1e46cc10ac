/**
 * Memory that was freed, given back to the system. malloc keeps what a thread once needed: V8's compiler takes up to 20 MiB
 * for one large function, and leaves it free for a thread that may never compile such a one again. Thread: any.
 */
import { nativeAddon } from './addon.ts';

/**
 * Begins to give back what is free in whole pages, of every thread, and does not wait for it.
 * @returns whether it was begun: not while it is under way, nor where there is no addon or malloc is not glibc's
 */
export function releaseFreeMemory(): boolean {
  return nativeAddon().addon?.releaseFreeMemory() ?? false;
}
