/** Where the database of calls is. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { DEFAULT_CONFIG } from '../../src/config/key-paths.ts';
import { storePathOf } from '../../src/config/state-path.ts';

const { store } = DEFAULT_CONFIG;

it.each([
  ['the state folder that the environment names', '/var/state', '/var/state/wildfire/calls.db'],
  ['the usual one where it names none', undefined, `${homedir()}/.local/state/wildfire/calls.db`],
  ['the usual one where it is empty', '', `${homedir()}/.local/state/wildfire/calls.db`],
  [
    'the usual one where it is relative, as the specification has it',
    'state',
    `${homedir()}/.local/state/wildfire/calls.db`,
  ],
])('%s', (_, XDG_STATE_HOME, path) => {
  expect(storePathOf(store, { XDG_STATE_HOME })).toBe(path);
});

it('what the configuration says, whatever the environment names', () => {
  const at = (path: string) => storePathOf({ ...store, path }, { XDG_STATE_HOME: '/var/state' });
  expect(at('/srv/calls.db')).toBe('/srv/calls.db');
  expect(at('calls.db')).toBe(resolve('calls.db'));
  expect(at(':memory:')).toBe(resolve(':memory:'));
});
