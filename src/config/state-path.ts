/**
 * Where the database of calls is when the configuration names no file: in the user's state folder, not in the folder
 * that a command happens to run in. Reads process.env. Thread: main, at start.
 * Source: XDG Base Directory Specification 0.8, XDG_STATE_HOME.
 */
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { Config } from './schema.ts';

/** @returns the absolute path of the database */
export function storePathOf(
  { path }: Config['store'],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (path !== '') return resolve(path);
  const { XDG_STATE_HOME: named = '' } = environment;
  // "If an implementation encounters a relative path it should consider the path invalid and ignore it."
  const state = isAbsolute(named) ? named : join(homedir(), '.local', 'state');
  return join(state, 'wildfire', 'calls.db');
}
