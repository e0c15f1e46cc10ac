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

/** Groups that are not called like their folder. */
const FOLDER_OF_GROUP: Readonly<Record<string, string>> = { rings: 'ring-buffers' };

/**
 * The benches that are meant.
 * @param wanted a folder or group (`rings`): those of it that give rows; any other part of a name: every bench whose
 *   name contains it; `all` is every one
 * @param only last parts of names (`recogniser,cost`); empty: no further choice
 * @throws WildfireError USAGE_INVALID that names the nearest one
 */
export function chosenBenches(
  names: readonly string[],
  wanted: readonly string[],
  only: readonly string[],
): string[] {
  const chosen = new Set<string>();
  for (const part of wanted) {
    const matching = matchingBenches(names, part);
    if (matching.length === 0) throw unknown(part, names);
    for (const name of matching) chosen.add(name);
  }
  const meant = names.filter((name) => chosen.has(name));
  const groups = meant.map((name) => basename(name));
  for (const group of only) if (!groups.includes(group)) throw unknown(group, groups);
  return only.length === 0 ? meant : meant.filter((name) => only.includes(basename(name)));
}

function matchingBenches(names: readonly string[], part: string): readonly string[] {
  if (part === 'all') return names;
  const folder = `${FOLDER_OF_GROUP[part] ?? part}/`;
  const ofGroup = names.filter((name) => name.startsWith(folder) && givesRows(name));
  return ofGroup.length > 0 ? ofGroup : names.filter((name) => name.includes(part));
}

function unknown(part: string, names: readonly string[]): WildfireError {
  const folders = names.map((name) => name.split('/')[0] ?? name);
  const known = new Set([...names, ...folders, ...Object.keys(FOLDER_OF_GROUP)]);
  const nearest = nearestName(part, [...known]);
  return new WildfireError(
    'USAGE_INVALID',
    `no bench is named like "${part}"; did you mean "${nearest}"? --list shows all`,
  );
}
