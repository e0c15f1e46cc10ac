/** docs/configuration.md names every key with its real default and environment variable, and nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CONFIG_KEYS, defaultOf, environmentName } from '../../src/config/key-paths.ts';
import { REPOSITORY_ROOT } from '../architecture/source-files.ts';

const rows = [
  ...readFileSync(join(REPOSITORY_ROOT, 'docs/configuration.md'), 'utf8').matchAll(
    /^\| `(\w+\.\w+)` \| `([^`]*)` \| `(\w+)` \| (.+) \|$/gm,
  ),
];

it('documents every key once, in order', () => {
  expect(rows.map(([, key]) => key)).toEqual(CONFIG_KEYS);
});

it.each(rows.map(([, key = '', value = '', environment = '']) => ({ key, value, environment })))(
  'documents the default of $key as it is',
  ({ key, value, environment }) => {
    expect(value).toBe(defaultOf(key) === '' ? '""' : String(defaultOf(key)));
    expect(environment).toBe(environmentName(key));
  },
);
