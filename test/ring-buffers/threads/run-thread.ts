/** Starts one of the thread files beside this one and waits for the one result that it posts. */
import { Worker } from 'node:worker_threads';

/** @throws whatever the thread threw, or when it ended without a result. */
export function runThread<Result>(file: string, workerData: unknown): Promise<Result> {
  const worker = new Worker(new URL(file, import.meta.url), { workerData, execArgv: [] });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`${file} ended with ${code} before it had a result`)));
  });
}
