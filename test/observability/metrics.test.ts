/** Names and units of the metrics, by the Prometheus conventions. */
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/observability/metrics.ts';
import { parsePrometheus } from './prometheus-text.ts';

describe('metrics', () => {
  it('are named after the process, counters end in _total, times are in seconds, all have a help line', async () => {
    const { registry } = createMetrics();
    for (const [name, family] of parsePrometheus(await registry.metrics())) {
      expect(name).toMatch(/^wildfire_[a-z_]+$/);
      expect(family.help).not.toBe('');
      expect(name.endsWith('_total'), name).toBe(family.type === 'counter');
      expect(name).not.toMatch(/_ms$|_milliseconds/);
    }
  });

  it('of two runtimes in one process do not mix', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.calls.inc({ ended_by: 'caller' });
    expect(await one.registry.metrics()).toContain('wildfire_calls_total{ended_by="caller"} 1');
    expect(await other.registry.metrics()).not.toContain('ended_by="caller"');
  });
});
