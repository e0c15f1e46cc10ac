/**
 * A whole runtime with a store and real models: what HTTP tells about a call are the reports that the runtime handed out,
 * while the call is up and after it, and in the next run.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallReport, TurnReport } from '../../src/call/reports.ts';
import type { RunningRuntime } from '../../src/cli/runtime-starter.ts';
import { startRuntime } from '../../src/runtime/runtime.ts';
import { until } from '../media/rtp-peer.ts';
import { hasTestPack } from '../models/test-pack.ts';
import { parsePrometheus } from '../observability/prometheus-text.ts';
import { scratchFolder } from '../store/scratch-folder.ts';
import { type TestCall, TestCaller, utterance } from './test-caller.ts';
import { testConfig } from './test-settings.ts';

const QUESTION = utterance('opening-hours');
const LIMIT_MS = 5000;

interface KeptCall {
  readonly call: Record<string, unknown>;
  readonly turns: readonly (TurnReport & { readonly decidedAt: string })[];
}

const scratch = scratchFolder();

describe.skipIf(!hasTestPack('manifest.json'))('kept calls', { timeout: 60_000 }, () => {
  const path = scratch();
  const turns: TurnReport[] = [];
  const calls: CallReport[] = [];
  const startedAtMs = Date.now();
  let runtime: RunningRuntime;
  let caller: TestCaller;
  let call: TestCall;

  beforeAll(async () => {
    const settings = [
      'agent.greeting=Hello.',
      'store.enabled=true',
      `store.path=${path}`,
      'store.keepText=true',
    ];
    runtime = await startRuntime(testConfig(...settings), {
      onTurn: (turn) => turns.push(turn),
      onCallEnded: (ended) => calls.push(ended),
    });
    caller = await TestCaller.start();
    call = await caller.dial(runtime.sipPort);
    await call.untilAgentFinished();
  });

  afterAll(async () => {
    await caller?.close();
    await runtime?.stop();
  });

  async function get<T>(path: string, of = runtime): Promise<T> {
    return (await fetch(`http://127.0.0.1:${of.webPort}${path}`)).json() as Promise<T>;
  }

  /** What was handed over before a moment ago is in the database. */
  async function settled(): Promise<void> {
    const isSettled = async (): Promise<boolean> =>
      (await get<{ store: { queued: number } }>('/api/status')).store.queued === 0;
    const limit = AbortSignal.timeout(LIMIT_MS);
    while (!(await isSettled())) limit.throwIfAborted();
  }

  async function keptCall(of = runtime): Promise<KeptCall> {
    return get(`/api/calls/${encodeURIComponent(turns[0]?.sipCallId ?? '')}`, of);
  }

  /** As JSON: what a report and its copy over HTTP are equal in. */
  function expectReports({ turns: kept }: KeptCall): void {
    expect(kept.map(({ decidedAt, ...turn }) => turn)).toEqual(
      turns.map((turn) => ({ ...turn, id: expect.stringMatching(/^[0-9a-f]{12}-\d+$/) })),
    );
    for (const { decidedAt } of kept) {
      expect(Date.parse(decidedAt)).toBeGreaterThanOrEqual(startedAtMs);
      expect(Date.parse(decidedAt)).toBeLessThanOrEqual(Date.now());
    }
  }

  it('are known without turns from their beginning', async () => {
    await settled();
    const { calls: known } = await get<{ calls: object[] }>('/api/calls');
    expect(known).toMatchObject([{ callId: 1, endedAt: null, turns: 0 }]);
  });

  it('show finished turns while they are up', async () => {
    await call.ask(QUESTION);
    await call.ask(QUESTION);
    expect(turns.length).toBeGreaterThanOrEqual(2);
    await settled();
    const kept = await keptCall();
    expectReports(kept);
    expect(kept.call).toMatchObject({ endedBy: null, endedAt: null, turns: turns.length });
    expect(turns[0]?.stagesMs.stt).toBeGreaterThan(0);
  });

  it('have their end and every turn afterwards', async () => {
    await call.hangUp();
    await until(() => calls.length === 1, LIMIT_MS);
    await settled();
    const kept = await keptCall();
    expectReports(kept);
    expect(kept.call).toMatchObject({ ...calls[0], endedBy: 'caller', reason: 'bye' });
  });

  it('are in /api/turns, too, the newest first', async () => {
    const kept = await get<{ turns: TurnReport[] }>(
      `/api/turns?call=${encodeURIComponent(turns[0]?.sipCallId ?? '')}`,
    );
    expect(kept.turns.map(({ turnId }) => turnId)).toEqual(turns.map(({ turnId }) => turnId).reverse());
  });

  it('are counted', async () => {
    const text = await (await fetch(`http://127.0.0.1:${runtime.webPort}/metrics`)).text();
    const families = parsePrometheus(text);
    const sampleOf = (name: string): number | undefined => families.get(name)?.samples[0]?.value;
    expect(sampleOf('wildfire_store_records_total')).toBe(turns.length + 2);
    expect(sampleOf('wildfire_store_queued_records')).toBe(0);
    expect(sampleOf('wildfire_store_healthy')).toBe(1);
  });

  it('that a stop ends are kept with how they ended, and the next run has them', async () => {
    const second = await caller.dial(runtime.sipPort);
    await second.untilAgentFinished();
    await runtime.stop();
    await second.telephone.close();
    const echo = testConfig('agent.mode=echo', 'store.enabled=true', `store.path=${path}`);
    const next = await startRuntime(echo, {});
    const { calls: known } = await get<{ calls: object[] }>('/api/calls', next);
    expect(known).toMatchObject([
      { callId: 2, endedBy: 'agent', reason: 'shutdown' },
      { callId: 1, endedBy: 'caller', reason: 'bye' },
    ]);
    expectReports(await keptCall(next));
    await next.stop();
  });
});
