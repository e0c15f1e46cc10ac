/** The media thread's counters as metrics: each datagram once, whichever thread counted it. */
import { expect, it } from 'vitest';
import type { MediaSnapshot } from '../../src/media/media-protocol.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { RtpMetrics } from '../../src/runtime/rtp-metrics.ts';

function snapshot(foreign: number, late: number): MediaSnapshot {
  const recentSendLatenessMs = { p50: 0.4, p99: 2, max: 3 };
  return { counters: { foreign, late }, recentSendLatenessMs } as unknown as MediaSnapshot;
}

it('drops are counted once, and go on counting when a new thread starts at 0', async () => {
  const metrics = createMetrics();
  const rtp = new RtpMetrics(metrics);
  for (const [foreign, late] of [
    [5, 0],
    [5, 2],
    [9, 2],
    [1, 0],
    [4, 0],
  ] as const)
    rtp.take(snapshot(foreign, late));
  const text = await metrics.registry.metrics();
  expect(text).toContain('wildfire_events_total{area="rtp",reason="foreign"} 13\n');
  expect(text).toContain('wildfire_events_total{area="rtp",reason="late"} 2\n');
  expect(text).toContain('wildfire_rtp_send_lateness_seconds{quantile="p99"} 0.002\n');
});
