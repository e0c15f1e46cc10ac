/** `stress`, run as a user does: three generated callers at once over SIP and RTP against a runtime of its own. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GRAMMAR_FILE } from '../../src/caller/caller-grammar.ts';
import type { StressReport } from '../../src/stress/stress-report.ts';
import { type Finished, wildfire } from '../cli/wildfire.ts';
import { hasTestPack, TEST_PACK_FOLDER } from '../models/test-pack.ts';

const TIMEOUT_MS = 280_000;
const CALLS = 3;
const PACKS = ['pack', 'callerPack'].flatMap((key) => ['--set', `models.${key}=${TEST_PACK_FOLDER}`]);

describe.skipIf(!hasTestPack(GRAMMAR_FILE))('stress with three callers at once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-stress-'));
  let run: Finished;
  let report: StressReport & Record<string, unknown>;

  beforeAll(async () => {
    const args = [
      'stress',
      '--calls',
      `${CALLS}`,
      '--concurrent',
      `${CALLS}`,
      '--seed',
      '2',
      '--json',
      '--out',
      folder,
    ];
    run = await wildfire([...args, ...PACKS], { timeoutMs: TIMEOUT_MS });
    report = JSON.parse(run.stdout);
  }, TIMEOUT_MS + 10_000);

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('puts every call through to its end, all of them up together', () => {
    expect(report, run.stderr).toMatchObject({
      mode: 'conversation',
      callsOffered: CALLS,
      callsEstablished: CALLS,
      callsCompleted: CALLS,
      callsFailed: 0,
      peakConcurrent: CALLS,
    });
  });

  it('is good exactly when nine in ten callers reached their goal and nothing leaked', () => {
    const { goalsMet, leaks, ok } = report;
    expect(Object.values(leaks as Record<string, number>).every((count) => count === 0)).toBe(true);
    expect(ok).toBe(goalsMet >= 0.9 * CALLS);
    expect(run.exitCode).toBe(ok ? 0 : 1);
    // One caller of three may fail on the models; two would be a fault of the system.
    expect(goalsMet, JSON.stringify(report.calls, null, 1)).toBeGreaterThanOrEqual(CALLS - 1);
  });

  it('measures every turn on the wire and says how each call ended', () => {
    expect(report.turns).toBe(report.calls.reduce((sum, { turns = [] }) => sum + turns.length, 0));
    expect(report.voiceToVoiceMs?.p50).toBeGreaterThan(0);
    expect(report.rtp).toMatchObject({ lost: 0 });
    expect(report.rssMiB).toMatchObject({ start: expect.any(Number), peak: expect.any(Number) });
    for (const call of report.calls) {
      expect(call.why).not.toBe('');
      expect(call.sipCallId).not.toBe('');
      expect(call.greeting).not.toBe('');
    }
  });

  it('writes the result, and the recording of each call that missed its goal', () => {
    expect(JSON.parse(readFileSync(join(folder, 'stress.json'), 'utf8'))).toEqual(report);
    for (const { seed, goalMet } of report.calls) {
      expect(existsSync(join(folder, `missed-seed-${seed}`, 'call.wav'))).toBe(!goalMet);
    }
  });
});

describe.skipIf(!hasTestPack(GRAMMAR_FILE))('a soak of short calls', () => {
  it('takes any answer for good, and tells the memory slope and what leaked', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const args = ['stress', '--mode', 'consecutive', '--calls', '2', '--concurrent', '2', '--json'];
    const run = await wildfire([...args, ...PACKS], {
      timeoutMs: TIMEOUT_MS,
    });
    const report: StressReport = JSON.parse(run.stdout);
    expect(report, run.stderr).toMatchObject({
      mode: 'consecutive',
      callsCompleted: 2,
      goalsMet: 2,
      turns: 2,
    });
    // Two calls are too few for a slope.
    expect(report.memorySlope).toMatchObject({ mibPer100Calls: null });
    expect(Object.values(report.leaks ?? { none: 1 }).every((count) => count === 0)).toBe(true);
    expect(run.exitCode).toBe(0);
  });
});
