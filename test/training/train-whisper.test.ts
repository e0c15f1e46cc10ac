/** The script that runs both ranks of the recogniser's training, with programs in their place that end as told. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../training/train-whisper.sh', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'wildfire-ranks-'));
afterAll(() => rmSync(folder, { recursive: true }));

program('taskset', ['shift 2', 'exec "$@"']);
/** `rank -m whisper.train --data D --out O --rank N`: once both run it ends with the status ENDN, or stays. */
const PYTHON = program('rank', [
  'out=$6 rank=$8 end=$(printenv END$8)',
  'echo $$ > $out/pid$rank; echo "rank $rank"',
  'until [ -s $out/pid0 ] && [ -s $out/pid1 ]; do sleep 0.01; done',
  '[ "$end" = stays ] && exec sleep 20',
  'exit $end',
]);

it.each([
  ['the first rank fails', { END0: '3', END1: 'stays' }, 3],
  ['the second rank fails', { END0: 'stays', END1: '4' }, 4],
  ['the second fails where the first is done', { END0: '0', END1: '5' }, 5],
  ['both are done', { END0: '0', END1: '0' }, 0],
])('%s: ends with the status that says so, and neither rank is left', async (_name, ends, status) => {
  const out = mkdtempSync(join(folder, 'out-'));
  expect(await statusOf(out, ends)).toBe(status);
  for (const rank of [0, 1]) {
    const pid = Number(readFileSync(join(out, `pid${rank}`), 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    expect(readFileSync(join(out, `rank${rank}.out`), 'utf8')).toBe(`rank ${rank}\n`);
  }
});

function statusOf(out: string, ends: Record<string, string>): Promise<number | null> {
  const env = { ...process.env, ...ends, PYTHON, PATH: `${folder}:${process.env.PATH}` };
  const script = spawn('bash', [SCRIPT, folder, out], { env, stdio: 'ignore' });
  return new Promise((resolve, reject) => script.once('error', reject).once('exit', resolve));
}

function program(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, ['#!/bin/bash', ...lines, ''].join('\n'));
  chmodSync(path, 0o755);
  return path;
}
