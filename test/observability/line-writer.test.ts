/** Lines whose reader is stuck, gone or full: real pipes and devices, in a process of its own where it may block. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DropReason } from '../../src/observability/line-writer.ts';

const WRITING_PROCESS = fileURLToPath(new URL('writing-process.ts', import.meta.url));
/** More than a pipe holds (64 KiB) and less than what may wait. */
const SOME_LINES = 4_000;
/** More than may wait. */
const MANY_LINES = 20_000;

describe.each(['blocking', 'non-blocking'])('lines for a %s stderr', (kind) => {
  const start = (stderr: 'pipe' | number) => startWriting(kind, stderr);

  it('are all written in order, however slow the reader, while the process goes on', async () => {
    const child = start('pipe');
    child.send({ write: SOME_LINES });
    expect(await answer(child)).toEqual({ dropped: {}, recovered: [] });
    const written = text(child.stderr ?? expect.fail('no pipe'));
    child.disconnect();
    expect((await written).trimEnd().split('\n')).toEqual(numbered(0, SOME_LINES));
  });

  it('are dropped when too many wait, counted, and told when there is room again', async () => {
    const child = start('pipe');
    child.send({ write: MANY_LINES });
    const { dropped } = await answer(child);
    const lost = dropped.queueFull ?? 0;
    expect(dropped).toEqual({ queueFull: expect.any(Number) });
    expect(lost).toBeGreaterThan(0);

    const written = text(child.stderr ?? expect.fail('no pipe'));
    child.send({ awaitRecovery: true });
    expect(await answer(child)).toEqual({ dropped, recovered: [lost] });
    child.disconnect();
    expect((await written).trimEnd().split('\n')).toEqual(numbered(0, MANY_LINES - lost));
  });

  it('fail on a full disk without ending anything', async () => {
    const full = openSync('/dev/full', 'w');
    const child = start(full);
    closeSync(full);
    child.send({ write: 10, awaitDrops: 10 });
    expect(await answer(child)).toEqual({ dropped: { writeFailed: 10 }, recovered: [] });
    child.send({ write: 1 });
    await answer(child);
    expect(await ended(child)).toBe(0);
  });

  it('are for nobody once nobody reads', async () => {
    const child = start('pipe');
    child.stderr?.destroy();
    child.send({ write: 10, awaitDrops: 1 });
    await answer(child);
    child.send({ write: MANY_LINES });
    expect((await answer(child)).dropped.queueFull).toBeUndefined();
    expect(await ended(child)).toBe(0);
  });

  it('that wait are written when the process ends of a fault', async () => {
    const child = start('pipe');
    const written = text(child.stderr ?? expect.fail('no pipe'));
    child.send({ write: SOME_LINES, thenThrow: true });
    // The first was under way when the fault came, and may be anywhere, even in the middle of another.
    const [first, ...others] = numbered(0, SOME_LINES);
    const lines = await written;
    expect(lines).toContain(`${first}\n`);
    expect(lines.replace(`${first}\n`, '')).toContain(others.join('\n'));
  });
});

describe('lines for stderr', () => {
  it('are given up when the process ends and nobody reads for a second', async () => {
    const child = startWriting('non-blocking', 'pipe');
    child.send({ write: SOME_LINES });
    await answer(child);
    expect(await ended(child)).toBe(0);
  });
});

interface Told {
  readonly dropped: Partial<Record<DropReason, number>>;
  readonly recovered: readonly number[];
}

function startWriting(kind: string, stderr: 'pipe' | number): ChildProcess {
  const child = fork(WRITING_PROCESS, [kind], { stdio: ['ignore', 'ignore', stderr, 'ipc'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

function answer(child: ChildProcess): Promise<Told> {
  return new Promise((resolve) => child.once('message', (told) => resolve(told as Told)));
}

function ended(child: ChildProcess): Promise<number | null> {
  child.disconnect();
  return new Promise((resolve) => child.once('exit', resolve));
}

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `line ${from + index} ${'.'.repeat(80)}`);
}
