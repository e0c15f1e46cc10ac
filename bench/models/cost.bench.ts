/**
 * models.sizeMiB: every byte under the pack's folder, listed or not. models.coldStartMs: from starting the process to
 * being ready for calls, on free ports, weights and all; the files may be in the page cache.
 * Run: node bench/main.ts models/cost [--pack PACK]
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { loadPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import { type BenchOptions, type BenchResult, figure, quantiles } from '../bench-row.ts';
import { packMachine } from './engines.ts';
import { judged } from './targets.ts';

const STARTS = 5;

export async function benchRows({ pack, limit }: BenchOptions): Promise<BenchResult> {
  const loaded = await loadPack(packFolderOf(pack));
  const { folder } = loaded;
  const files = filesUnder(folder);
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const startMs: number[] = [];
  for (let start = 0; start < Math.min(STARTS, limit ?? STARTS); start++) {
    startMs.push(await coldStartMs(folder));
    console.error(`   start ${start + 1}: ${startMs.at(-1)?.toFixed(0)} ms`);
  }
  return {
    rows: [
      judged(figure('models.sizeMiB', 'MiB', bytes / 2 ** 20, { bytes, files: files.length })),
      judged(quantiles('models.coldStartMs', 'ms', startMs)),
    ],
    machine: packMachine(loaded),
  };
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** @throws WildfireError as RuntimeProcess.start when it ended before it was ready */
async function coldStartMs(packFolder: string): Promise<number> {
  const own = ['sip.bindAddress=127.0.0.1', 'sip.port=0', 'web.port=0', 'log.level=warn'];
  const startedAtMs = performance.now();
  const runtime = await RuntimeProcess.start([...own, `models.pack=${packFolder}`]);
  const readyMs = performance.now() - startedAtMs;
  await runtime.stop();
  return readyMs;
}
