/** Log lines go to stderr as JSON, and what callers say is in them only when asked for. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const LOG_MODULE = fileURLToPath(new URL('../../src/observability/log.ts', import.meta.url));

/** What a process that logs one line of each level writes. */
function logged(level: string): { stdout: string; lines: Record<string, unknown>[] } {
  const script = `
    import { createLog } from ${JSON.stringify(LOG_MODULE)};
    const log = createLog('${level}');
    for (const word of ['debug', 'info', 'warn', 'error']) {
      log[word]({ callId: 7, piiHeard: 'my card number' }, 'a ' + word + ' line');
    }`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const lines = run.stderr.split('\n').filter((line) => line.startsWith('{'));
  return { stdout: run.stdout, lines: lines.map((line) => JSON.parse(line)) };
}

describe('log', () => {
  it('writes JSON lines to stderr, nothing to stdout', () => {
    const { stdout, lines } = logged('info');
    expect(stdout).toBe('');
    expect(lines.map(({ level }) => level)).toEqual(['info', 'warn', 'error']);
    expect(lines[0]).toMatchObject({
      callId: 7,
      msg: 'a info line',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('leaves out what callers say, at every level but debug', () => {
    expect(JSON.stringify(logged('info').lines)).not.toContain('card number');
    expect(JSON.stringify(logged('debug').lines)).toContain('card number');
  });

  it('keeps nobody waiting whose stderr is not read, and says how many lines were lost', async () => {
    const script = `
      import { createLog } from ${JSON.stringify(LOG_MODULE)};
      const lost = { queueFull: 0 };
      const log = createLog('info', (reason, lines) => { lost[reason] += lines; });
      for (let line = 0; line < 20_000; line += 1) log.info({ line }, 'a line');
      process.stdout.write(JSON.stringify(lost));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const [told] = await once(child.stdout, 'data');
    const { queueFull: lost } = JSON.parse(told);
    expect(lost).toBeGreaterThan(0);
    const lines = (await text(child.stderr)).trimEnd().split('\n');
    expect(lines).toHaveLength(20_000 - lost + 1);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ level: 'warn', lines: lost });
  });

  it('is silent when told', () => {
    expect(logged('silent').lines).toEqual([]);
  });
});

describe('the clock', () => {
  it('reads the same in another process', () => {
    const clock = fileURLToPath(new URL('../../src/observability/clock.ts', import.meta.url));
    const script = `import { monotonicMs } from ${JSON.stringify(clock)}; console.log(monotonicMs());`;
    const before = Number(process.hrtime.bigint()) / 1e6;
    const there = Number(execFileSync(process.execPath, ['--input-type=module', '-e', script]).toString());
    const after = Number(process.hrtime.bigint()) / 1e6;
    expect(there).toBeGreaterThan(before);
    expect(there).toBeLessThan(after);
  });
});
