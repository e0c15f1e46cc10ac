/**
 * What /metrics and /api/status show: gathers figures from the running parts when asked. Thread: main.
 */
import type { CallAudioStore } from '../call/call-audio.ts';
import type { CallRegistry } from '../call/call-registry.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { type DelayMs, LoopDelay } from '../observability/loop-delay.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { SipUserAgent } from '../sip/user-agent.ts';
import type { StoreClient } from '../store/store-client.ts';
import type { StatusSource } from '../web/status-server.ts';
import type { RunningEngines } from './engines.ts';
import type { MediaSupervisor } from './media-supervisor.ts';
import { RtpMetrics } from './rtp-metrics.ts';

export interface StatusParts {
  /** One line per listening address, those of now. */
  readonly listening: readonly string[];
  readonly registry: CallRegistry;
  readonly audio: CallAudioStore;
  /** Null without the sip role. */
  readonly sip: SipUserAgent | null;
  readonly media: MediaSupervisor | null;
  /** Null until they have loaded their models. */
  readonly engines: () => RunningEngines | null;
  /** Whether calls are taken. */
  readonly isReady: () => boolean;
  /** Null where every role is in this process and nobody outside is served. */
  readonly control: () => ControlPlane | null;
  /** Null when calls are not kept. */
  readonly store: StoreClient | null;
  readonly metrics: Metrics;
}

export class StatusReporter implements StatusSource {
  readonly #parts: StatusParts;
  readonly #loopDelay = new LoopDelay();
  readonly #rtpMetrics: RtpMetrics;

  constructor(parts: StatusParts) {
    this.#parts = parts;
    this.#rtpMetrics = new RtpMetrics(parts.metrics);
  }

  health(): 'starting' | 'ok' | 'draining' {
    const { registry, isReady } = this.#parts;
    if (registry.isDraining) return 'draining';
    return isReady() ? 'ok' : 'starting';
  }

  async metrics(): Promise<{ contentType: string; text: string }> {
    const { metrics, media } = this.#parts;
    const { registry } = metrics;
    this.#loopDelayMs();
    // A thread that died is being replaced: the next scrape tells.
    const heard = await media?.snapshot().catch(() => null);
    if (heard != null) this.#rtpMetrics.take(heard);
    this.#parts.control()?.refreshMetrics();
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  /** Where it listens, everything that must be back at its idle value when no call is up, and the counters. */
  async status(): Promise<object> {
    const { listening, registry, audio, sip, media, engines, control, store } = this.#parts;
    return {
      listening,
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
      speech: engines()?.tts?.snapshot() ?? null,
      control: control()?.status() ?? null,
      store: store && { run: store.run, queued: store.queued, isHealthy: store.isHealthy },
      mainLoopMs: this.#loopDelayMs(),
      recentMainLoopMs: this.#loopDelay.lastSecond,
      memoryMiB: memoryMiB(),
    };
  }

  /** The figures of the main loop begin now. */
  onReady(): void {
    this.#loopDelay.reset();
  }

  close(): void {
    this.#loopDelay.close();
  }

  #loopDelayMs(): DelayMs {
    const { all } = this.#loopDelay;
    for (const [quantile, ms] of Object.entries(all))
      this.#parts.metrics.mainLoopSeconds.set({ quantile }, ms / 1000);
    return all;
  }
}

/** Resident, JavaScript heap, and shared and plain buffers of all threads. */
function memoryMiB(): { rss: number; heapUsed: number; arrayBuffers: number } {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rss: rss / 2 ** 20, heapUsed: heapUsed / 2 ** 20, arrayBuffers: arrayBuffers / 2 ** 20 };
}
