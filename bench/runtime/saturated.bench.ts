/**
 * runtime.options.saturated and media.sendLateness.saturated: a running start, a live call and an OPTIONS ping every
 * 50 ms, first idle (the baseline), then with inference in the same process on every core.
 * Run: node bench/runtime/saturated.bench.ts [seconds] [pack]
 * Limits: OPTIONS p99 <= 50 ms, send lateness p99 <= 20 ms; exits 1 beyond them.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/load.ts';
import { loadPack } from '../../src/models/pack.ts';
import { packFolderOf } from '../../src/models/pack-folders.ts';
import { startRuntime } from '../../src/runtime/runtime.ts';
import { WhisperClient } from '../../src/workers/whisper/whisper-client.ts';
import type { ProbeReport } from './saturated-probe.ts';

const OPTIONS_LIMIT_MS = 50;
const LATENESS_LIMIT_MS = 20;

const [secondsText = '60', pack = 'embedded'] = process.argv.slice(2);
const seconds = Number(secondsText);
const config = loadConfig({
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

interface Phase extends ProbeReport {
  /** As the media thread itself saw it: actual send minus scheduled. */
  readonly sendLatenessMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly busyCores: number;
}

const idle = await runPhase(Math.min(10, seconds), () => Promise.resolve({ stop: () => Promise.resolve() }));
const saturated = await runPhase(seconds, startInference);
report();

/** A runtime of its own, so that its histograms hold this phase alone, and the probe in another process. */
async function runPhase(
  durationSeconds: number,
  startLoad: () => Promise<{ stop(): Promise<void> }>,
): Promise<Phase> {
  const runtime = await startRuntime(config, {});
  const load = await startLoad();
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  const probed = await probe(runtime.sipPort, durationSeconds);
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
async function startInference(): Promise<{ stop(): Promise<void> }> {
  const { whisper } = await loadPack(packFolderOf(pack));
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

function report(): void {
  const row = (name: string, unit: string, pick: (phase: Phase) => object & { p50: number }): object => ({
    name,
    unit,
    ...pick(saturated),
    baseline: 'idle',
    baselineP50: pick(idle).p50,
  });
  const results = [
    row('runtime.options.saturated', 'ms', ({ optionsMs }) => optionsMs),
    row('media.sendLateness.saturated', 'ms', ({ sendLatenessMs }) => sendLatenessMs),
    row('runtime.packetArrival.saturated', 'ms', ({ packetLatenessMs }) => packetLatenessMs),
    row('runtime.busyCores.saturated', 'cores', ({ busyCores }) => ({ p50: busyCores })),
    row('runtime.optionsLost.saturated', 'count', ({ optionsLost }) => ({ p50: optionsLost })),
  ];
  console.log(
    JSON.stringify({ machine: { cores: availableParallelism(), node: process.version }, results }, null, 2),
  );
  const isWithin =
    saturated.optionsMs.p99 <= OPTIONS_LIMIT_MS &&
    saturated.sendLatenessMs.p99 <= LATENESS_LIMIT_MS &&
    saturated.optionsLost === 0;
  process.exitCode = isWithin ? 0 : 1;
}
