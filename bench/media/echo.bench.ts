/**
 * media.echo*.corePercentPerCall: CPU of the media path per call, with every leg both sending and receiving: legs send
 * to each other in pairs, so that all packets cross real sockets and pass the whole way up and down. The main thread,
 * idle here, is in the figure.
 */
import { MediaClient } from '../../src/media/media-client.ts';
import type { LegReport, MediaSnapshot } from '../../src/media/media-protocol.ts';
import { type BenchResult, type BenchRow, figure } from '../bench-row.ts';
import { openLegs } from './open-legs.ts';

const SETTLING_MS = 1000;
const MEASURED_MS = 5000;
const LEG_COUNTS = [20, 100, 250] as const;

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  for (const legs of LEG_COUNTS) rows.push(await measure(legs));
  return { rows };
}

async function measure(legs: number): Promise<BenchRow> {
  const client = await MediaClient.start({ portFirst: 20_000, portLast: 29_999, mediaTimeoutMs: 60_000 });
  await openLegs(client, legs, (callId, ports) => ports[callId ^ 1]!);
  await passed(SETTLING_MS);
  const before = process.cpuUsage();
  const startMs = performance.now();
  await passed(MEASURED_MS);
  const { user, system } = process.cpuUsage(before);
  const coreShare = (user + system) / 1000 / (performance.now() - startMs);
  const snapshot = await client.snapshot();
  const report = await client.closeLeg(0);
  await client.close();
  return figure(
    `media.echo${legs}.corePercentPerCall`,
    '%',
    (coreShare * 100) / legs,
    detailsOf(snapshot, report),
  );
}

function detailsOf({ sendLatenessMs, ticks, priority }: MediaSnapshot, leg: LegReport): object {
  const { sent, received, lost, concealed } = leg;
  return { sendLatenessMs, ticks, priority, oneLeg: { sent, received, lost, concealed } };
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
