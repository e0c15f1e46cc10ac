/**
 * media.echo*.corePercentPerCall: CPU of the whole media path per call: RTP in, jitter buffer, decoder, tape, ring,
 * encoder, RTP out. All legs echo, and send to each other in pairs over real sockets: what each has to say first goes
 * round between the two for as long as they run, so that every frame is loud. The main thread, idle here, is in the
 * figure. Limit at 250 calls: 0.35 % of a core.
 */
import { rmsDbfs } from '../../src/audio/level.ts';
import { MediaClient } from '../../src/media/media-client.ts';
import type { LegReport, MediaSnapshot } from '../../src/media/media-protocol.ts';
import { advance } from '../../src/ring-buffers/position.ts';
import { TapeReader } from '../../src/ring-buffers/tape.ts';
import { aimedAt, type BenchResult, type BenchRow, figure, rounded } from '../bench-row.ts';
import { type BenchLeg, LEG_RATE_HZ, openLegs } from './open-legs.ts';

const SETTLING_MS = 1000;
const MEASURED_MS = 5000;
const LEG_COUNTS = [20, 100, 250] as const;
const JUDGED_LEGS = 250;
const MOST_CORE_PERCENT = 0.35;
const FRAME_SAMPLES = 160;
/** A loud voice, too long for the few frames that a jitter buffer begins with to make much of it silent. */
const OPENING = Int16Array.from(
  { length: 2 * LEG_RATE_HZ },
  (_, i) => 9000 * Math.sin(i / 6) + 3000 * Math.sin(i * i),
);
const LOUD_DBFS = -20;
const LEAST_LOUD_SHARE = 0.9;

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const rows: BenchRow[] = [];
  for (const legs of LEG_COUNTS) rows.push(await measure(legs));
  return { rows };
}

async function measure(count: number): Promise<BenchRow> {
  const client = await MediaClient.start({ portFirst: 20_000, portLast: 29_999, mediaTimeoutMs: 60_000 });
  const peerOf = (callId: number, legs: readonly BenchLeg[]): number => legs[callId ^ 1]!.rtpPort;
  const legs = await openLegs(client, count, { peerOf, isEcho: true, opening: OPENING });
  await passed(SETTLING_MS);
  const before = process.cpuUsage();
  const startMs = performance.now();
  await passed(MEASURED_MS);
  const { user, system } = process.cpuUsage(before);
  const coreShare = (user + system) / 1000 / (performance.now() - startMs);
  const loudShare = loudShareOf(legs);
  const snapshot = await client.snapshot();
  const report = await client.closeLeg(0);
  await client.close();
  if (loudShare < LEAST_LOUD_SHARE) throw new Error(`of what the legs heard only ${loudShare} was loud`);
  const details = { loudShare: rounded(loudShare), ...detailsOf(snapshot, report) };
  const row = figure(`media.echo${count}.corePercentPerCall`, '%', (coreShare * 100) / count, details);
  return count === JUDGED_LEGS ? aimedAt(row, { atMost: MOST_CORE_PERCENT }) : row;
}

/** Of the frames that all legs heard while they were measured. */
function loudShareOf(legs: readonly BenchLeg[]): number {
  const frames = (MEASURED_MS * LEG_RATE_HZ) / 1000 / FRAME_SAMPLES;
  const frame = new Int16Array(FRAME_SAMPLES);
  let loud = 0;
  for (const { uplink } of legs) {
    const tape = new TapeReader(uplink);
    const endSample = tape.positionSamples;
    for (let back = frames; back > 0; back--) {
      const read = tape.read(advance(endSample, -back * FRAME_SAMPLES), frame);
      if (read === 'ok' && rmsDbfs(frame) > LOUD_DBFS) loud += 1;
    }
  }
  return loud / (frames * legs.length);
}

function detailsOf({ sendLatenessMs, ticks, priority }: MediaSnapshot, leg: LegReport): object {
  const { sent, received, lost, concealed } = leg;
  return { sendLatenessMs, ticks, priority, oneLeg: { sent, received, lost, concealed } };
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
