/** rtp.packetPath: making, parsing, inserting and taking one 20 ms packet; aim: below 1 us and no garbage. */
import { Bench } from 'tinybench';
import { JitterBuffer } from '../../src/rtp/jitter-buffer.ts';
import { parseRtpPacket, RtpPacketView } from '../../src/rtp/packet.ts';
import { Packetizer } from '../../src/rtp/packetizer.ts';
import type { BenchResult } from '../bench-row.ts';
import { taskRows } from '../tinybench-rows.ts';

/** Packets per measured call: one alone is shorter than the clock's own cost. */
const PACKETS = 100;

const packetizer = new Packetizer({ ssrc: 1, firstSequence: 0, firstTimestamp: 0 });
const buffer = new JitterBuffer({ clockRateHz: 8000, targetMinMs: 20, targetMaxMs: 60, capMs: 200 });
const view = new RtpPacketView();
let nowMs = 0;

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const bench = new Bench({ time: 500, warmupTime: 200, retainSamples: true });
  bench.add('rtp.packetPath', () => {
    for (let packet = 0; packet < PACKETS; packet++) passOne();
  });
  await bench.run();
  return { rows: taskRows(bench, { name: 'rtp.packetPath', unit: 'us', perRun: PACKETS }) };
}

function passOne(): void {
  const { bytes } = packetizer.next(0, false, 160);
  packetizer.advance(160);
  nowMs += 20;
  parseRtpPacket(bytes, view);
  buffer.insert(view, 160, nowMs);
  buffer.beginTick(0, Number.POSITIVE_INFINITY, 0);
  buffer.take(160);
}
