/**
 * OS priority of threads, so that inference never delays the media thread. Linux gives every thread its own nice
 * value and new threads inherit their creator's; elsewhere these functions do nothing and say so.
 * Thread: any; call before a model is loaded, and `lowerInferenceThreads` again after the first inference.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

const HIGHEST_NICE = 19;

/**
 * libuv's pool runs llama.cpp's decode and sampling; ggml's own threads are made by it and inherit name and nice.
 * The pool is created by whichever thread first used it, usually main, so it does not inherit a worker's nice.
 */
const INFERENCE_THREAD_NAMES: ReadonlySet<string> = new Set(['libuv-worker', 'ggml']);

/**
 * Lowers the calling thread, and the threads it will create, to `niceIncrement` below the process's main thread.
 * Calling it again changes nothing.
 * @param niceIncrement 0..19
 * @returns whether the thread now runs at that priority or lower
 * @throws never
 */
export function lowerThreadPriority(niceIncrement: number): boolean {
  if (process.platform !== 'linux') return false;
  // On Linux pid 0 means the calling thread, not the process.
  return raiseNice(0, targetNice(niceIncrement));
}

/**
 * Lowers the threads that do inference for everybody: libuv's pool (llama.cpp decodes there) and ggml's threads.
 * They also serve main's file and DNS work, which can wait.
 * @param niceIncrement 0..19, relative to the main thread
 * @returns threads now at that priority or lower
 * @throws never
 */
export function lowerInferenceThreads(niceIncrement: number): number {
  if (process.platform !== 'linux') return 0;
  const nice = targetNice(niceIncrement);
  return inferenceThreadIds().filter((threadId) => raiseNice(threadId, nice)).length;
}

/** Linux thread ids of libuv's pool and ggml's threads; empty elsewhere. */
export function inferenceThreadIds(): number[] {
  try {
    return readdirSync('/proc/self/task')
      .filter((threadId) => INFERENCE_THREAD_NAMES.has(threadName(threadId)))
      .map(Number);
  } catch {
    return []; // no /proc: nothing to find
  }
}

// The main thread's id is the process id, and its nice value is the one the operator gave the process.
function targetNice(niceIncrement: number): number {
  return Math.min(HIGHEST_NICE, getPriority(process.pid) + niceIncrement);
}

function raiseNice(threadId: number, nice: number): boolean {
  try {
    if (getPriority(threadId) < nice) setPriority(threadId, nice);
    return true;
  } catch {
    return false; // the thread has ended, or a container forbids it
  }
}

function threadName(threadId: string): string {
  try {
    return readFileSync(`/proc/self/task/${threadId}/comm`, 'utf8').trim();
  } catch {
    return ''; // ended while we looked
  }
}
