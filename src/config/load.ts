/**
 * Builds the effective configuration: flag > environment > file > default. Every mistake names its source, the
 * key and what is allowed. Reads process.env. Thread: main, at start.
 */
import { readFileSync } from 'node:fs';
import { parse as parseToml, TomlError } from 'smol-toml';
import { messageOf } from '../errors.ts';
import { CollectedKeys, suggestion } from './collected-keys.ts';
import { CONFIG_KEYS, type ConfigScalar, type ConfigTree, environmentName } from './key-paths.ts';
import type { Config } from './schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigSources {
  /** A TOML file; none when undefined. */
  readonly file?: string | undefined;
  /** `--set key=value`, in order. */
  readonly settings?: readonly string[];
  readonly environment?: Environment;
}

/**
 * Reads, merges and validates.
 * @throws WildfireError CONFIG_INVALID with one line per mistake, of all sources together.
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  const collected = new CollectedKeys();
  if (sources.file !== undefined) collectFile(collected, sources.file);
  collectEnvironment(collected, sources.environment ?? process.env);
  for (const setting of sources.settings ?? []) collectSetting(collected, setting);
  return collected.toConfig();
}

/**
 * The environment for a process that is to have these settings: this one's, and they. It is its owner's to read; a command
 * line is everybody's, and a secret may be among them.
 * @param settings `key=value`; of two for one key the last counts
 * @throws WildfireError CONFIG_INVALID where that process would refuse them
 */
export function childEnvironment(
  settings: readonly string[],
  environment: Environment = process.env,
): Record<string, string | undefined> {
  loadConfig({ settings, environment });
  const named = settings.map((setting) => {
    const at = setting.indexOf('=');
    return [environmentName(setting.slice(0, at)), setting.slice(at + 1)] as const;
  });
  return { ...environment, ...Object.fromEntries(named) };
}

function collectFile(collected: CollectedKeys, file: string): void {
  for (const [section, keys] of Object.entries(parseFile(collected, file))) {
    if (typeof keys !== 'object') {
      collected.refuse(file, `"${section}" stands outside a [section]; ${suggestion(section)}`, CONFIG_KEYS);
      continue;
    }
    for (const [name, value] of Object.entries(keys)) {
      collected.put(file, `${section}.${name}`, value as ConfigScalar);
    }
  }
}

function parseFile(collected: CollectedKeys, file: string): ConfigTree {
  try {
    return parseToml(readFileSync(file, 'utf8')) as ConfigTree;
  } catch (error) {
    if (error instanceof TomlError) {
      const where = `${file}:${error.line}:${error.column}`;
      collected.refuse(where, `not valid TOML: ${error.message.split('\n')[0]}`, CONFIG_KEYS);
    } else {
      collected.refuse(file, `cannot read the configuration file: ${messageOf(error)}`, CONFIG_KEYS);
    }
    return {};
  }
}

function collectEnvironment(collected: CollectedKeys, environment: Environment): void {
  for (const key of CONFIG_KEYS) {
    const name = environmentName(key);
    const text = environment[name];
    if (text !== undefined) collected.putText(name, key, text);
  }
}

function collectSetting(collected: CollectedKeys, setting: string): void {
  const at = setting.indexOf('=');
  if (at < 1) {
    const text = 'expected key=value, for example --set sip.port=5070';
    collected.refuse(`--set ${setting}`, text, CONFIG_KEYS);
  } else {
    collected.putText('--set', setting.slice(0, at), setting.slice(at + 1));
  }
}
