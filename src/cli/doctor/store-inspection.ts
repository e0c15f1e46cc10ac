/** What `doctor` finds out about the database of calls, without making or changing it. Thread: main. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { storePathOf } from '../../config/state-path.ts';
import { messageOf } from '../../errors.ts';
import { checkDatabase, storeError } from '../../store/open-database.ts';
import { type Finding, ok } from './finding.ts';

const NAME = 'calls are kept';

/** A problem where `start` would refuse to start. */
export function inspectStore({ store }: Config): Finding {
  if (!store.enabled) return ok(NAME, 'no (store.enabled=false)');
  const path = storePathOf(store);
  try {
    if (existsSync(path)) checkDatabase(path);
    else accessSync(nearestFolder(path), constants.W_OK | constants.X_OK);
  } catch (error) {
    return { name: NAME, value: path, verdict: 'problem', advice: messageOf(storeError(path, error)) };
  }
  const words = store.keepText ? 'with' : 'without';
  return ok(NAME, `in ${path} for ${store.retentionDays || 'any number of'} days, ${words} what was said`);
}

/** The folder of the file, or the first one above it that there is: `start` makes the others in it. */
function nearestFolder(path: string): string {
  let folder = dirname(path);
  while (!existsSync(folder)) folder = dirname(folder);
  // A file in the place of a folder cannot be entered.
  return `${folder}/.`;
}
