/** Ends of a running `start`: the first signal drains, the second ends now, and what the far sides see of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { emptyCounts } from '../../src/call/ledger.ts';
import { RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { monotonicMs } from '../../src/observability/clock.ts';
import { hasTestPack } from '../models/test-pack.ts';
import { headerOf } from '../sip/sip-text.ts';
import { finalResponseTo } from './final-response.ts';
import { TestCaller, utterance } from './test-caller.ts';
import { TEST_SETTINGS } from './test-settings.ts';

const LOOPBACK = '127.0.0.1';
/** Below the 30 s that a drain may take and the 32 s that a BYE without answer does, above any stall of a busy box. */
const SOON_MS = 25_000;
const SETTINGS = [...TEST_SETTINGS, 'agent.greeting=Hello.'];

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(...settings: readonly string[]): Promise<RuntimeProcess> {
  const runtime = await RuntimeProcess.start([...SETTINGS, ...settings]);
  closers.push(() => runtime.stop());
  return runtime;
}

async function startCaller(): Promise<TestCaller> {
  const caller = await TestCaller.start();
  closers.push(() => caller.close());
  return caller;
}

describe.skipIf(!hasTestPack('manifest.json'))('a runtime that is told to end', { timeout: 60_000 }, () => {
  it('without calls ends at once, with exit code 0', async () => {
    const runtime = await start();
    const signalledAtMs = monotonicMs();
    expect(await runtime.stop()).toBe(0);
    expect(monotonicMs() - signalledAtMs).toBeLessThan(SOON_MS);
  });

  it('refuses what is new and lets the call that is up come to its end', async () => {
    const runtime = await start('limits.retryAfterSeconds=17');
    const caller = await startCaller();
    const call = await caller.dial(runtime.sipPort);
    await call.untilAgentFinished();
    process.kill(runtime.pid, 'SIGTERM');
    await drains(runtime);

    for (const method of ['INVITE', 'OPTIONS']) {
      const response = await finalResponseTo(method, runtime.sipPort);
      expect(response).toMatch(/^SIP\/2\.0 503 /);
      expect(headerOf(response, 'Retry-After')).toBe('17');
    }
    await expect(caller.dial(runtime.sipPort)).rejects.toMatchObject({ context: { status: 503 } });

    await call.ask(utterance('opening-hours'));
    expect(runtime.turns.at(-1)).toMatchObject({ outcome: 'replied' });
    expect(runtime.calls).toEqual([]);
    await call.hangUp();
    expect(await runtime.exited).toBe(0);
    expect(runtime.calls).toHaveLength(1);
    expect(runtime.calls[0]).toMatchObject({ endedBy: 'caller', reason: 'bye', ledger: emptyCounts() });
  });

  it('ends its calls itself when they take longer than the drain may', async () => {
    const runtime = await start('limits.drainTimeoutMs=1500');
    const call = await (await startCaller()).dial(runtime.sipPort);
    await call.untilAgentFinished();
    const signalledAtMs = monotonicMs();
    expect(await runtime.stop()).toBe(0);
    expect(monotonicMs() - signalledAtMs).toBeGreaterThan(1400);
    expect(await call.ended).toBe('remoteBye');
    expect(runtime.calls[0]).toMatchObject({ endedBy: 'agent', reason: 'shutdown', ledger: emptyCounts() });
    await call.hangUp();
  });

  it('a second time ends now: BYE to every call, exit code 0', async () => {
    const runtime = await start();
    const caller = await startCaller();
    const calls = [await caller.dial(runtime.sipPort), await caller.dial(runtime.sipPort)];
    await calls[1]?.untilAgentFinished();
    // In the middle of a turn.
    await calls[0]?.telephone.say(utterance('opening-hours'));
    process.kill(runtime.pid, 'SIGTERM');
    await drains(runtime);
    const signalledAtMs = monotonicMs();
    process.kill(runtime.pid, 'SIGINT');
    expect(await Promise.all(calls.map(({ ended }) => ended))).toEqual(['remoteBye', 'remoteBye']);
    expect(await runtime.exited).toBe(0);
    expect(monotonicMs() - signalledAtMs).toBeLessThan(SOON_MS);
    expect(runtime.calls.map(({ reason, ledger }) => [reason, ledger])).toEqual([
      ['shutdown', emptyCounts()],
      ['shutdown', emptyCounts()],
    ]);
    for (const call of calls) await call.hangUp();
  });

  it('a second time ends soon although the far side is gone', async () => {
    const runtime = await start();
    const caller = await TestCaller.start();
    const call = await caller.dial(runtime.sipPort);
    await call.telephone.close();
    await caller.close();
    process.kill(runtime.pid, 'SIGTERM');
    await drains(runtime);
    const signalledAtMs = monotonicMs();
    process.kill(runtime.pid, 'SIGTERM');
    expect(await runtime.exited).toBe(0);
    expect(monotonicMs() - signalledAtMs).toBeLessThan(SOON_MS);
    expect(runtime.calls[0]).toMatchObject({ reason: 'shutdown', ledger: emptyCounts() });
  });
});

describe.skipIf(!hasTestPack('manifest.json'))('more calls than the limit', { timeout: 60_000 }, () => {
  it('are refused with 503 and Retry-After, the others go on, and a free slot is used again', async () => {
    const runtime = await start('limits.maxCalls=2', 'limits.retryAfterSeconds=9');
    const caller = await startCaller();
    const [first, second] = [await caller.dial(runtime.sipPort), await caller.dial(runtime.sipPort)];
    for (let i = 0; i < 5; i++) {
      await expect(caller.dial(runtime.sipPort)).rejects.toMatchObject({ context: { status: 503 } });
    }
    const response = await finalResponseTo('INVITE', runtime.sipPort);
    expect(response).toMatch(/^SIP\/2\.0 503 /);
    expect(headerOf(response, 'Retry-After')).toBe('9');
    expect(await finalResponseTo('OPTIONS', runtime.sipPort)).toMatch(/^SIP\/2\.0 200 /);

    await Promise.all([first, second].map((call) => call?.untilAgentFinished()));
    await first?.ask(utterance('opening-hours'));
    expect(runtime.turns.at(-1)).toMatchObject({ outcome: 'replied' });
    await first?.hangUp();
    await runtime.callsEnded(1, 5000);
    const third = await caller.dial(runtime.sipPort);
    await third.untilAgentFinished();
    await Promise.all([second?.hangUp(), third.hangUp()]);
    expect(await runtime.callsEnded(3, 5000)).toBe(true);
    expect(runtime.calls.map(({ endedBy, ledger }) => [endedBy, ledger])).toEqual(
      Array(3).fill(['caller', emptyCounts()]),
    );
  });
});

/** Resolves when the runtime says that it drains. */
async function drains(runtime: RuntimeProcess): Promise<void> {
  for (;;) {
    const response = await fetch(`http://${LOOPBACK}:${runtime.webPort}/healthz`);
    if ((await response.text()).includes('draining')) return;
    await delay(20);
  }
}
