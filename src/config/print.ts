/** An effective configuration in other forms: for a person, secrets masked; for another process, whole. Pure. */
import { stringify } from 'smol-toml';
import type { Config } from './schema.ts';

const SECRET_NAME = /(password|secret|token|apikey)$/i;

/** The configuration as plain data with the value of every secret replaced by `***`. */
export function maskSecrets(config: Config): Record<string, Record<string, unknown>> {
  const masked: Record<string, Record<string, unknown>> = {};
  for (const [section, keys] of Object.entries(config)) {
    masked[section] = Object.fromEntries(
      Object.entries(keys).map(([name, value]) => [
        name,
        SECRET_NAME.test(name) && value !== '' ? '***' : value,
      ]),
    );
  }
  return masked;
}

/** The configuration as TOML text, secrets masked. */
export function printConfig(config: Config): string {
  return stringify(maskSecrets(config));
}

/** Every key as the `key=value` that `--set` reads, secrets not masked: for a process that gets the same one. */
export function settingsOf(config: Config): string[] {
  return Object.entries(config).flatMap(([section, keys]) =>
    Object.entries(keys).map(([name, value]) => `${section}.${name}=${value}`),
  );
}
