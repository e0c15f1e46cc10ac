/** The options that every command with a configuration shares. */
import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';

export interface ConfigOptions {
  readonly config?: string;
  readonly set: readonly string[];
}

/** Adds --config and --set. */
export function withConfigOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', 'TOML configuration file')
    .option('-s, --set <key=value>', 'set one configuration key; may be repeated', collect, []);
}

/** The effective configuration of a command. @throws WildfireError CONFIG_INVALID */
export function configOf(options: ConfigOptions): Config {
  return loadConfig({ file: options.config, settings: options.set });
}

/** Parses a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) {
      throw new InvalidArgumentError(`expected a whole number of at least ${least}.`);
    }
    return value;
  };
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
