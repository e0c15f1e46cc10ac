/**
 * media.sendLateness.saturated: how late the packets of 20 legs leave while one hog per core computes at the priority of
 * inference, against setInterval under the same load. Both are counted from one absolute schedule, so drift counts: what
 * leaves late for good makes the caller's buffer run dry. Limit: p99 <= 20 ms.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { DEFAULT_CONFIG } from '../../src/config/key-paths.ts';
import { MediaClient } from '../../src/media/media-client.ts';
import { type BenchResult, quantiles, rounded } from '../bench-row.ts';
import { startHogs } from './cpu-hogs.ts';
import type { PacerReport } from './interval-pacer.worker.ts';
import { openLegs } from './open-legs.ts';

const LEGS = 20;
const MEASURED_MS = 10_000;

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const hogNice = DEFAULT_CONFIG.inference.niceIncrement;
  const hogs = await startHogs(hogNice);
  try {
    const { sendLatenessMs: own, priority, ticks } = await ourPacer();
    const naive = quantiles('setInterval', 'ms', await intervalPacer());
    const row = {
      name: 'media.sendLateness.saturated',
      unit: 'ms',
      p50: own.p50,
      p99: own.p99,
      max: own.max,
      baseline: 'setInterval',
      baselineP50: naive.p50,
      baselineP99: naive.p99,
      ratio: rounded(naive.p50 / own.p50),
      remark: `setInterval p99 ${naive.p99}`,
    };
    return { rows: [{ ...row, legs: LEGS, hogNice, priority, ticks }] };
  } finally {
    await hogs.stop();
  }
}

async function ourPacer() {
  const client = await MediaClient.start({ portFirst: 20_000, portLast: 29_999, mediaTimeoutMs: 60_000 });
  await openLegs(client, LEGS, { peerOf: (callId, legs) => legs[callId]!.rtpPort });
  await passed(MEASURED_MS);
  const snapshot = await client.snapshot();
  await client.close();
  return snapshot;
}

async function intervalPacer(): Promise<readonly number[]> {
  const worker = new Worker(new URL('./interval-pacer.worker.ts', import.meta.url), {
    workerData: { legs: LEGS },
  });
  await passed(MEASURED_MS);
  // Both are awaited from here on: a thread that is gone may hand over its last message and its end in one go.
  const over = Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  worker.postMessage('stop');
  const [[{ latenessMs }]] = (await over) as [[PacerReport], unknown[]];
  return latenessMs;
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
