/**
 * Runs one bench that exports `benchRows` and sends its result to bench/main.ts. A process of its own, so that
 * no bench finds the threads, the heap or the models of another.
 * Run by bench/main.ts: node bench/run-rows.ts FILE OPTIONS-AS-JSON
 */
import { pathToFileURL } from 'node:url';
import { reportError } from '../src/cli/exit-codes.ts';
import type { BenchOptions, BenchResult } from './bench-row.ts';

const [file = '', options = '{}'] = process.argv.slice(2);
try {
  const { benchRows } = (await import(pathToFileURL(file).href)) as {
    benchRows(options: BenchOptions): Promise<BenchResult>;
  };
  const result = await benchRows(JSON.parse(options) as BenchOptions);
  await new Promise<void>((resolve) => process.send?.(result, () => resolve()) ?? resolve());
} catch (error) {
  process.exitCode = reportError(error);
} finally {
  if (process.connected) process.disconnect();
}
