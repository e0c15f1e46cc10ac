/** Dotted names of all configuration keys, and the nearest one to a misspelt name. Pure. */
import { type Config, configSchema } from './schema.ts';

export type ConfigScalar = string | number | boolean;
/** A nested object of scalars, as a file or a flag gives it, before validation. */
export interface ConfigTree {
  [key: string]: ConfigScalar | ConfigTree;
}

/** The configuration with nothing set. */
export const DEFAULT_CONFIG: Config = configSchema.parse({});

/** Every key as `section.name`, in schema order. */
export const CONFIG_KEYS: readonly string[] = Object.entries(DEFAULT_CONFIG).flatMap(([section, keys]) =>
  Object.keys(keys).map((key) => `${section}.${key}`),
);

/** `rtp` of `rtp.portFirst`. */
export function sectionOf(key: string): string {
  return key.split('.')[0] ?? '';
}

/** The environment variable of a key: `rtp.portFirst` is WILDFIRE_RTP_PORT_FIRST. */
export function environmentName(key: string): string {
  return `WILDFIRE_${key.replace('.', '_').replace(/([a-z0-9])([A-Z])/g, '$1_$2')}`.toUpperCase();
}

/** The default of `section.name`, or undefined when there is no such key. */
export function defaultOf(key: string): ConfigScalar | undefined {
  const [section = '', name = ''] = key.split('.');
  const keys = (DEFAULT_CONFIG as unknown as Record<string, Record<string, ConfigScalar>>)[section];
  return keys !== undefined && Object.hasOwn(keys, name) ? keys[name] : undefined;
}

/** The known name that takes the fewest edits to reach from `wrong`. */
export function nearestName(wrong: string, known: readonly string[]): string {
  let best = known[0] ?? '';
  let bestEdits = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const edits = editDistance(wrong.toLowerCase(), name.toLowerCase());
    if (edits < bestEdits) [best, bestEdits] = [name, edits];
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length]!;
}
