/** `start` with a log that nobody reads any more: the pipe is full before the first line. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { scratchFolder } from '../store/scratch-folder.ts';
import { wildfire } from './wildfire.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const SETTINGS = [
  'agent.mode=echo',
  'sip.bindAddress=127.0.0.1',
  'sip.port=0',
  'web.port=0',
  'log.level=debug',
];
/** The first leaves a line when it ends, the second comes after it. */
const CALLS = 2;
const scratch = scratchFolder();

it('a runtime whose log is stuck answers one call after another, and ends when told', async () => {
  const child = start(fullPipe());
  const [ready] = await once(child.stdout ?? expect.fail('no stdout'), 'data');
  const { sipPort } = JSON.parse(ready);

  const target = `sip:echo@127.0.0.1:${sipPort}`;
  const load = ['--mode', 'echo', '--concurrent', '1', '--calls', `${CALLS}`, '--json'];
  const { exitCode, stdout, stderr } = await wildfire(['stress', '--target', target, ...load]);
  expect(exitCode, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ callsCompleted: CALLS });

  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
}, 90_000);

function start(stderr: number): ChildProcess {
  const settings = SETTINGS.flatMap((setting) => ['--set', setting]);
  const child = spawn(process.execPath, [MAIN, 'start', '--json', ...settings], {
    stdio: ['ignore', 'pipe', stderr],
  });
  closeSync(stderr);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

/** @returns the end to write to, of a pipe that has a reader, but no room */
function fullPipe(): number {
  const path = scratch('log');
  mkdirSync(dirname(path), { recursive: true });
  execFileSync('mkfifo', [path]);
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(both));
  expect(() => {
    for (;;) writeSync(both, Buffer.alloc(4096));
  }).toThrow('EAGAIN');
  return openSync(path, constants.O_WRONLY);
}
