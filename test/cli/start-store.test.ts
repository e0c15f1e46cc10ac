/** `start` and its database of calls: where it is, that nothing is said about it, and what is said when it cannot be. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { StoreFile } from '../../src/store/store-file.ts';
import { scratchFolder } from '../store/scratch-folder.ts';
import { expectMistake, wildfire } from './wildfire.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const MISSING = 3;
const ECHO = ['agent.mode=echo', 'sip.bindAddress=127.0.0.1', 'sip.port=0', 'web.port=0'];
const scratch = scratchFolder();

function startArgs(...settings: readonly string[]): string[] {
  return ['start', ...[...ECHO, ...settings].flatMap((setting) => ['--set', setting])];
}

describe('a database that cannot be used', () => {
  it('below a file', async () => {
    const path = scratch();
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    const run = await wildfire(startArgs('store.enabled=true', `store.path=${path}/calls.db`));
    expectMistake(run, MISSING, [
      /cannot keep calls in .*\/calls\.db/,
      /store\.path/,
      /store\.enabled=false/,
    ]);
  });

  it('that is something else', async () => {
    const path = scratch();
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'something else, '.repeat(300));
    const run = await wildfire(startArgs('store.enabled=true', `store.path=${path}`));
    expectMistake(run, MISSING, [path, /is damaged or not a database of calls/, /move it away/]);
  });

  it('of a newer Wildfire', async () => {
    const path = scratch();
    const file = new StoreFile({ path, run: 'aa', busyTimeoutMs: 1000 });
    file.open();
    file.close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 1000');
    database.close();
    const run = await wildfire(startArgs('store.enabled=true', `store.path=${path}`));
    expectMistake(run, MISSING, [/newer Wildfire \(schema 1000, this one knows \d+\)/, /store\.path/]);
  });
});

describe('a runtime', () => {
  it('by default keeps calls in the state folder, for its owner alone, and says nothing about it', async () => {
    const state = scratch('state');
    const { stderr, exitCode } = await startUntilReady({ XDG_STATE_HOME: state }, 'log.level=warn');
    expect([exitCode, stderr]).toEqual([0, '']);
    const path = join(state, 'wildfire', 'calls.db');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const database = new DatabaseSync(path);
    expect(database.prepare('SELECT count(*) AS n FROM calls').get()?.n).toBe(0);
    database.close();
  });

  it('that another command starts keeps none unless it is told to', async () => {
    const state = scratch('state');
    const path = scratch();
    const before = process.env.XDG_STATE_HOME;
    process.env.XDG_STATE_HOME = state;
    try {
      const silent = await RuntimeProcess.start(ECHO);
      await silent.stop();
      expect(existsSync(state)).toBe(false);
      const keeping = await RuntimeProcess.start([...ECHO, 'store.enabled=true', `store.path=${path}`]);
      await keeping.stop();
      expect(readdirSync(dirname(path))).toEqual(['calls.db']);
    } finally {
      if (before === undefined) delete process.env.XDG_STATE_HOME;
      else process.env.XDG_STATE_HOME = before;
    }
  });
});

/** Ends it with SIGTERM when it is ready. */
async function startUntilReady(
  environment: Readonly<Record<string, string>>,
  ...settings: readonly string[]
): Promise<{ exitCode: number | null; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...startArgs(...settings)], {
    env: { ...process.env, ...environment },
  });
  let stderr = '';
  child.stderr.on('data', (bytes) => {
    stderr += bytes;
  });
  child.stdout.on('data', (bytes) => {
    if (/^ready$/m.test(String(bytes))) child.kill('SIGTERM');
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, stderr };
}
