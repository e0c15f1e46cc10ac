/**
 * media.sendLateness.saturated: how late the packets of N legs leave while one hog per core computes.
 * Run: node bench/media/send-lateness.bench.ts [legs] [seconds] [hog nice] [own nice]
 *   own nice below 0 asks for real-time too, 0 leaves the thread as it is. Limit: p99 <= 20 ms, aim <= 5 ms.
 */
import { MediaClient } from '../../src/media/media-client.ts';
import { createRing, createTape } from '../../src/ring-buffers/layout.ts';
import { startHogs } from './cpu-hogs.ts';

const [legs = 1, seconds = 10, hogNice = 10, ownNice = -10] = process.argv.slice(2).map(Number);
const client = await MediaClient.start({
  portFirst: 20_000,
  portLast: 29_999,
  mediaTimeoutMs: 60_000,
  niceHint: ownNice,
});
for (let callId = 1; callId <= legs; callId += 1) {
  const uplink = createTape({ rateHz: 8000, capacitySamples: 65_536 });
  const downlink = createRing({ rateHz: 8000, capacitySamples: 65_536 });
  const { rtpPort } = await client.openLeg({ callId, bindAddress: '127.0.0.1', uplink, downlink });
  await client.startLeg({
    callId,
    remote: { address: '127.0.0.1', port: rtpPort },
    codec: 'PCMU',
    payloadType: 0,
    telephoneEventPayloadType: 101,
    ptimeMs: 20,
    direction: 'sendrecv',
  });
}
const hogs = await startHogs(hogNice);
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
await hogs.stop();
const { sendLatenessMs, ticks, priority } = await client.snapshot();
await client.close();
console.log(
  JSON.stringify({
    name: 'media.sendLateness.saturated',
    legs,
    hogNice,
    ownNice,
    priority,
    sendLatenessMs,
    ticks,
  }),
);
