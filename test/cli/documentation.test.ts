/** docs/cli.md and docs/errors.md say what the code does: every option, every code, every exit code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { emptyCounts } from '../../src/call/ledger.ts';
import { NO_STAGES } from '../../src/call/reports.ts';
import { reportError } from '../../src/cli/exit-codes.ts';
import { type ErrorCode, WildfireError } from '../../src/errors.ts';
import { REPOSITORY_ROOT, SOURCE_ROOT, sourceFiles } from '../architecture/source-files.ts';
import { wildfire } from './wildfire.ts';

const cli = readFileSync(join(REPOSITORY_ROOT, 'docs/cli.md'), 'utf8');
const errors = readFileSync(join(REPOSITORY_ROOT, 'docs/errors.md'), 'utf8');
const rows = [...errors.matchAll(/^\| `([A-Z_]+)` \|.*\| ([^|]+) \| [^|]+ \|$/gm)];

/** The union in errors.ts, in its order. */
const codes = [...readFileSync(join(SOURCE_ROOT, 'errors.ts'), 'utf8').matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(
  ([, code]) => code,
);

describe('docs/errors.md', () => {
  it('has every code once, in order', () => {
    expect(codes.length).toBeGreaterThan(10);
    expect(rows.map(([, code]) => code)).toEqual(codes);
  });

  it.each(rows.map(([, code, status]) => [code as ErrorCode, status ?? '']))(
    '%s has the exit code that the command line gives',
    (code, status) => {
      const silent = vi.spyOn(console, 'error').mockImplementation(() => {});
      const exitCode = reportError(new WildfireError(code, 'x'));
      silent.mockRestore();
      const documented = /exit (\d)/.exec(status)?.[1] ?? '1';
      const isOnlyForCallers = !status.includes('exit');
      if (!isOnlyForCallers) expect(Number(documented)).toBe(exitCode);
    },
  );

  it('has no code that nothing gives', () => {
    const sources = sourceFiles('.ts')
      .filter((file) => !file.endsWith('src/errors.ts') && !file.endsWith('exit-codes.ts'))
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    expect(codes.filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
  });
});

describe('docs/cli.md', () => {
  it.each([
    'start',
    'demo',
    'call',
    'stress',
    'stress compare',
    'bench',
    'models list',
    'models verify',
    'models path',
    'models synthesize',
    'doctor',
    'check',
    'gpu install',
    'test',
  ])('has %s with its options, no more and no less', async (command) => {
    const { stdout } = await wildfire([...command.split(' '), '--help']);
    const shared = ['--config', '--set', '--help'];
    const real = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)]
      .map(([, option]) => option ?? '')
      .filter((option) => !shared.includes(option));
    const row = cli.split('\n').find((line) => line.startsWith(`| \`${command}`)) ?? '';
    const usage = /^\| `([^`]*)`/.exec(row)?.[1] ?? '';
    expect(usage.match(/--[a-z-]+/g) ?? []).toEqual(expect.arrayContaining(real));
    expect((usage.match(/--[a-z-]+/g) ?? []).length).toBe(real.length);
  });

  it('has every stage and every kind that the ledger counts', () => {
    for (const name of [...Object.keys(NO_STAGES), ...Object.keys(emptyCounts())]) {
      expect(cli).toContain(`"${name}": 0`);
    }
  });
});
