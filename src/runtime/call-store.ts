/** Starts the store as the configuration has it, with its log lines and metrics. Thread: main. */
import type { Config } from '../config/schema.ts';
import { storePathOf } from '../config/state-path.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { createStoreMetrics } from '../observability/store-metrics.ts';
import { StoreClient } from '../store/store-client.ts';

/**
 * @returns null when calls are not kept
 * @throws WildfireError STORE_UNAVAILABLE, STORE_DAMAGED, STORE_NEWER, WORKER_WARMUP
 */
export async function startStore(
  { store }: Config,
  { log, metrics }: { log: Log; metrics: Metrics },
): Promise<StoreClient | null> {
  if (!store.enabled) return null;
  const { retentionDays, keepText } = store;
  const path = storePathOf(store);
  const client = await StoreClient.start({
    path,
    retentionDays,
    keepText,
    log,
    count: (area, reason, by) => metrics.events.inc({ area, reason }, by),
    onWritten: (records) => storeMetrics.records.inc(records),
  });
  const storeMetrics = createStoreMetrics(metrics.registry, () => client);
  log.info({ path, retentionDays, keepText }, 'calls are kept');
  return client;
}
