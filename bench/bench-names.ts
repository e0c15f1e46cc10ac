/** Which benches there are, and which of them a command line means. Thread: main. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nearestName } from '../src/config/key-paths.ts';
import { WildfireError } from '../src/errors.ts';

const BENCH_ROOT = fileURLToPath(new URL('.', import.meta.url));
const SUFFIX = '.bench.ts';

/** Every bench as `folder/name`, sorted. */
export function benchNames(): string[] {
  return readdirSync(BENCH_ROOT, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(SUFFIX))
    .map((entry) => relative(BENCH_ROOT, join(entry.parentPath, entry.name)).replace(SUFFIX, ''))
    .sort();
}

export function benchFile(name: string): string {
  return join(BENCH_ROOT, `${name}${SUFFIX}`);
}

/** Whether a bench hands over rows; the others print by themselves. */
export function givesRows(name: string): boolean {
  return /^export (async )?function benchRows\b/m.test(readFileSync(benchFile(name), 'utf8'));
}

/**
 * The benches that are meant.
 * @param wanted a whole name, its folder or a part of it; `all` is every one
 * @param only last parts of names (`recogniser,cost`); empty: no further choice
 * @throws WildfireError USAGE_INVALID that names the nearest one
 */
export function chosenBenches(
  names: readonly string[],
  wanted: readonly string[],
  only: readonly string[],
): string[] {
  for (const part of wanted) {
    if (part !== 'all' && !names.some((name) => name.includes(part))) throw unknown(part, names);
  }
  const meant = names.filter((name) => wanted.some((part) => part === 'all' || name.includes(part)));
  const groups = meant.map((name) => basename(name));
  for (const group of only) if (!groups.includes(group)) throw unknown(group, groups);
  return only.length === 0 ? meant : meant.filter((name) => only.includes(basename(name)));
}

function unknown(part: string, names: readonly string[]): WildfireError {
  const folders = names.map((name) => name.split('/')[0] ?? name);
  const nearest = nearestName(part, [...new Set([...names, ...folders])]);
  return new WildfireError(
    'USAGE_INVALID',
    `no bench is named like "${part}"; did you mean "${nearest}"? --list shows all`,
  );
}
