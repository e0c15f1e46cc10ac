/** `stress --mode echo`, run as a user does: real SIP and RTP, no models, every packet checked; and two runs compared. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StressReport } from '../../src/stress/stress-report.ts';
import { type Finished, wildfire } from '../cli/wildfire.ts';

const CALLS = 4;
/** Of a runtime that is reached from a network: it advertises an address that is not this box's. */
const OF_A_NETWORK = {
  WILDFIRE_SIP_ADVERTISED_ADDRESS: '203.0.113.1',
  WILDFIRE_CONTROL_BIND_ADDRESS: '0.0.0.0',
  WILDFIRE_CONTROL_ALLOW: '192.0.2.0/24',
  WILDFIRE_CONTROL_SECRET: 'sixteen characters, at least',
};
const ONE_CALL = ['--mode', 'echo', '--calls', '1', '--concurrent', '1', '--call-length', '0.5'];
const ALL_LINES = ['stress', '--mode', 'echo', '--concurrent', `${CALLS}`, '--rate', '10', '--duration', '3'];

describe('stress with an echo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-echo-'));
  let run: Finished;
  let report: StressReport;

  beforeAll(async () => {
    // A pack that is not there: an echo needs none.
    const settings = ['--set', 'models.pack=/nowhere'];
    run = await wildfire([...ALL_LINES, '--call-length', '0.5', '--out', folder, '--json', ...settings]);
    report = JSON.parse(run.stdout);
  }, 70_000);

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('puts all calls through, others after those that ended, and loses no packet', () => {
    expect(report, run.stderr).toMatchObject({
      ok: true,
      mode: 'echo',
      callsFailed: 0,
      peakConcurrent: CALLS,
    });
    expect(report.callsOffered).toBeGreaterThan(CALLS);
    expect(report.callsCompleted).toBe(report.callsOffered);
    expect(report.rtp).toMatchObject({ lost: 0 });
    expect(run.exitCode).toBe(0);
  });

  it('gets back what it sent, with a round trip and a second-by-second view', () => {
    const { marks, rtp, roundTripMs, samples = [] } = report;
    const { returned = 0, missing = 0, unanswered = 0 } = marks ?? {};
    expect(returned + missing + unanswered).toBe(rtp.sent);
    expect(returned).toBeGreaterThan(0.9 * rtp.sent);
    expect(roundTripMs?.p50).toBeGreaterThan(0);
    expect(samples.length).toBeGreaterThan(0);
    expect(report.timeline).toBeUndefined();
  });

  it('leaves nothing behind in the runtime', () => {
    expect(Object.values(report.leaks ?? { none: 1 }).every((count) => count === 0)).toBe(true);
  });

  it('stays on loopback where the configuration is that of a network', async () => {
    const reached = await wildfire(['stress', ...ONE_CALL, '--json'], { environment: OF_A_NETWORK });
    expect(JSON.parse(reached.stdout), reached.stderr).toMatchObject({ ok: true, callsCompleted: 1 });
  });

  it('prints its result although it cannot be written, and says what could not', async () => {
    const out = join(folder, 'taken');
    mkdirSync(join(out, 'stress.json'), { recursive: true });
    const { exitCode, stdout, stderr } = await wildfire(['stress', ...ONE_CALL, '--out', out, '--json']);
    expect(JSON.parse(stdout), stderr).toMatchObject({ ok: true, callsCompleted: 1 });
    expect(stderr).toMatch(/wildfire: --out: cannot write .*taken\/stress\.json: EISDIR/);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(exitCode).toBe(2);
  });

  it('writes a page, and compares with another run', async () => {
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('<h2>Round trip');
    const slower = join(folder, 'slower.json');
    const roundTripMs = { ...report.roundTripMs, p99: 10 * (report.roundTripMs?.p99 ?? 1) };
    writeFileSync(slower, JSON.stringify({ ...report, roundTripMs }));
    const compared = await wildfire([
      'stress',
      'compare',
      folder,
      slower,
      '--out',
      join(folder, 'two'),
      '--json',
    ]);
    expect(JSON.parse(compared.stdout).figures).toContainEqual(
      expect.objectContaining({ name: 'round trip p99', change: '900 % worse' }),
    );
    expect(existsSync(join(folder, 'two', 'index.html'))).toBe(true);
  });
});

describe('the search for capacity', () => {
  it('loads step by step and tells the largest load that held', { timeout: 120_000 }, async () => {
    const search = ['--find-capacity', '--concurrent', '2', '--most', '3', '--slo', 'p99=2000'];
    const run = await wildfire(['stress', '--mode', 'echo', ...search, '--json'], { timeoutMs: 110_000 });
    const report: StressReport = JSON.parse(run.stdout);
    expect(report.capacity, run.stderr).toMatchObject({
      slo: 'p99=2000',
      calls: 3,
      isExact: false,
      breaksFirst: null,
    });
    expect(report.capacity?.steps.map(({ calls, ok }) => [calls, ok])).toEqual([
      [2, true],
      [3, true],
    ]);
    expect(report.peakConcurrent).toBe(3);
    // A runtime for each step: none finds warm what the one before has left.
    expect(run.stderr.match(/starting the runtime/g)).toHaveLength(2);
    expect(run.exitCode).toBe(0);
  });
});
