/**
 * Independent SIP programs as test peers. Where one is not installed its tests are skipped with a line that says
 * so, or fail when WILDFIRE_REQUIRE_INTEROP=1 (as in CI, which installs them).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/** Whether a peer program can be used; fails instead of skipping where it must be there. */
export function hasProgram(name: string): boolean {
  const isThere = spawnSync('which', [name]).status === 0;
  if (isThere) return true;
  if (process.env.WILDFIRE_REQUIRE_INTEROP === '1')
    throw new Error(`${name} is not installed, and must be here`);
  console.log(`skipped: ${name} is not installed (Debian: sip-tester, baresip)`);
  return false;
}

export interface ProgramResult {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs a program to its end, or ends it after `timeoutMs`. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: { timeoutMs: number; cwd?: string },
): Promise<ProgramResult> {
  const child = spawn(command, args, { cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  return finished(child, options.timeoutMs);
}

function finished(child: ChildProcess, timeoutMs: number): Promise<ProgramResult> {
  let output = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    output += bytes;
  });
  child.stderr?.on('data', (bytes: Buffer) => {
    output += bytes;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  return new Promise((resolve) => {
    child.once('exit', (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, output });
    });
  });
}
