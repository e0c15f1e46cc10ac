/**
 * How much garbage lies in the JavaScript heaps of the process's threads: V8 lets a heap grow by 30 % before it looks
 * for garbage in all of it. A call leaves 5 to 50 KiB in each of five threads, so a quiet box came to that only after a
 * quarter of an hour, and memory rose until then as if something leaked. A collection stops a thread for 2 to 7 ms.
 * Thread: main, once everything runs: a start makes much that stays, and would be collected all the time.
 */
import { setFlagsFromString } from 'node:v8';

const GROWTH_PERCENT = 10;

/** Of all threads, those to come included. @throws never */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
