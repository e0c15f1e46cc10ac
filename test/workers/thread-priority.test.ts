/** Thread priorities on real threads; Linux only. */
import { access } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { inferenceThreadIds, lowerInferenceThreads } from '../../src/workers/thread-priority.ts';

const THREAD_URL = new URL('./thread-priority-thread.worker.ts', import.meta.url);

async function niceOfThread(
  niceIncrement: number,
): Promise<{ lowered: boolean; nice: number; again: number }> {
  const worker = new Worker(THREAD_URL, { workerData: { niceIncrement } });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

describe.skipIf(process.platform !== 'linux')('thread priority on Linux', () => {
  it('lowers one thread and leaves the others', async () => {
    const before = getPriority(process.pid);
    const target = Math.min(19, before + 3);
    expect(await niceOfThread(3)).toEqual({ lowered: true, nice: target, again: target });
    expect(getPriority(process.pid)).toBe(before);
  });

  it('never raises a thread', async () => {
    const before = getPriority(process.pid);
    expect((await niceOfThread(0)).nice).toBe(before);
  });

  it("lowers libuv's pool, where llama.cpp decodes", async () => {
    await access('.'); // the pool exists from its first use on
    const target = Math.min(19, getPriority(process.pid) + 2);
    const threadIds = inferenceThreadIds();
    expect(threadIds.length).toBeGreaterThan(0);
    expect(lowerInferenceThreads(2)).toBe(threadIds.length);
    expect(threadIds.map((threadId) => getPriority(threadId) >= target)).not.toContain(false);
  });
});
