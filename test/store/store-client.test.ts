/**
 * The store with its real thread and real files: what main hands over is kept, and whatever goes wrong there is counted,
 * told once, tried again, and never thrown at a call.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { monotonicMs } from '../../src/observability/clock.ts';
import type { Log } from '../../src/observability/log.ts';
import { StoreClient, type StoreClientOptions, type StoreTuning } from '../../src/store/store-client.ts';
import { StoreFile } from '../../src/store/store-file.ts';
import { StoreThread } from '../../src/store/store-thread.ts';
import { until } from '../media/rtp-peer.ts';
import { callReport, turnReport } from './reports.ts';
import { scratchFolder } from './scratch-folder.ts';

const LIMIT_MS = 10_000;
const MS_PER_DAY = 86_400_000;
const scratch = scratchFolder();
const clients: StoreClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

interface Started {
  readonly client: StoreClient;
  readonly path: string;
  /** How often each reason was counted. */
  readonly counts: Record<string, number>;
  readonly written: () => number;
  /** Level and message of each line. */
  readonly lines: string[];
}

const QUICK: Partial<StoreTuning> = { flushMs: 1, firstPauseMs: 1, lastPauseMs: 20, busyTimeoutMs: 10 };

async function start(
  tuning: Partial<StoreTuning> = {},
  options: Partial<StoreClientOptions> = {},
): Promise<Started> {
  const path = options.path ?? scratch();
  const counts: Record<string, number> = {};
  const lines: string[] = [];
  let written = 0;
  const client = await StoreClient.start({
    retentionDays: 30,
    keepText: false,
    log: logInto(lines),
    count: (area, reason, by) => {
      counts[`${area}.${reason}`] = (counts[`${area}.${reason}`] ?? 0) + by;
    },
    onWritten: (records) => {
      written += records;
    },
    tuning: { ...QUICK, allowFaults: true, ...tuning },
    ...options,
    path,
  });
  clients.push(client);
  return { client, path, counts, written: () => written, lines };
}

function logInto(lines: string[]): Log {
  const at = (level: string) => (_: object, message: string) => void lines.push(`${level}: ${message}`);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

async function ask(client: StoreClient, query: object): Promise<Record<string, unknown> | null> {
  const json = await client.read({ limit: 200, before: null, call: null, ...query } as never);
  return json === null ? null : JSON.parse(new TextDecoder().decode(json));
}

async function turnIds(client: StoreClient): Promise<number[]> {
  const { turns } = (await ask(client, { kind: 'turns' })) as unknown as { turns: { turnId: number }[] };
  return turns.map(({ turnId }) => turnId).sort((a, b) => a - b);
}

function turnsUpTo(client: StoreClient, last: number, first = 1): void {
  for (let turnId = first; turnId <= last; turnId++) client.keepTurn(turnReport({ turnId }));
}

function numbers(last: number): number[] {
  return Array.from({ length: last }, (_, at) => at + 1);
}

/** Keeps the database from being written until it is let go. */
function lock(path: string): () => void {
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  return () => {
    other.exec('COMMIT');
    other.close();
  };
}

/** In a process of its own. */
function writeElsewhere(path: string, turns: number): Promise<{ run: string; faults: number }> {
  const child = fork(new URL('./writing-process.ts', import.meta.url), [path, String(turns)]);
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if ('run' in (message as object)) resolve(message as { run: string; faults: number });
    });
    child.once('exit', (code) => reject(new Error(`it ended with ${code} and told nothing`)));
  });
}

describe('calls and turns', () => {
  it('can be read while the call is up, and after it', async () => {
    const { client, written } = await start();
    client.callStarted(1, 'sip-1');
    client.keepTurn(turnReport({ sipCallId: 'sip-1' }));
    await client.written();
    expect(await ask(client, { kind: 'call', call: 'sip-1' })).toMatchObject({
      call: { id: `${client.run}-1`, endedBy: null, turns: 1 },
      turns: [{ turnId: 1, stagesMs: turnReport().stagesMs }],
    });
    client.keepCall(callReport({ sipCallId: 'sip-1' }));
    await client.written();
    expect(await ask(client, { kind: 'call', call: `${client.run}-1` })).toMatchObject({
      call: { ...callReport({ sipCallId: 'sip-1' }), endedAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    expect(written()).toBe(3);
  });

  it('carry the wall clock of the decision, however late they come', async () => {
    const { client } = await start();
    const beforeMs = Date.now();
    client.keepTurn(turnReport({ decidedAtMs: monotonicMs() - 5000 }));
    await client.written();
    const { turns } = (await ask(client, { kind: 'turns' })) as unknown as { turns: { decidedAt: string }[] };
    const decidedAtMs = Date.parse(turns[0]?.decidedAt ?? '');
    expect(decidedAtMs).toBeGreaterThanOrEqual(beforeMs - 5002);
    expect(decidedAtMs).toBeLessThanOrEqual(Date.now() - 4998);
  });

  it.each([
    [false, null, null],
    [true, 'a table for two', 'For what time?'],
  ])('keep what was said only when asked to: %s', async (keepText, heard, reply) => {
    const { client, path } = await start({}, { keepText });
    client.keepTurn(turnReport());
    await client.written();
    expect(await ask(client, { kind: 'turns' })).toMatchObject({ turns: [{ heard, reply }] });
    await client.close();
    expect(readFileSync(path).includes('table for two')).toBe(keepText);
  });

  it('are written together: one batch for what comes in one interval', async () => {
    const { client, path } = await start({ flushMs: 60_000 });
    turnsUpTo(client, 20);
    expect(client.queued).toBe(20);
    const reader = new DatabaseSync(path);
    expect(reader.prepare('SELECT count(*) AS n FROM turns').get()?.n).toBe(0);
    client.flush();
    await client.written();
    expect(reader.prepare('SELECT count(*) AS n FROM turns').get()?.n).toBe(20);
    reader.close();
  });

  it('that wait are written by close, and found by the next run', async () => {
    const path = scratch();
    const { client } = await start({ flushMs: 60_000, batchRecords: 7 }, { path });
    turnsUpTo(client, 50);
    await client.close();
    const next = await start({}, { path });
    expect(await turnIds(next.client)).toEqual(numbers(50));
    expect(next.client.run).not.toBe(client.run);
  });

  it('that come after close are counted, and nothing is thrown', async () => {
    const { client, counts } = await start();
    await client.close();
    client.keepTurn(turnReport());
    client.keepCall(callReport());
    expect(counts).toEqual({ 'store.closed': 2 });
    await expect(client.read({ kind: 'calls', limit: 1, before: null })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it('of several processes are in one file', async () => {
    const path = scratch();
    const others = await Promise.all([writeElsewhere(path, 60), writeElsewhere(path, 60)]);
    expect(others.map(({ faults }) => faults)).toEqual([0, 0]);
    const { client } = await start({}, { path });
    for (const { run } of others) {
      const call = await ask(client, { kind: 'call', call: `${run}-1` });
      expect(call).toMatchObject({ call: { turns: 60 } });
    }
  });

  it('that were written survive a process that is killed, batch by batch', async () => {
    const path = scratch();
    const child = fork(new URL('./writing-process.ts', import.meta.url), [path, '1000000']);
    const known = await new Promise<number>((resolve) => {
      child.on('message', (message) => {
        const { written } = message as { written: number };
        if (written >= 100 && child.kill('SIGKILL')) resolve(written);
      });
    });
    await once(child, 'exit');
    const database = new DatabaseSync(path);
    expect(database.prepare('PRAGMA integrity_check').get()?.integrity_check).toBe('ok');
    const { n, last } = database.prepare('SELECT count(*) AS n, max(turn_id) AS last FROM turns').get() ?? {};
    database.close();
    expect(Number(last)).toBeGreaterThanOrEqual(known);
    expect([n, Number(last) % 5]).toEqual([last, 0]);
  });

  it('older than the retention are deleted by the running store', async () => {
    const path = scratch();
    const file = new StoreFile({ path, run: 'aa', busyTimeoutMs: 1000 });
    const oldMs = Date.now() - 3 * MS_PER_DAY;
    file.write(numbers(450).map((turnId) => ({ kind: 'turn', atMs: oldMs, turn: turnReport({ turnId }) })));
    file.write([{ kind: 'turn', atMs: Date.now() - MS_PER_DAY, turn: turnReport({ callId: 2, turnId: 7 }) }]);
    file.close();
    const { client } = await start({}, { path, retentionDays: 2 });
    const reader = new DatabaseSync(path);
    const count = reader.prepare('SELECT (SELECT count(*) FROM turns) + (SELECT count(*) FROM calls) AS n');
    await until(() => count.get()?.n === 2, LIMIT_MS);
    reader.close();
    expect(await turnIds(client)).toEqual([7]);
  });
});

describe('a store that fails', () => {
  it('is told once, loses nothing that there is room for, and is healthy again', async () => {
    const { client, path, counts, lines } = await start();
    const letGo = lock(path);
    turnsUpTo(client, 10);
    await until(() => (counts['store.writeFailed'] ?? 0) >= 3, LIMIT_MS);
    expect(client.isHealthy).toBe(false);
    turnsUpTo(client, 20, 11);
    letGo();
    await client.written();
    expect(client.isHealthy).toBe(true);
    expect(await turnIds(client)).toEqual(numbers(20));
    expect(lines).toEqual([
      'warn: not all calls are kept; told once, until they are again',
      'info: calls are kept again',
    ]);
  });

  it('drops the newest when its queue is full, and counts them', async () => {
    const { client, path, counts, lines } = await start({ mostQueued: 8, batchRecords: 4 });
    const letGo = lock(path);
    turnsUpTo(client, 1);
    client.flush();
    await until(() => (counts['store.writeFailed'] ?? 0) >= 1, LIMIT_MS);
    turnsUpTo(client, 30, 2);
    expect(client.queued).toBe(9);
    expect(counts['store.queueFull']).toBe(21);
    letGo();
    await client.written();
    expect(await turnIds(client)).toEqual(numbers(9));
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
  });

  it('counts what it cannot write by the time it must close', async () => {
    const { client, path, counts, lines } = await start({ closeTimeoutMs: 100 });
    const letGo = lock(path);
    turnsUpTo(client, 5);
    await client.close();
    letGo();
    expect(counts['store.lostAtClose']).toBe(5);
    expect(lines.at(-1)).toBe('warn: the end came before all records of calls were written');
  });

  it('closes in time for what waits out a pause', async () => {
    const { client, path, counts } = await start({ firstPauseMs: 60_000, lastPauseMs: 60_000 });
    const letGo = lock(path);
    turnsUpTo(client, 5);
    await until(() => counts['store.writeFailed'] === 1, LIMIT_MS);
    letGo();
    await client.close();
    expect(counts['store.lostAtClose']).toBeUndefined();
  });

  it('refuses a record that is none, and keeps the others', async () => {
    const { client, counts } = await start();
    client.keepTurn(turnReport());
    client.keepTurn(turnReport({ turnId: 2, decisionToVoiceMs: Number.NaN }));
    client.keepTurn(turnReport({ turnId: 3 }));
    await client.written();
    expect(await turnIds(client)).toEqual([1, 3]);
    expect(counts).toEqual({ 'store.refused': 1 });
  });

  it('makes a new file where its own was replaced by something else, once that is gone', async () => {
    const { client, path, counts } = await start();
    for (const ending of ['', '-wal', '-shm']) rmSync(`${path}${ending}`, { force: true });
    writeFileSync(path, 'something else, '.repeat(300));
    client.keepTurn(turnReport());
    await until(() => (counts['store.writeFailed'] ?? 0) >= 1, LIMIT_MS);
    await expect(ask(client, { kind: 'turns' })).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    rmSync(path);
    await client.written();
    expect(await turnIds(client)).toEqual([1]);
  });

  it('says what is wrong at the start, and leaves no thread behind', async () => {
    const path = scratch();
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'something else, '.repeat(300));
    await expect(start({}, { path })).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    await expect(start({}, { path: `${path}/calls.db` })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });
});

describe('a thread that dies', () => {
  it('is replaced, and what was under way is written once', async () => {
    const { client, counts } = await start();
    client.injectDeath('afterCommit');
    turnsUpTo(client, 10);
    await client.written();
    expect(counts).toEqual({ 'worker.storeDied': 1 });
    expect(await turnIds(client)).toEqual(numbers(10));
    expect(client.isHealthy).toBe(true);
  });

  it('is replaced although nothing was under way, and again', async () => {
    const { client, counts } = await start();
    for (let death = 1; death <= 3; death++) {
      client.injectDeath('now');
      await until(() => counts['worker.storeDied'] === death && client.isHealthy, LIMIT_MS);
    }
    turnsUpTo(client, 3);
    await client.written();
    expect(await turnIds(client)).toEqual(numbers(3));
  });

  it('does not leave those who asked without an answer', async () => {
    const { client } = await start();
    client.injectDeath('now');
    await expect(ask(client, { kind: 'turns' })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
    });
  });

  it('and is being replaced when the store is closed: nothing is lost, and one thread ends', async () => {
    const started = vi.spyOn(StoreThread.prototype, 'start');
    const { client, counts, written } = await start({ flushMs: 60_000 });
    turnsUpTo(client, 3);
    client.injectDeath('now');
    await until(() => started.mock.calls.length === 2, LIMIT_MS);
    await client.close();
    expect(started).toHaveBeenCalledTimes(2);
    started.mockRestore();
    expect([counts, written()]).toEqual([{ 'worker.storeDied': 1 }, 3]);
  });

  it('while it is being closed is not waited for longer than the limit', async () => {
    const { client } = await start({ flushMs: 60_000 });
    turnsUpTo(client, 3);
    client.injectDeath('now');
    await client.close();
    expect(client.queued).toBe(0);
  });
});

it('more questions than can wait are refused', async () => {
  const { client } = await start();
  const asked = await Promise.allSettled(numbers(40).map(() => ask(client, { kind: 'turns' })));
  const refused = asked.filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(8);
  expect(await turnIds(client)).toEqual([]);
});
