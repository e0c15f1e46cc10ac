/** rtp.jitterBuffer: parse, insert and take of one 20 ms packet; aim: below 1 us and no garbage. */
import { Bench } from 'tinybench';
import { JitterBuffer } from '../../src/rtp/jitter-buffer.ts';
import { parseRtpPacket, RtpPacketView } from '../../src/rtp/packet.ts';
import { Packetizer } from '../../src/rtp/packetizer.ts';

const packetizer = new Packetizer({ ssrc: 1, firstSequence: 0, firstTimestamp: 0 });
const buffer = new JitterBuffer({ clockRateHz: 8000, targetMinMs: 20, targetMaxMs: 60, capMs: 200 });
const view = new RtpPacketView();
let nowMs = 0;

const bench = new Bench({ time: 500 });
bench.add('packetize, parse, insert, take', () => {
  const { bytes } = packetizer.next(0, false, 160);
  packetizer.advance(160);
  nowMs += 20;
  parseRtpPacket(bytes, view);
  buffer.insert(view, 160, nowMs);
  buffer.watchLevel(0);
  buffer.take(160);
});
await bench.run();
console.table(bench.table());
