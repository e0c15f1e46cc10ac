/**
 * Opens the database of calls, new or old, and tells what is wrong with it in words that its owner can act on.
 * Thread: store. WAL: readers and one writer do not wait for each other; NORMAL: a commit survives the end of the
 * process at once, that of the box from the next checkpoint on. Source: sqlite.org/wal.html, sqlite.org/pragma.html.
 */
import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, WildfireError } from '../errors.ts';
import { makeFolder } from './make-folder.ts';
import { MIGRATIONS, migrate, schemaVersion } from './migrations.ts';

/** "WfDB": marks the file as ours (PRAGMA application_id). */
export const APPLICATION_ID = 0x57_66_44_42;
/** Calls are their owner's business. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Primary result codes of SQLite that are faults of the file, the disk or a neighbour. Source: sqlite.org/rescode.html. */
const CODES = {
  busy: 5,
  locked: 6,
  noMemory: 7,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  notADatabase: 26,
} as const;
const ENVIRONMENT_CODES: ReadonlySet<number> = new Set(Object.values(CODES));
const DAMAGE_CODES: ReadonlySet<number> = new Set([CODES.corrupt, CODES.notADatabase]);
/** Switching a new file to WAL does not wait for a neighbour that does the same; these attempts do. */
const OPEN_ATTEMPTS = 20;
const OPEN_PAUSE_MS = 50;

export interface OpenOptions {
  /** How long a write waits for another process that writes. */
  readonly busyTimeoutMs: number;
  /** The file grows no further than this many pages of 4 KiB, then it is full as a disk is; no limit by default. */
  readonly mostPages?: number;
}

/**
 * Opens and migrates; makes folder and file where they are not.
 * @param path absolute
 * @throws WildfireError STORE_UNAVAILABLE, STORE_DAMAGED, STORE_NEWER
 */
export function openDatabase(path: string, options: OpenOptions): DatabaseSync {
  makeFile(path);
  for (let attempt = 1; ; attempt++) {
    try {
      return openFile(path, options);
    } catch (error) {
      if (!isBusy(error) || attempt === OPEN_ATTEMPTS) throw storeError(path, error);
      pauseThread(OPEN_PAUSE_MS);
    }
  }
}

/**
 * Looks at a file that there is, and changes nothing.
 * @throws WildfireError as openDatabase would
 */
export function checkDatabase(path: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      refuseForeign(database, path);
    } finally {
      database.close();
    }
  } catch (error) {
    throw storeError(path, error);
  }
}

/** Whether the file, the disk or another process is at fault, rather than what was to be written. */
export function isEnvironmentFault(error: unknown): boolean {
  return error instanceof WildfireError || ENVIRONMENT_CODES.has(primaryCodeOf(error));
}

/** Whether another process holds the lock: the connection itself is sound. */
export function isBusy(error: unknown): boolean {
  return primaryCodeOf(error) === CODES.busy;
}

/** What went wrong, for its owner and as a code. */
export function storeError(path: string, error: unknown): WildfireError {
  if (error instanceof WildfireError) return error;
  const reason = messageOf(error);
  if (DAMAGE_CODES.has(primaryCodeOf(error))) return damaged(path, reason);
  return new WildfireError(
    'STORE_UNAVAILABLE',
    `cannot keep calls in ${path}: ${reason}; set store.path to a place that can be written, or store.enabled=false`,
    { retryable: true, cause: error },
  );
}

function damaged(path: string, reason: string): WildfireError {
  return new WildfireError(
    'STORE_DAMAGED',
    `${path} is damaged or not a database of calls: ${reason}; move it away for a new one, or set store.path`,
  );
}

function makeFile(path: string): void {
  try {
    makeFolder(dirname(path), FOLDER_MODE);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined && !found.isFile()) throw new Error('it is not a file');
    closeSync(openSync(path, 'a', FILE_MODE));
  } catch (error) {
    throw storeError(path, error);
  }
}

function openFile(path: string, { busyTimeoutMs, mostPages }: OpenOptions): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    refuseForeign(database, path);
    const { journal_mode: mode } = database.prepare('PRAGMA journal_mode').get() ?? {};
    if (mode !== 'wal') database.exec('PRAGMA journal_mode = WAL');
    // Deleted rows are overwritten: what was said must not be found in the file afterwards.
    database.exec('PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON');
    if (mostPages !== undefined) database.exec(`PRAGMA max_page_count = ${mostPages}`);
    if (isEmpty(database)) database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    migrate(database);
    // Damage shows itself at the first reading at the latest.
    for (const table of ['calls', 'turns']) {
      database.prepare(`SELECT * FROM ${table} ORDER BY id DESC LIMIT 1`).get();
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function refuseForeign(database: DatabaseSync, path: string): void {
  const { application_id: owner } = database.prepare('PRAGMA application_id').get() ?? {};
  if (owner !== APPLICATION_ID && !isEmpty(database)) throw damaged(path, 'another program made it');
  const version = schemaVersion(database);
  if (version > MIGRATIONS.length) {
    throw new WildfireError(
      'STORE_NEWER',
      `${path} was written by a newer Wildfire (schema ${version}, this one knows ${MIGRATIONS.length}); ` +
        'update this one, or set store.path to another file',
    );
  }
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
}

/** SQLite's primary result code; 0 for anything else. */
function primaryCodeOf(error: unknown): number {
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : 0;
}

function pauseThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
