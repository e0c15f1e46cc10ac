/**
 * What /metrics and /api/status show: gathers figures from the running parts when asked. Thread: main.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { CallAudioStore } from '../call/call-audio.ts';
import type { CallRegistry } from '../call/call-registry.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { SipUserAgent } from '../sip/user-agent.ts';
import type { StatusSource } from '../web/status-server.ts';
import type { RunningEngines } from './engines.ts';
import type { MediaSupervisor } from './media-supervisor.ts';

/** The histogram's samples are at least this long; what is above it is delay. */
const LOOP_RESOLUTION_MS = 10;

export interface StatusParts {
  readonly registry: CallRegistry;
  readonly audio: CallAudioStore;
  /** Null without the sip role. */
  readonly sip: SipUserAgent | null;
  readonly media: MediaSupervisor | null;
  /** Null until they have loaded their models. */
  readonly engines: () => RunningEngines | null;
  /** Null where every role is in this process and nobody outside is served. */
  readonly control: () => ControlPlane | null;
  readonly metrics: Metrics;
}

export class StatusReporter implements StatusSource {
  readonly #parts: StatusParts;
  readonly #loopDelay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });

  constructor(parts: StatusParts) {
    this.#parts = parts;
    this.#loopDelay.enable();
  }

  health(): 'starting' | 'ok' | 'draining' {
    const { registry, engines } = this.#parts;
    if (registry.isDraining) return 'draining';
    return engines() === null ? 'starting' : 'ok';
  }

  async metrics(): Promise<{ contentType: string; text: string }> {
    const { registry } = this.#parts.metrics;
    this.#loopDelayMs();
    this.#parts.control()?.refreshMetrics();
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  /** Everything that must be back at its idle value when no call is up, and the counters. */
  async status(): Promise<object> {
    const { registry, audio, sip, media, engines, control } = this.#parts;
    return {
      health: this.health(),
      draining: registry.isDraining,
      activeCalls: registry.activeCalls,
      held: registry.ledgerTotals(),
      rings: { inUse: audio.inUse, spare: audio.spare },
      sip: sip && {
        openDialogs: sip.openDialogs,
        pendingTransactions: sip.pendingTransactions,
        counters: sip.counters(),
      },
      media: media && (await media.snapshot()),
      openSequences: engines()?.llama?.openSequences ?? 0,
      control: control()?.status() ?? null,
      mainLoopMs: this.#loopDelayMs(),
      memoryMiB: memoryMiB(),
    };
  }

  /** Loading models is no delay of the main thread's own work: figures begin when it is over. */
  onReady(): void {
    this.#loopDelay.reset();
  }

  close(): void {
    this.#loopDelay.disable();
  }

  #loopDelayMs(): { p50: number; p99: number; max: number } {
    const { metrics } = this.#parts;
    const delays = {
      p50: delayMs(this.#loopDelay.percentile(50)),
      p99: delayMs(this.#loopDelay.percentile(99)),
      max: delayMs(this.#loopDelay.max),
    };
    for (const [quantile, ms] of Object.entries(delays)) metrics.mainLoopSeconds.set({ quantile }, ms / 1000);
    return delays;
  }
}

function delayMs(sampleNs: number): number {
  return Math.max(0, sampleNs / 1e6 - LOOP_RESOLUTION_MS);
}

/** Resident, JavaScript heap, and shared and plain buffers of all threads. */
function memoryMiB(): { rss: number; heapUsed: number; arrayBuffers: number } {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rss: rss / 2 ** 20, heapUsed: heapUsed / 2 ** 20, arrayBuffers: arrayBuffers / 2 ** 20 };
}
