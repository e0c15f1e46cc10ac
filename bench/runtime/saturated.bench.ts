/**
 * runtime.options.saturated and runtime.sendLateness.saturated: a running start, a live call and an OPTIONS ping every
 * 50 ms, first idle (the baseline), then with inference in the same process on every core.
 * Run: ./wildfire bench runtime/saturated [--limit SECONDS]
 * Limits: OPTIONS p99 <= 50 ms and none lost, send lateness p99 <= 20 ms.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { loadPack, type ModelPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import { startRuntime } from '../../src/runtime/runtime.ts';
import { WhisperClient } from '../../src/workers/whisper/whisper-client.ts';
import {
  against,
  aimedAt,
  type BenchOptions,
  type BenchResult,
  type BenchRow,
  figure,
  rounded,
} from '../bench-row.ts';
import { packMachine } from '../models/engines.ts';
import type { ProbeReport } from './saturated-probe.ts';

const OPTIONS_LIMIT_MS = 50;
const LATENESS_LIMIT_MS = 20;

const DEFAULT_SECONDS = 60;
const MOST_IDLE_SECONDS = 10;

interface Phase extends ProbeReport {
  /** As the media thread itself saw it: actual send minus scheduled. */
  readonly sendLatenessMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly busyCores: number;
}

interface Conditions {
  readonly config: Config;
  readonly whisper: ModelPack['whisper'];
  readonly seconds: number;
}

type StartLoad = (conditions: Conditions) => Promise<{ stop(): Promise<void> }>;

/** For bench/main.ts. */
export async function benchRows({ pack: name, limit }: BenchOptions): Promise<BenchResult> {
  const pack = await loadPack(packFolderOf(name));
  const seconds = limit ?? DEFAULT_SECONDS;
  const conditions = { config: configOf(name), whisper: pack.whisper, seconds };
  const nothing: StartLoad = () => Promise.resolve({ stop: () => Promise.resolve() });
  const idle = await runPhase({ ...conditions, seconds: Math.min(MOST_IDLE_SECONDS, seconds) }, nothing);
  const saturated = await runPhase(conditions, startInference);
  return { rows: rowsOf(saturated, idle), machine: packMachine(pack) };
}

function configOf(pack: string): Config {
  return loadConfig({
    settings: [
      'sip.bindAddress=127.0.0.1',
      'sip.port=0',
      'web.port=0',
      'log.level=warn',
      'store.enabled=false',
      'turn.noInputPrompts=1000000',
      `models.pack=${pack}`,
    ],
  });
}

/** A runtime of its own, so that its histograms hold this phase alone, and the probe in another process. */
async function runPhase(conditions: Conditions, startLoad: StartLoad): Promise<Phase> {
  const runtime = await startRuntime(conditions.config, {});
  const load = await startLoad(conditions);
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  const probed = await probe(runtime.sipPort, conditions.seconds);
  const { user, system } = process.cpuUsage(cpuBefore);
  const busyCores = (user + system) / 1000 / (performance.now() - startedAtMs);
  const response = await fetch(`http://127.0.0.1:${runtime.webPort}/api/status`);
  const { media } = (await response.json()) as { media: { sendLatenessMs: Phase['sendLatenessMs'] } };
  await load.stop();
  await runtime.stop();
  return { ...probed, sendLatenessMs: media.sendLatenessMs, busyCores };
}

function probe(sipPort: number, durationSeconds: number): Promise<ProbeReport> {
  const file = fileURLToPath(new URL('./saturated-probe.ts', import.meta.url));
  const child = fork(file, [String(sipPort), String(durationSeconds)]);
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as ProbeReport));
    child.once('exit', (code) => reject(new Error(`the probe ended with code ${code}`)));
  });
}

/** One Whisper thread per core, each always busy, at the runtime's own priority for inference. */
async function startInference({ config, whisper }: Conditions): Promise<{ stop(): Promise<void> }> {
  const threads = availableParallelism();
  const client = await WhisperClient.start({
    ...whisper,
    threads,
    niceIncrement: config.inference.niceIncrement,
  });
  let isStopped = false;
  const noise = Int16Array.from({ length: 8000 * 4 }, (_, i) => 6000 * Math.sin(i * i * 1e-4));
  const loops = Array.from({ length: threads * 2 }, async () => {
    while (!isStopped) await client.transcribeSamples(noise, 8000);
  });
  return {
    async stop() {
      isStopped = true;
      await Promise.all(loops);
      await client.close();
    },
  };
}

function rowsOf(saturated: Phase, idle: Phase): BenchRow[] {
  const beside = (name: string, pick: (phase: Phase) => { p50: number; p99: number }): BenchRow =>
    against({ name, unit: 'ms', ...pick(saturated) }, { name: 'idle', p50: pick(idle).p50 });
  return [
    aimedAt(
      beside('runtime.options.saturated', ({ optionsMs }) => optionsMs),
      { atMost: OPTIONS_LIMIT_MS },
      'p99',
    ),
    aimedAt(
      beside('runtime.sendLateness.saturated', ({ sendLatenessMs }) => sendLatenessMs),
      { atMost: LATENESS_LIMIT_MS },
      'p99',
    ),
    beside('runtime.packetArrival.saturated', ({ packetLatenessMs }) => packetLatenessMs),
    figure('runtime.busyCores.saturated', 'cores', saturated.busyCores, { idle: rounded(idle.busyCores) }),
    aimedAt(figure('runtime.optionsLost.saturated', 'count', saturated.optionsLost), { atMost: 0 }),
  ];
}
