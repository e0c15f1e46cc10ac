/**
 * Keys as several sources give them, the later over the earlier, each with the source it came from; and all that is
 * wrong with them, told together. Pure.
 */
import { WildfireError } from '../errors.ts';
import { controlMistakes, type Mistake } from './control-rules.ts';
import {
  CONFIG_KEYS,
  type ConfigScalar,
  type ConfigTree,
  defaultOf,
  nearestName,
  sectionOf,
} from './key-paths.ts';
import { type Config, configSchema } from './schema.ts';

export class CollectedKeys {
  readonly #tree: Record<string, Record<string, ConfigScalar>> = {};
  /** Source of the value that counts, by key. */
  readonly #sources = new Map<string, string>();
  /** One line each. */
  readonly #mistakes: string[] = [];
  /** Sections with a mistake: whether their other keys go together cannot be said. */
  readonly #doubtful = new Set<string>();

  /** @param source what a person changes to change it: a file, a variable, a flag */
  put(source: string, key: string, value: ConfigScalar): void {
    if (!CONFIG_KEYS.includes(key))
      return this.refuse(source, `unknown key "${key}"; ${suggestion(key)}`, [key]);
    const [section = '', name = ''] = key.split('.');
    this.#tree[section] = { ...this.#tree[section], [name]: value };
    this.#sources.set(key, source);
  }

  /** A value that is text at its source, read as the type that the key's default has. */
  putText(source: string, key: string, text: string): void {
    const kind = typeof defaultOf(key);
    const value = kind === 'boolean' ? booleanIn(text) : kind === 'number' ? numberIn(text) : text;
    if (value !== undefined) return this.put(source, key, value);
    const wanted = kind === 'boolean' ? 'true or false' : 'a number';
    this.refuse(source, `${key}: expected ${wanted}, got "${text}"`, [key]);
  }

  /** Notes a mistake. @param keys those that are not set because of it */
  refuse(source: string, text: string, keys: readonly string[]): void {
    this.#mistakes.push(`${source}: ${text}`);
    for (const key of keys) this.#doubtful.add(sectionOf(key));
  }

  /** The whole configuration. @throws WildfireError CONFIG_INVALID with one line per mistake, each with its source */
  toConfig(): Config {
    const { data, error } = configSchema.safeParse(this.#tree);
    for (const { path, message } of error?.issues ?? []) {
      const key = path.join('.');
      this.refuse(this.#sourceOf([key]), `${key}: ${message.replace(/^Invalid input: /, '')}`, [key]);
    }
    const config = data ?? configSchema.parse(this.#soundSections());
    for (const { keys, text } of [...rtpMistakes(config.rtp), ...controlMistakes(config.control)]) {
      if (keys.some((key) => this.#doubtful.has(sectionOf(key)))) continue;
      this.#mistakes.push(`${this.#sourceOf(keys)}: ${text}`);
    }
    if (this.#mistakes.length > 0) throw new WildfireError('CONFIG_INVALID', this.#mistakes.join('\n'));
    return config;
  }

  #soundSections(): ConfigTree {
    return Object.fromEntries(Object.entries(this.#tree).filter(([section]) => !this.#doubtful.has(section)));
  }

  #sourceOf(keys: readonly string[]): string {
    const sources = keys.map((key) => this.#sources.get(key)).filter((source) => source !== undefined);
    return [...new Set(sources)].join(', ');
  }
}

/** @returns e.g. `did you mean "sip.port"?` */
export function suggestion(wrong: string): string {
  return `did you mean "${nearestName(wrong, CONFIG_KEYS)}"?`;
}

function rtpMistakes({ portFirst, portLast }: Config['rtp']): Mistake[] {
  if (portLast > portFirst) return [];
  const text = `rtp.portLast (${portLast}) must be above rtp.portFirst (${portFirst})`;
  return [{ keys: ['rtp.portFirst', 'rtp.portLast'], text }];
}

function booleanIn(text: string): boolean | undefined {
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  return /^(false|0|no|off)$/i.test(text) ? false : undefined;
}

function numberIn(text: string): number | undefined {
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? undefined : number;
}
