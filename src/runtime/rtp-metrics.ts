/**
 * What the media thread counts, as metrics: it counts since it was started, the metrics since the process was. Thread: main.
 */
import type { MediaSnapshot } from '../media/media-protocol.ts';
import type { Metrics } from '../observability/metrics.ts';

export class RtpMetrics {
  readonly #metrics: Metrics;
  /** By reason, as the thread told last. */
  readonly #told = new Map<string, number>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Adds what came since the last time. */
  take({ counters, recentSendLatenessMs }: MediaSnapshot): void {
    for (const [reason, count] of Object.entries(counters)) {
      const told = this.#told.get(reason) ?? 0;
      // Fewer than before: a new thread, which began at 0.
      this.#metrics.events.inc({ area: 'rtp', reason }, count < told ? count : count - told);
      this.#told.set(reason, count);
    }
    for (const [quantile, ms] of Object.entries(recentSendLatenessMs))
      this.#metrics.rtpSendLatenessSeconds.set({ quantile }, ms / 1000);
  }
}
