/** A stored result of `stress`, as far as a comparison reads it. Pure. */
import { z } from 'zod';
import type { StressReport } from './stress-report.ts';

const percentiles = z.looseObject({ p50: z.number(), p95: z.number(), p99: z.number() }).nullish();
const count = z.number().nonnegative();

const schema = z.looseObject({
  mode: z.enum(['conversation', 'echo', 'consecutive']),
  callsOffered: count,
  callsFailed: count,
  peakConcurrent: count,
  goalsMet: count,
  voiceToVoiceMs: percentiles,
  roundTripMs: percentiles,
  stagesMs: z.record(z.string(), percentiles).optional(),
  timeline: z
    .looseObject({ computeMs: percentiles, queueMs: percentiles, overheadMs: percentiles })
    .partial()
    .nullish(),
  rtp: z.looseObject({ lost: z.number(), underrunFrames: z.number().optional() }),
  mainLoopMs: z.looseObject({ p99: z.number() }).nullish(),
  cpuCores: z.number().nullish(),
  corePercentPerCall: z.number().nullish(),
  rssMiB: z.looseObject({ peak: z.number() }).nullish(),
  memorySlope: z.looseObject({ mibPer100Calls: z.number().nullable() }).nullish(),
  capacity: z.looseObject({ calls: z.number() }).nullish(),
  calls: z.array(z.unknown()),
});

/**
 * Takes what any version wrote, if it has what is compared; the rest of it is not looked at.
 * @throws ZodError that names what is missing or of another kind
 */
export function parseReport(document: unknown): StressReport {
  return schema.parse(document) as unknown as StressReport;
}
