/** The callers' thread gets ahead of the others while calls are up, and only then. */
import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { describe, expect, it } from 'vitest';
import { punctually } from '../../src/caller/punctual.ts';

/** Scheduling class and nice value of this thread, as ps has them. */
function schedule(): string {
  const [pid, , tid] = readlinkSync('/proc/thread-self').split('/');
  const lines = execFileSync('ps', ['-L', '-o', 'tid=,cls=,ni=', '-p', pid ?? ''])
    .toString()
    .split('\n');
  return lines.find((line) => line.trim().split(/\s+/)[0] === tid)?.trim() ?? '';
}

describe.skipIf(process.platform !== 'linux')('a thread that must be punctual', () => {
  it('is as before when the calls are over, also when they failed', async () => {
    const [before, niceBefore] = [schedule(), getPriority(0)];
    expect(await punctually(async () => 'result')).toBe('result');
    expect([schedule(), getPriority(0)]).toEqual([before, niceBefore]);
    await expect(punctually(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect([schedule(), getPriority(0)]).toEqual([before, niceBefore]);
  });

  it('comes first meanwhile, where that is permitted', async () => {
    const before = schedule();
    const meanwhile = await punctually(async () => schedule());
    if (meanwhile === before) console.log('skipped: this box grants no priority');
    else expect(meanwhile).toMatch(/RR|-10/);
  });
});
