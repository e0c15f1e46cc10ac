/**
 * Builds the effective configuration: flag > environment > file > default. Every mistake names its source, the
 * key and what is allowed. Reads process.env. Thread: main, at start.
 */
import { readFileSync } from 'node:fs';
import { parse as parseToml, TomlError } from 'smol-toml';
import type { z } from 'zod';
import { messageOf, WildfireError } from '../errors.ts';
import { controlMistakes } from './control-rules.ts';
import {
  CONFIG_KEYS,
  type ConfigScalar,
  type ConfigTree,
  defaultOf,
  environmentName,
  nearestName,
} from './key-paths.ts';
import { type Config, configSchema } from './schema.ts';

export interface ConfigSources {
  /** A TOML file; none when undefined. */
  readonly file?: string | undefined;
  /** `--set key=value`, in order. */
  readonly settings?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads, merges and validates.
 * @throws WildfireError CONFIG_INVALID with one line per mistake.
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  const tree: ConfigTree = {};
  if (sources.file !== undefined) mergeFile(tree, sources.file);
  mergeEnvironment(tree, sources.environment ?? process.env);
  for (const setting of sources.settings ?? []) mergeSetting(tree, setting);
  return validate(tree);
}

function mergeFile(tree: ConfigTree, file: string): void {
  const parsed = parseFile(file);
  for (const [section, keys] of Object.entries(parsed)) {
    if (typeof keys !== 'object') {
      throw invalid(`${file}: "${section}" stands outside a [section]; ${suggestion(section)}`);
    }
    for (const [name, value] of Object.entries(keys)) {
      assertKnown(`${section}.${name}`, file);
      put(tree, `${section}.${name}`, value as ConfigScalar);
    }
  }
}

function parseFile(file: string): ConfigTree {
  try {
    return parseToml(readFileSync(file, 'utf8')) as ConfigTree;
  } catch (error) {
    if (error instanceof TomlError) {
      throw invalid(`${file}:${error.line}:${error.column}: not valid TOML: ${error.message.split('\n')[0]}`);
    }
    throw invalid(`cannot read the configuration file ${file}: ${messageOf(error)}`);
  }
}

function mergeEnvironment(tree: ConfigTree, environment: Readonly<Record<string, string | undefined>>): void {
  for (const key of CONFIG_KEYS) {
    const name = environmentName(key);
    const text = environment[name];
    if (text !== undefined) put(tree, key, scalarLike(key, text, name));
  }
}

function mergeSetting(tree: ConfigTree, setting: string): void {
  const at = setting.indexOf('=');
  if (at < 1) throw invalid(`--set ${setting}: expected key=value, for example --set sip.port=5070`);
  const key = setting.slice(0, at);
  assertKnown(key, '--set');
  put(tree, key, scalarLike(key, setting.slice(at + 1), `--set ${key}`));
}

function validate(tree: ConfigTree): Config {
  const result = configSchema.safeParse(tree);
  if (!result.success) throw invalid(result.error.issues.map(describeIssue).join('\n'));
  const { rtp } = result.data;
  if (rtp.portLast <= rtp.portFirst) {
    throw invalid(`rtp.portLast (${rtp.portLast}) must be above rtp.portFirst (${rtp.portFirst})`);
  }
  const mistakes = controlMistakes(result.data.control);
  if (mistakes.length > 0) throw invalid(mistakes.join('\n'));
  return result.data;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  return `${issue.path.join('.')}: ${issue.message.replace(/^Invalid input: /, '')}`;
}

/** Text from a flag or the environment, read as the type that the key's default has. */
function scalarLike(key: string, text: string, source: string): ConfigScalar {
  const kind = typeof defaultOf(key);
  if (kind === 'string') return text;
  if (kind === 'boolean') {
    if (/^(true|1|yes|on)$/i.test(text)) return true;
    if (/^(false|0|no|off)$/i.test(text)) return false;
    throw invalid(`${source}: expected true or false, got "${text}"`);
  }
  const number = Number(text);
  if (text.trim() === '' || Number.isNaN(number))
    throw invalid(`${source}: expected a number, got "${text}"`);
  return number;
}

function assertKnown(key: string, source: string): void {
  if (!CONFIG_KEYS.includes(key)) throw invalid(`${source}: unknown key "${key}"; ${suggestion(key)}`);
}

function suggestion(wrong: string): string {
  return `did you mean "${nearestName(wrong, CONFIG_KEYS)}"?`;
}

function put(tree: ConfigTree, key: string, value: ConfigScalar): void {
  const [section = '', name = ''] = key.split('.');
  const keys = (tree[section] ?? {}) as ConfigTree;
  keys[name] = value;
  tree[section] = keys;
}

function invalid(message: string): WildfireError {
  return new WildfireError('CONFIG_INVALID', message);
}
