/**
 * media.echo: CPU of the media thread per call, with every leg both sending and receiving: legs send to each other in
 * pairs, so that all packets cross real sockets and pass the whole way up and down.
 * Run: node bench/media/echo.bench.ts [legs ...]
 */
import { MediaClient } from '../../src/media/media-client.ts';
import { createRing, createTape } from '../../src/ring-buffers/layout.ts';

const MEASURED_MS = 5000;
const counts = process.argv.slice(2).map(Number);

for (const legs of counts.length > 0 ? counts : [2, 20, 100]) {
  const client = await MediaClient.start({ portFirst: 20_000, portLast: 29_999, mediaTimeoutMs: 60_000 });
  const ports: number[] = [];
  for (let callId = 0; callId < legs; callId += 1) {
    const uplink = createTape({ rateHz: 8000, capacitySamples: 65_536 });
    const downlink = createRing({ rateHz: 8000, capacitySamples: 65_536 });
    const { rtpPort } = await client.openLeg({ callId, bindAddress: '127.0.0.1', uplink, downlink });
    ports.push(rtpPort);
  }
  for (let callId = 0; callId < legs; callId += 1) {
    await client.startLeg({
      callId,
      remote: { address: '127.0.0.1', port: ports[callId ^ 1]! },
      codec: 'PCMU',
      payloadType: 0,
      telephoneEventPayloadType: 101,
      ptimeMs: 20,
      direction: 'sendrecv',
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const before = process.cpuUsage();
  const startMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
  const { user, system } = process.cpuUsage(before);
  const elapsedMs = performance.now() - startMs;
  const { sendLatenessMs, ticks } = await client.snapshot();
  const report = await client.closeLeg(0);
  await client.close();
  const usPerCallTick = (user + system) / (legs * (elapsedMs / 20));
  console.log(
    JSON.stringify({
      name: 'media.echo',
      legs,
      usPerCallTick: Number(usPerCallTick.toFixed(1)),
      coreShare: Number(((user + system) / 1000 / elapsedMs).toFixed(3)),
      sendLatenessMs,
      ticks,
      oneLeg: {
        sent: report.sent,
        received: report.received,
        lost: report.lost,
        concealed: report.concealed,
      },
    }),
  );
}
