/** Many calls from sipp to one running `start`: all complete, and nothing is left behind. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { hasTestPack, TEST_PACK_FOLDER } from '../models/test-pack.ts';
import { hasProgram } from './peer-programs.ts';
import { figuresOf, type ProcessFigures, slope } from './process-figures.ts';
import { runSipp } from './sipp.ts';

const TALK_MS = 4500;
const SAMPLE_MS = 2000;
/** Resident memory breathes with garbage collection; the rings of one call alone would be 1.5 MiB. */
const FLAT_MIB_PER_CALL = 0.4;
/** Shared and plain buffers do not breathe: not even two calls' rings may be more after 100 calls than before. */
const FLAT_BUFFERS_MIB = 2;

describe.skipIf(!hasProgram('sipp') || !hasTestPack('manifest.json'))('sipp calls a running runtime', () => {
  let runtime: RuntimeProcess;
  let idle: ProcessFigures;

  beforeAll(async () => {
    runtime = await RuntimeProcess.start([
      'sip.bindAddress=127.0.0.1',
      'sip.port=0',
      'web.port=0',
      'log.level=warn',
      `models.pack=${TEST_PACK_FOLDER}`,
    ]);
    // One call first: lazily made things (buffers, compiled code) then belong to the idle figures.
    await runSipp({ sipPort: runtime.sipPort, calls: 2, concurrent: 2, talkMs: TALK_MS });
    await becomesIdle();
    idle = figuresOf(runtime.pid);
  });

  afterAll(async () => {
    expect(await runtime.stop()).toBe(0);
  });

  it('100 consecutive calls all complete, and memory is flat over the last 50', {
    timeout: 900_000,
  }, async () => {
    const before = runtime.calls.length;
    const buffersBeforeMiB = (await becomesIdle()).memoryMiB.arrayBuffers;
    const rssMiB: number[] = [];
    const sampler = setInterval(() => rssMiB.push(figuresOf(runtime.pid).rssMiB), SAMPLE_MS);
    const result = await runSipp({ sipPort: runtime.sipPort, calls: 100, concurrent: 1, talkMs: TALK_MS });
    clearInterval(sampler);
    expect(result, result.output).toMatchObject({ successful: 100, failed: 0 });
    await nothingIsLeft();
    const calls = runtime.calls.slice(before);
    expect(calls).toHaveLength(100);
    expect(calls.filter(({ endedBy, reason }) => endedBy !== 'caller' || reason !== 'bye')).toEqual([]);
    const lastHalf = rssMiB.slice(Math.floor(rssMiB.length / 2));
    const perCallMiB = (slope(lastHalf) * lastHalf.length) / 50;
    console.log(`memory over the last 50 calls: ${perCallMiB.toFixed(3)} MiB a call`, summary(rssMiB));
    expect(perCallMiB).toBeLessThan(FLAT_MIB_PER_CALL);
    const buffersMiB = (await becomesIdle()).memoryMiB.arrayBuffers;
    expect(buffersMiB - buffersBeforeMiB).toBeLessThan(FLAT_BUFFERS_MIB);
  });

  it('answers every one of those calls aloud', () => {
    const replied = new Set(
      runtime.turns.filter(({ outcome }) => outcome !== 'failed').map(({ callId }) => callId),
    );
    expect(runtime.turns.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(replied.size).toBeGreaterThanOrEqual(100);
  });

  it('100 calls, 10 at a time, all complete', { timeout: 400_000 }, async () => {
    const result = await runSipp({ sipPort: runtime.sipPort, calls: 100, concurrent: 10, talkMs: TALK_MS });
    expect(result, result.output).toMatchObject({ successful: 100, failed: 0 });
    await nothingIsLeft();
  });

  it('at least 99 of 100 complete when 15 % of the messages are lost', { timeout: 600_000 }, async () => {
    const load = { sipPort: runtime.sipPort, calls: 100, concurrent: 10, talkMs: TALK_MS, lostPercent: 15 };
    const result = await runSipp(load);
    expect(result.successful, result.output).toBeGreaterThanOrEqual(99);
    await nothingIsLeft();
  });

  async function becomesIdle(): Promise<{
    activeCalls: number;
    held: Record<string, number>;
    media: { legs: number };
    memoryMiB: { arrayBuffers: number };
  }> {
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${runtime.webPort}/api/status`);
      const status = (await response.json()) as Awaited<ReturnType<typeof becomesIdle>>;
      if (status.activeCalls === 0) return status;
      await delay(100);
    }
  }

  async function nothingIsLeft(): Promise<void> {
    const status = await becomesIdle();
    expect(Object.values(status.held).every((count) => count === 0)).toBe(true);
    expect(status.media).toMatchObject({ legs: 0, openSockets: 0 });
    expect(status).toMatchObject({ openSequences: 0, sip: { openDialogs: 0 } });
    for (const call of runtime.calls)
      expect(Object.values(call.ledger).every((count) => count === 0)).toBe(true);
    const now = figuresOf(runtime.pid);
    expect(now.sockets).toBeLessThanOrEqual(idle.sockets);
    expect(now.threads).toBeLessThanOrEqual(idle.threads);
  }
});

function summary(values: readonly number[]): object {
  return { first: values[0], middle: values[Math.floor(values.length / 2)], last: values.at(-1) };
}
