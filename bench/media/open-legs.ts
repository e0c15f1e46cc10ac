/** Legs for the media benches: opened and started, PCMU both ways. */
import type { MediaClient } from '../../src/media/media-client.ts';
import { createRing, createTape } from '../../src/ring-buffers/layout.ts';

const HOST = '127.0.0.1';
const RING = { rateHz: 8000, capacitySamples: 65_536 };

/** @param peerOf the port that a call's packets go to, of all ports by call id. @returns the ports */
export async function openLegs(
  client: MediaClient,
  count: number,
  peerOf: (callId: number, ports: readonly number[]) => number,
): Promise<number[]> {
  const ports: number[] = [];
  for (let callId = 0; callId < count; callId++) {
    const shared = { uplink: createTape(RING), downlink: createRing(RING) };
    const { rtpPort } = await client.openLeg({ callId, bindAddress: HOST, ...shared });
    ports.push(rtpPort);
  }
  for (let callId = 0; callId < count; callId++) {
    await client.startLeg({
      callId,
      remote: { address: HOST, port: peerOf(callId, ports) },
      codec: 'PCMU',
      payloadType: 0,
      telephoneEventPayloadType: 101,
      ptimeMs: 20,
      direction: 'sendrecv',
    });
  }
  return ports;
}
