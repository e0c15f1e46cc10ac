/**
 * All metrics of the process, in one Prometheus registry. Names follow the Prometheus conventions (base units,
 * `_total` for counters). Thread: main; other threads report by message and main adds.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const STAGE_BUCKETS_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5, 10];

export interface Metrics {
  readonly registry: Registry;
  /** Everything that was refused, dropped or went wrong: area (sip, rtp, call, worker ...) and reason word. */
  readonly events: Counter<'area' | 'reason'>;
  readonly calls: Counter<'ended_by'>;
  readonly activeCalls: Gauge;
  readonly turns: Counter<'outcome'>;
  readonly rejectedTranscripts: Counter<'guard'>;
  readonly stageSeconds: Histogram<'stage'>;
  readonly mainLoopSeconds: Gauge<'quantile'>;
  readonly rtpSendLatenessSeconds: Gauge<'quantile'>;
}

/** A registry with every metric of the runtime. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    events: new Counter({
      name: 'wildfire_events_total',
      help: 'Refusals, drops and faults by area and reason word',
      labelNames: ['area', 'reason'],
      registers,
    }),
    calls: new Counter({
      name: 'wildfire_calls_total',
      help: 'Calls that ended, by who ended them',
      labelNames: ['ended_by'],
      registers,
    }),
    activeCalls: new Gauge({ name: 'wildfire_active_calls', help: 'Calls in progress', registers }),
    turns: new Counter({
      name: 'wildfire_turns_total',
      help: 'Turns of callers, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    rejectedTranscripts: new Counter({
      name: 'wildfire_rejected_transcripts_total',
      help: 'Turns whose speech was not used as text, by the guard that fired',
      labelNames: ['guard'],
      registers,
    }),
    stageSeconds: new Histogram({
      name: 'wildfire_stage_seconds',
      help: 'Time spent in each stage of a turn',
      labelNames: ['stage'],
      buckets: STAGE_BUCKETS_SECONDS,
      registers,
    }),
    mainLoopSeconds: new Gauge({
      name: 'wildfire_main_loop_delay_seconds',
      help: 'Event loop delay of the main thread since it was ready',
      labelNames: ['quantile'],
      registers,
    }),
    rtpSendLatenessSeconds: new Gauge({
      name: 'wildfire_rtp_send_lateness_seconds',
      help: 'How late packets were sent in the last second',
      labelNames: ['quantile'],
      registers,
    }),
  };
}
