/**
 * Which way of waiting for the 20 ms tick is the most exact, while the thread's event loop keeps receiving?
 *   timer    setTimeout to the absolute time, nothing else
 *   spin     setTimeout to 1.5 ms before, then spinning
 *   futex    setTimeout to 1.5 ms before, then Atomics.wait (what PlayoutClock does)
 *   block    Atomics.wait for the whole time, one turn of the event loop per tick
 * Each runs in a thread at nice 0, at nice -10 and real-time, idle and with one hog per core at nice 10.
 * Run: node bench/media/waiting.bench.ts [seconds]
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { LatenessHistogram, type LatenessSummary } from '../../src/media/lateness-histogram.ts';
import { setRealtime, setThreadNice } from '../../src/media/thread-priority.ts';
import { startHogs } from './cpu-hogs.ts';

const WAYS = ['timer', 'spin', 'futex', 'block'] as const;
const PRIORITIES = ['nice 0', 'nice -10', 'realtime'] as const;
type Priority = (typeof PRIORITIES)[number];
type Way = (typeof WAYS)[number];
interface Task {
  readonly way: Way;
  readonly priority: Priority;
  readonly ticks: number;
}
const TICK_MS = 20;
const MARGIN_MS = 1.5;

function runTicks({ way, priority, ticks }: Task): void {
  if (priority === 'nice -10') setThreadNice(-10);
  if (priority === 'realtime') setRealtime();
  const lateness = new LatenessHistogram();
  const futex = new Int32Array(new SharedArrayBuffer(4));
  const startMs = performance.now();
  const startCpu = process.threadCpuUsage();
  let tick = 1;
  const dueMs = (): number => startMs + tick * TICK_MS;
  const finish = (): void => {
    const cpu = process.threadCpuUsage(startCpu);
    const cpuShare = (cpu.user + cpu.system) / 1000 / (performance.now() - startMs);
    parentPort!.postMessage({ ...lateness.summary(), cpuShare });
  };
  const run = (): void => {
    lateness.add(performance.now() - dueMs());
    tick += 1;
    if (tick > ticks) finish();
    else sleep();
  };
  const wake = (): void => {
    const remainingMs = dueMs() - performance.now();
    if (way === 'timer' && remainingMs > 0) {
      setTimeout(wake, remainingMs);
      return;
    }
    if (way === 'spin') while (performance.now() < dueMs());
    else if (remainingMs > 0) Atomics.wait(futex, 0, 0, remainingMs);
    run();
  };
  const sleep = (): void => {
    const marginMs = way === 'timer' ? 0 : MARGIN_MS;
    if (way === 'block') setImmediate(wake);
    else setTimeout(wake, Math.max(0, Math.floor(dueMs() - performance.now() - marginMs)));
  };
  sleep();
}

function measure(task: Task): Promise<LatenessSummary & { readonly cpuShare: number }> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: task });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function main(): Promise<void> {
  const ticks = Math.round(Number(process.argv[2] ?? 5) * 50);
  for (const hogNice of [null, 10]) {
    const hogs = hogNice === null ? null : await startHogs(hogNice);
    for (const priority of PRIORITIES) {
      for (const way of WAYS) {
        const { p50, p99, max, cpuShare } = await measure({ way, priority, ticks });
        const load = hogs === null ? 'as it is' : `hogs nice ${hogNice}`;
        console.log(
          `${load.padEnd(13)} thread ${priority.padEnd(8)}  ${way.padEnd(6)} ` +
            `p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} max ${max.toFixed(2)} ms  cpu ${(cpuShare * 100).toFixed(1)} %`,
        );
      }
    }
    await hogs?.stop();
  }
}

if (isMainThread) await main();
else runTicks(workerData as Task);
