/** The metrics of the store, in the registry of all others. Drops and faults are events (area store). Thread: main. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface StoreFigures {
  readonly queued: number;
  readonly isHealthy: boolean;
}

export interface StoreMetrics {
  readonly records: Counter;
}

/** Adds the store's metrics to a registry. @param figures read at each scrape */
export function createStoreMetrics(registry: Registry, figures: () => StoreFigures): StoreMetrics {
  const registers = [registry];
  new Gauge({
    name: 'wildfire_store_queued_records',
    help: 'Records that are not known to be in the database',
    registers,
    collect() {
      this.set(figures().queued);
    },
  });
  new Gauge({
    name: 'wildfire_store_healthy',
    help: '0 from a fault or a dropped record on, until all that waited is in the database',
    registers,
    collect() {
      this.set(Number(figures().isHealthy));
    },
  });
  return {
    records: new Counter({
      name: 'wildfire_store_records_total',
      help: 'Starts of calls, turns and ends of calls that are in the database',
      registers,
    }),
  };
}
