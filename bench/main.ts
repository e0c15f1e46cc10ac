/**
 * Runs benches by name, one after another, each in a process of its own.
 * Run: npm run bench -- --list · npm run bench -- sip rings
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const BENCH_ROOT = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(BENCH_ROOT, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.bench.ts'))
  .map((entry) => relative(BENCH_ROOT, join(entry.parentPath, entry.name)).replace('.bench.ts', ''))
  .sort();

const wanted = process.argv.slice(2);
if (wanted.length === 0 || wanted.includes('--list') || wanted.includes('--help')) {
  console.log(
    `Benches (any part of a name will do; "all" runs every one):\n${names.map((name) => `  ${name}`).join('\n')}`,
  );
} else {
  process.exitCode = runAll(
    names.filter((name) => wanted.some((part) => part === 'all' || name.includes(part))),
  );
}

function runAll(chosen: readonly string[]): number {
  if (chosen.length === 0) {
    console.error(`no bench is named like ${wanted.join(' or ')}; --list shows them`);
    return 2;
  }
  const failed = chosen.filter((name) => {
    console.error(`== ${name}`);
    return (
      spawnSync(process.execPath, [join(BENCH_ROOT, `${name}.bench.ts`)], { stdio: 'inherit' }).status !== 0
    );
  });
  return failed.length === 0 ? 0 : 1;
}
