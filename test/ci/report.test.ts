/** What CI says at its end: every reason why the suite failed has its message, and counts. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REPOSITORY_ROOT } from '../architecture/source-files.ts';
import { scratchFolder } from '../store/scratch-folder.ts';

const scratch = scratchFolder();
const TIMED_FILE = 'test/e2e/call.test.ts';
const UNHANDLED = `
\u001b[31m⎯⎯⎯⎯⎯⎯\u001b[39m Unhandled Errors \u001b[31m⎯⎯⎯⎯⎯⎯\u001b[39m

Vitest caught 1 unhandled error during the test run.

⎯⎯⎯⎯⎯ Uncaught Exception ⎯⎯⎯⎯⎯
Error: nobody caught me
`;

interface Run {
  readonly status: number;
  readonly printed?: string;
  readonly passed?: number;
  /** Messages of failed tests; null: the suite died before it wrote a report. */
  readonly failed?: readonly string[] | null;
}

/** Runs the report over what a suite left, as .ci/run does. @returns the lines that it prints */
function report(args: readonly string[], runs: Readonly<Record<string, Run>>): string[] {
  const folder = `${scratch()}-ci`;
  mkdirSync(join(folder, '.wildfire'), { recursive: true });
  for (const [name, { status, printed = '', passed = 7, failed = [] }] of Object.entries(runs)) {
    const path = join(folder, '.wildfire', `test-${name}`);
    writeFileSync(`${path}.status`, `${status}\n`);
    writeFileSync(`${path}.log`, printed);
    if (failed === null) continue;
    const assertionResults = failed.map((message) => ({
      status: 'failed',
      fullName: 'a test',
      failureMessages: [message],
    }));
    const file = { name: join(folder, TIMED_FILE), message: '', assertionResults };
    const testResults = [{ ...file, status: failed.length > 0 ? 'failed' : 'passed' }];
    writeFileSync(`${path}.json`, JSON.stringify({ numPassedTests: passed, testResults }));
  }
  const script = join(REPOSITORY_ROOT, '.ci/report.mjs');
  return execFileSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8' })
    .trimEnd()
    .split('\n');
}

it('counts what passed, the training pipeline with it', () => {
  expect(report(['summary', 'passed'], { first: { status: 0 } })).toEqual([
    'training pipeline passed',
    '8 passed, 0 failed',
  ]);
});

it('tells a failed test, and that it passed when it was tried again', () => {
  const first = { status: 1, failed: ['too late'] };
  expect(report(['failed-files'], { first })).toEqual([TIMED_FILE]);
  expect(report(['summary', 'passed'], { first }).at(-1)).toBe('8 passed, 1 failed');
  const lines = report(['summary', 'passed'], { first, again: { status: 0, passed: 1 } });
  expect(lines.join('\n')).toMatch(/^FIRST TIME .*call\.test\.ts: a test\ntoo late\n/);
  expect(lines.at(-1)).toBe('9 passed, 0 failed');
});

it('counts an error that no test caught, names it, and tries nothing again', () => {
  const first = { status: 1, printed: `many lines${UNHANDLED}` };
  const lines = report(['summary', 'passed'], { first });
  expect(lines[0]).toMatch(/^FAILED the suite itself: /);
  expect(lines).toContain('Error: nobody caught me');
  expect(lines.at(-1)).toBe('8 passed, 1 failed');
  expect(report(['failed-files'], { first: { ...first, failed: ['too late'] } })).toEqual(['']);
});

it('counts a suite that died without a report, and shows how it ended', () => {
  const lines = report(['summary', 'passed'], {
    first: { status: 137, printed: 'last words\n', failed: null },
  });
  expect(lines[0]).toContain('exit status 137');
  expect(lines).toContain('last words');
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
});

it('takes nothing back when the second time fails beside its tests, too', () => {
  const first = { status: 1, failed: ['too late'] };
  const died = report(['summary', 'passed'], { first, again: { status: 137, failed: null } });
  expect(died.at(-1)).toBe('8 passed, 2 failed');
  const uncaught = report(['summary', 'passed'], { first, again: { status: 1, printed: UNHANDLED } });
  expect(uncaught).toContain('Error: nobody caught me');
  expect(uncaught.at(-1)).toBe('9 passed, 1 failed');
});

it('is fed with what the script keeps', () => {
  const script = readFileSync(join(REPOSITORY_ROOT, '.ci/run'), 'utf8');
  for (const kept of ['log', 'status', 'json']) expect(script).toContain(`.wildfire/test-$1.${kept}`);
});
