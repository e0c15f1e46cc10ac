/** A runtime whose parent dies must not live on: nobody would end it, and its ports would stay taken. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const LIMIT_MS = 20_000;
const SETTINGS = ['agent.mode=echo', 'sip.bindAddress=127.0.0.1', 'sip.port=0', 'web.enabled=false'];

/** Starts a runtime that loads slowly, tells its pid, and dies: while that loads, or when it is ready. */
const PARENT = `
  import { spawn } from 'node:child_process';
  const [main, when, ...args] = process.argv.slice(1);
  const slowly = 'data:text/javascript,await new Promise((resolve) => setTimeout(resolve, 500))';
  const child = spawn(process.execPath, ['--import', slowly, main, 'start', ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  console.log('pid ' + child.pid);
  if (when === 'atOnce') process.exit();
  child.on('message', ({ event }) => { if (event === 'ready') process.exit(); });
`;

/** @returns whether everybody who could write to the parent's output had ended in time */
async function hasEnded(when: 'atOnce' | 'whenReady'): Promise<boolean> {
  const args = SETTINGS.flatMap((setting) => ['--set', setting]);
  const parent = spawn(process.execPath, ['--input-type=module', '-e', PARENT, MAIN, when, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  parent.stdout.on('data', (bytes) => {
    output += bytes;
  });
  const closed = new Promise<boolean>((resolve) => parent.once('close', () => resolve(true)));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), LIMIT_MS);
  });
  const isClosed = await Promise.race([closed, late]);
  clearTimeout(timer);
  const pid = Number(/pid (\d+)/.exec(output)?.[1]);
  expect(pid).toBeGreaterThan(1);
  if (!isClosed) process.kill(pid, 'SIGKILL');
  return isClosed;
}

describe('a runtime whose parent dies', () => {
  it('before it could listen for that ends', async () => {
    expect(await hasEnded('atOnce')).toBe(true);
  });

  it('when it is ready ends', async () => {
    expect(await hasEnded('whenReady')).toBe(true);
  });
});
