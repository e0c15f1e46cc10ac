/**
 * Threads that die in the middle of a call, in a runtime with real models: the worker is replaced, its work is done
 * once more, the call goes on, and nothing is left behind. Faults are asked for through clients that the tests
 * started with `allowFaults`; nothing outside the process can do that.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { emptyCounts } from '../../src/call/ledger.ts';
import type { CallReport, TurnReport } from '../../src/call/reports.ts';
import type { RunningRuntime } from '../../src/cli/runtime-starter.ts';
import { MediaClient } from '../../src/media/media-client.ts';
import { monotonicMs } from '../../src/observability/clock.ts';
import { startRuntime } from '../../src/runtime/runtime.ts';
import { LlamaClient } from '../../src/workers/llama/llama-client.ts';
import { TtsClient } from '../../src/workers/tts/tts-client.ts';
import { VadClient } from '../../src/workers/vad/vad-client.ts';
import { WhisperClient } from '../../src/workers/whisper/whisper-client.ts';
import { until } from '../media/rtp-peer.ts';
import { hasTestPack } from '../models/test-pack.ts';
import { parsePrometheus } from '../observability/prometheus-text.ts';
import { type TestCall, TestCaller, utterance } from './test-caller.ts';
import { testConfig } from './test-settings.ts';

const QUESTION = utterance('opening-hours');
/** The model is small: what it makes of the last words is not under test here. */
const HEARD = /what are your/;

/** How often the next task of each engine ends its thread; one for each attempt. */
const deaths = { whisper: 0, llama: 0, tts: 0 };

function exits(count: number): { exitsLeft: Int32Array<SharedArrayBuffer> } {
  const exitsLeft = new Int32Array(new SharedArrayBuffer(4));
  exitsLeft[0] = count;
  return { exitsLeft };
}

function take(engine: keyof typeof deaths): number {
  const count = deaths[engine];
  deaths[engine] = 0;
  return count;
}

/** The newest client of each kind. */
const started: { vad?: VadClient; media?: MediaClient } = {};

/** From now on the clients of this process start their threads with faults allowed. */
function allowFaults(): void {
  const note = (client: unknown): void => {
    if (client instanceof VadClient) started.vad = client;
    if (client instanceof MediaClient) started.media = client;
  };
  for (const client of [WhisperClient, LlamaClient, TtsClient, VadClient, MediaClient]) {
    const start = client.start.bind(client) as (options: object) => Promise<never>;
    vi.spyOn(client, 'start').mockImplementation(async (options: object) => {
      // No cache: a sentence that was made before needs no thread that could die.
      const made = await start({ ...options, allowFaults: true, cacheBytes: 0 });
      note(made);
      return made;
    });
  }
  const { transcribe } = WhisperClient.prototype;
  vi.spyOn(WhisperClient.prototype, 'transcribe').mockImplementation(function (this: WhisperClient, task) {
    return transcribe.call(this, { ...task, fault: exits(take('whisper')) });
  });
  const { generate } = LlamaClient.prototype;
  vi.spyOn(LlamaClient.prototype, 'generate').mockImplementation(function (this: LlamaClient, task, onText) {
    return generate.call(this, take('llama') > 0 ? { ...task, exitAfterTokens: 3 } : task, onText);
  });
  const { speak } = TtsClient.prototype;
  vi.spyOn(TtsClient.prototype, 'speak').mockImplementation(function (this: TtsClient, sentence) {
    return speak.call(this, { ...sentence, fault: exits(take('tts')) });
  });
}

describe.skipIf(!hasTestPack('manifest.json'))('a thread that dies in a call', { timeout: 60_000 }, () => {
  const turns: TurnReport[] = [];
  const calls: CallReport[] = [];
  let runtime: RunningRuntime;
  let caller: TestCaller;

  beforeAll(async () => {
    allowFaults();
    runtime = await startRuntime(testConfig('log.level=silent', 'agent.greeting=Hello.'), {
      onTurn: (turn) => turns.push(turn),
      onCallEnded: (call) => calls.push(call),
    });
    caller = await TestCaller.start();
  });

  afterAll(async () => {
    await caller?.close();
    await runtime?.stop();
    vi.restoreAllMocks();
  });

  async function deathsCounted(reason: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${runtime.webPort}/metrics`);
    const events = parsePrometheus(await response.text()).get('wildfire_events_total')?.samples ?? [];
    const isMeant = (labels: Readonly<Record<string, string>>): boolean =>
      labels.area === 'worker' && labels.reason === reason;
    return events.find(({ labels }) => isMeant(labels))?.value ?? 0;
  }

  async function dial(): Promise<TestCall> {
    const call = await caller.dial(runtime.sipPort);
    await call.untilAgentFinished();
    return call;
  }

  describe('one call, turn after turn', () => {
    let call: TestCall;

    beforeAll(async () => {
      call = await dial();
    });

    it.each(['whisper', 'llama', 'tts'] as const)(
      '%s: the work is done once more and the caller is answered',
      async (engine) => {
        const before = await deathsCounted(`${engine}Died`);
        deaths[engine] = 1;
        await call.ask(QUESTION);
        expect(deaths[engine]).toBe(0);
        expect(turns.at(-1)).toMatchObject({ outcome: 'replied', heard: expect.stringMatching(HEARD) });
        expect(turns.at(-1)?.reply.length).toBeGreaterThan(10);
        expect(await deathsCounted(`${engine}Died`)).toBe(before + 1);
      },
    );

    it.each(['whisper', 'tts'] as const)('%s, twice on one task: the agent apologises', async (engine) => {
      deaths[engine] = 2;
      await call.ask(QUESTION);
      expect(turns.at(-1)?.outcome).toBe('failed');
    });

    it('vad: another thread watches the call, and the next turn is as ever', async () => {
      const { vad } = started;
      if (vad === undefined) throw new Error('no VAD was started');
      const { promise: died, resolve } = Promise.withResolvers<void>();
      vad.onDied(() => resolve());
      vad.injectDeath();
      await died;
      expect(await deathsCounted('vadDied')).toBe(1);
      await watches(vad, 1);
      await call.ask(QUESTION);
      expect(turns.at(-1)).toMatchObject({ outcome: 'replied', heard: expect.stringMatching(HEARD) });
    });

    it('ends as any other', async () => {
      expect(turns).toHaveLength(6);
      await call.hangUp();
      await until(() => calls.length === 1, 5000);
      expect(calls[0]).toMatchObject({ endedBy: 'caller', reason: 'bye', turns: 6, ledger: emptyCounts() });
    });
  });

  it('media: its calls end with BYE, and the next call has another thread', async () => {
    const call = await dial();
    const diedAtMs = monotonicMs();
    await started.media?.fault();
    expect(await call.ended).toBe('remoteBye');
    expect(monotonicMs() - diedAtMs).toBeLessThan(10_000);
    await call.telephone.close();
    await until(() => calls.length === 2, 5000);
    expect(calls[1]).toMatchObject({ endedBy: 'error', reason: 'mediaDied', ledger: emptyCounts() });
    const next = await dial();
    await next.hangUp();
    await until(() => calls.length === 3, 5000);
    expect(calls[2]).toMatchObject({ endedBy: 'caller', ledger: emptyCounts() });
  });

  it('leaves nothing behind, whatever died', async () => {
    const status = (await (await fetch(`http://127.0.0.1:${runtime.webPort}/api/status`)).json()) as object;
    expect(status).toMatchObject({
      activeCalls: 0,
      held: emptyCounts(),
      media: { legs: 0, openSockets: 0 },
      openSequences: 0,
      sip: { openDialogs: 0 },
      rings: { inUse: 0 },
    });
  });
});

async function watches(vad: VadClient, streams: number): Promise<void> {
  const limitMs = monotonicMs() + 10_000;
  for (;;) {
    const snapshot = await vad.snapshot().catch(() => null);
    if (snapshot !== null && snapshot.streams === streams) return;
    if (monotonicMs() > limitMs) throw new Error('the VAD does not watch');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
