/** The database itself, on real files: what is written comes back, whatever the file was before. No thread here. */
import {
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { WildfireError } from '../../src/errors.ts';
import { STAGE_COLUMNS, TURN_COLUMNS } from '../../src/store/columns.ts';
import { MIGRATIONS, migrate, schemaVersion } from '../../src/store/migrations.ts';
import { APPLICATION_ID } from '../../src/store/open-database.ts';
import { StoreFile } from '../../src/store/store-file.ts';
import type { StoreQuery, StoreRecord } from '../../src/store/store-messages.ts';
import { callReport, turnReport } from './reports.ts';
import { scratchFolder } from './scratch-folder.ts';

const RUN = 'ab12';
const WALL_MS = Date.UTC(2026, 4, 6, 7, 8, 9, 123);
const scratch = scratchFolder();

interface CallDocument {
  readonly call: Record<string, unknown>;
  readonly turns: readonly Record<string, unknown>[];
}

function open(path: string, run = RUN): StoreFile {
  return new StoreFile({ path, run, busyTimeoutMs: 50 });
}

function turn(fields: Parameters<typeof turnReport>[0] = {}, atMs = WALL_MS): StoreRecord {
  return { kind: 'turn', atMs, turn: turnReport(fields) };
}

function started(callId: number, atMs = WALL_MS, sipCallId = `${callId}@x`): StoreRecord {
  return { kind: 'callStarted', atMs, callId, sipCallId };
}

function page(query: object): StoreQuery {
  return { limit: 50, before: null, call: null, ...query } as unknown as StoreQuery;
}

function turnsOf(file: StoreFile, query: object = {}): { turnId: number; id: string }[] {
  return (file.answer(page({ kind: 'turns', ...query })) as { turns: { turnId: number; id: string }[] })
    .turns;
}

/** The code with which opening fails. */
function codeOfOpening(path: string): string {
  try {
    open(path).open();
    return 'opened';
  } catch (error) {
    if (!(error instanceof WildfireError)) throw error;
    expect(error.message).toContain(path);
    return error.code;
  }
}

describe('what is written', () => {
  it('comes back to the bit, from another opening of the file', () => {
    const path = scratch();
    const written = open(path);
    expect(written.write([started(1, WALL_MS - 10_000, 'sip-1'), turn({ sipCallId: 'sip-1' })])).toBe(0);
    written.write([{ kind: 'callEnded', atMs: WALL_MS + 1, call: callReport({ sipCallId: 'sip-1' }) }]);
    written.close();
    const file = open(path, 'another');
    const { call, turns } = file.answer({ kind: 'call', call: 'sip-1' }) as CallDocument;
    expect(call).toEqual({
      id: 'ab12-1',
      ...callReport({ sipCallId: 'sip-1' }),
      spokenTurns: 1,
      startedAt: '2026-05-06T07:07:59.123Z',
      endedAt: '2026-05-06T07:08:09.124Z',
    });
    expect(turns).toEqual([
      { id: 'ab12-1', decidedAt: '2026-05-06T07:08:09.123Z', ...turnReport({ sipCallId: 'sip-1' }) },
    ]);
    file.close();
  });

  it('has no end while the call is up, and its turns so far', () => {
    const file = open(scratch());
    file.write([started(1), turn(), turn({ turnId: 2 })]);
    expect(file.answer({ kind: 'call', call: 'ab12-1' })).toMatchObject({
      call: {
        endedAt: null,
        endedBy: null,
        durationMs: null,
        rtp: null,
        ledger: null,
        turns: 2,
        spokenTurns: null,
      },
      turns: [{ turnId: 1 }, { turnId: 2 }],
      isWhole: true,
    });
    file.close();
  });

  it('is there once although a batch comes twice', () => {
    const file = open(scratch());
    const batch = [started(1), turn(), { kind: 'callEnded', atMs: WALL_MS, call: callReport() }] as const;
    file.write(batch);
    file.write(batch);
    expect(turnsOf(file)).toHaveLength(1);
    expect(file.answer(page({ kind: 'calls' }))).toMatchObject({ calls: [{ turns: 1 }], next: null });
    file.close();
  });

  it('keeps the turns of a call whose start was dropped', () => {
    const file = open(scratch());
    file.write([turn({ callId: 7 })]);
    expect(file.answer({ kind: 'call', call: 'ab12-7' })).toMatchObject({ turns: [{ turnId: 1 }] });
    file.close();
  });

  it('may be without words', () => {
    const file = open(scratch());
    file.write([{ kind: 'turn', atMs: WALL_MS, turn: { ...turnReport(), heard: null, reply: null } }]);
    expect(turnsOf(file)).toMatchObject([{ heard: null, reply: null, confidence: 0.1 + 0.2 }]);
    file.close();
  });

  it('is refused record by record where a value is none', () => {
    const file = open(scratch());
    expect(file.write([turn(), turn({ turnId: 2, voiceToVoiceMs: Number.NaN }), turn({ turnId: 3 })])).toBe(
      1,
    );
    expect(turnsOf(file).map(({ turnId }) => turnId)).toEqual([3, 1]);
    file.close();
  });

  it('has a column for every field', () => {
    const path = scratch();
    const file = open(path);
    file.open();
    file.close();
    const database = new DatabaseSync(path);
    const columns = database.prepare("SELECT name FROM pragma_table_info('turns')").all();
    const named = [
      ...Object.values(TURN_COLUMNS),
      ...Object.values(STAGE_COLUMNS),
      'id',
      'call',
      'decided_at_wall_ms',
    ];
    expect(columns.map(({ name }) => name).sort()).toEqual(named.sort());
    database.close();
  });
});

describe('two runs', () => {
  it('with the same callId are two calls; a SIP Call-ID means the newest', () => {
    const path = scratch();
    const [one, two] = [open(path, 'aa'), open(path, 'bb')];
    one.write([started(1, WALL_MS, 'same'), turn({ sipCallId: 'same' })]);
    two.write([started(1, WALL_MS, 'same'), turn({ sipCallId: 'same', turnId: 9 })]);
    expect(one.answer({ kind: 'call', call: 'aa-1' })).toMatchObject({ turns: [{ turnId: 1 }] });
    expect(one.answer({ kind: 'call', call: 'same' })).toMatchObject({
      call: { id: 'bb-1' },
      turns: [{ turnId: 9 }],
    });
    expect(turnsOf(two, { call: 'aa-1' })).toMatchObject([{ id: 'aa-1' }]);
    one.close();
    two.close();
  });

  it('may make the file at the same time', () => {
    const path = scratch();
    const files = Array.from({ length: 4 }, (_, at) => open(path, `a${at}`));
    for (const file of files) file.open();
    for (const file of files) file.write([turn()]);
    expect(turnsOf(files[0]!)).toHaveLength(4);
    for (const file of files) file.close();
  });
});

describe('pages', () => {
  it('lead from the newest to the oldest, each row once, whatever is added meanwhile', () => {
    const file = open(scratch());
    for (let callId = 1; callId <= 25; callId++) file.write([started(callId)]);
    const seen: number[] = [];
    let before: number | null = null;
    do {
      const query: StoreQuery = { kind: 'calls', limit: 5, before };
      const answer = file.answer(query) as { calls: { callId: number }[]; next: number | null };
      seen.push(...answer.calls.map(({ callId }) => callId));
      before = answer.next;
      file.write([started(100 + seen.length)]);
    } while (before !== null);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, at) => 25 - at));
    file.close();
  });

  it('of the turns of one call have no others', () => {
    const file = open(scratch());
    for (let turnId = 1; turnId <= 6; turnId++)
      file.write([turn({ turnId, callId: 1 + (turnId % 2), sipCallId: `${turnId % 2}@x` })]);
    expect(turnsOf(file, { call: '0@x' }).map(({ turnId }) => turnId)).toEqual([6, 4, 2]);
    expect(file.answer(page({ kind: 'turns', call: 'nobody' }))).toBeNull();
    file.close();
  });

  it('take a name for nothing but a name', () => {
    const file = open(scratch());
    file.write([turn({ sipCallId: `x'; DROP TABLE turns; --` }), turn({ callId: 2, sipCallId: 'plain' })]);
    for (const name of [
      `' OR 1=1 --`,
      `ab12-1' OR '1'='1`,
      '%',
      '_',
      '',
      'ab12-1;',
      'ab12-99999999999999999999',
    ])
      expect(file.answer({ kind: 'call', call: name }), name).toBeNull();
    expect(file.answer({ kind: 'call', call: `x'; DROP TABLE turns; --` })).toMatchObject({
      call: { callId: 1 },
    });
    expect(turnsOf(file)).toHaveLength(2);
    file.close();
  });
});

describe('old rows', () => {
  it('are deleted in steps, with nothing of them left in the file', () => {
    const path = scratch();
    const file = open(path);
    const old = Array.from({ length: 25 }, (_, at) =>
      turn({ callId: at + 1, heard: 'SECRETWORDS' }, 1000 + at),
    );
    file.write([...old, turn({ callId: 90 }, 5000), turn({ callId: 1, turnId: 2 }, 5000)]);
    let steps = 1;
    while (file.deleteOlder(2000, 10)) steps += 1;
    expect(steps).toBe(3);
    expect(turnsOf(file).map(({ id }) => id)).toEqual(['ab12-1', 'ab12-90']);
    expect(file.answer(page({ kind: 'calls' }))).toMatchObject({ calls: [{ callId: 90 }, { callId: 1 }] });
    file.close();
    expect(readFileSync(path).includes('SECRETWORDS')).toBe(false);
  });
});

describe('a schema', () => {
  it('of an older version is brought up to date, and keeps what it has', () => {
    const database = new DatabaseSync(':memory:');
    migrate(database, ['CREATE TABLE a (x)']);
    database.exec('INSERT INTO a VALUES (7)');
    migrate(database, ['CREATE TABLE a (x)', 'ALTER TABLE a ADD COLUMN y DEFAULT 8']);
    expect({ ...database.prepare('SELECT * FROM a').get() }).toEqual({ x: 7, y: 8 });
    expect(schemaVersion(database)).toBe(2);
  });

  it('stays at the last whole step when one fails', () => {
    const database = new DatabaseSync(':memory:');
    const steps = ['CREATE TABLE a (x)', 'CREATE TABLE b (x); CREATE TABLE a (x)'];
    expect(() => migrate(database, steps)).toThrow(/already exists/);
    expect(schemaVersion(database)).toBe(1);
    expect(database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'b'").get()).toBeUndefined();
  });

  it('newer than this program is left alone', () => {
    const path = scratch();
    expect(codeOfOpening(path)).toBe('opened');
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    database.close();
    expect(codeOfOpening(path)).toBe('STORE_NEWER');
  });
});

describe('a file', () => {
  it('is made with its folder, for its owner alone, the WAL too', () => {
    const path = scratch();
    const file = open(path);
    file.write([turn()]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    file.close();
  });

  const cannotBe: [string, (path: string) => void, string][] = [
    ['that is a folder', (path) => mkdirSync(path, { recursive: true }), 'STORE_UNAVAILABLE'],
    ['below a file', (path) => put(dirname(path), ''), 'STORE_UNAVAILABLE'],
    ['of something else', (path) => put(path, 'not a database, '.repeat(300)), 'STORE_DAMAGED'],
    ['of another program', foreign, 'STORE_DAMAGED'],
    ['cut short', cutShort, 'STORE_DAMAGED'],
    ['with zeroes in the middle', zeroed, 'STORE_DAMAGED'],
  ];
  it.each(cannotBe)('%s is told with what to do', (_, make, code) => {
    const path = scratch();
    make(path);
    expect(codeOfOpening(path)).toBe(code);
  });

  it('that was deleted or replaced while it was open is made anew', () => {
    const path = scratch();
    const file = open(path);
    file.write([turn()]);
    unlinkSync(path);
    file.write([turn({ turnId: 2 })]);
    expect(turnsOf(file)).toMatchObject([{ turnId: 2 }]);
    renameSync(path, `${path}.old`);
    file.write([turn({ turnId: 3 })]);
    expect(turnsOf(file)).toMatchObject([{ turnId: 3 }]);
    file.close();
  });

  it('that another process has locked fails at once and works afterwards', () => {
    const path = scratch();
    const file = open(path);
    file.open();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    expect(() => file.write([turn()])).toThrow(
      expect.objectContaining({ code: 'STORE_UNAVAILABLE', retryable: true }),
    );
    other.exec('COMMIT');
    other.close();
    expect(file.write([turn()])).toBe(0);
    file.close();
  });

  it('that has no room takes nothing of the batch, and all of it when there is', () => {
    const path = scratch();
    const file = open(path);
    file.open();
    const limit = new DatabaseSync(path);
    const pages = Number(limit.prepare('PRAGMA page_count').get()?.page_count);
    limit.close();
    const full = new StoreFile({ path, run: RUN, busyTimeoutMs: 50, mostPages: pages });
    const batch = Array.from({ length: 500 }, (_, at) => turn({ turnId: at + 1 }));
    expect(() => full.write(batch)).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }));
    expect(turnsOf(file)).toEqual([]);
    full.close();
    file.write(batch);
    expect(turnsOf(file)).toHaveLength(50);
    file.close();
  });
});

function put(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function foreign(path: string): void {
  put(path, '');
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE theirs (x)');
  expect(database.prepare('PRAGMA application_id').get()?.application_id).not.toBe(APPLICATION_ID);
  database.close();
}

function filled(path: string): void {
  const file = open(path);
  file.write(Array.from({ length: 200 }, (_, at) => turn({ turnId: at + 1 })));
  file.close();
}

function cutShort(path: string): void {
  filled(path);
  truncateSync(path, 5000);
}

function zeroed(path: string): void {
  filled(path);
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0, 4096));
}
