/** Legs for the media benches: opened and started, PCMU both ways. */
import type { MediaClient } from '../../src/media/media-client.ts';
import { createRing, createTape, type RingHandle, type TapeHandle } from '../../src/ring-buffers/layout.ts';
import { RingWriter } from '../../src/ring-buffers/ring.ts';

export const LEG_RATE_HZ = 8000;
const HOST = '127.0.0.1';
const SHARED = { rateHz: LEG_RATE_HZ, capacitySamples: 65_536 };

export interface BenchLeg {
  readonly rtpPort: number;
  readonly uplink: TapeHandle;
  readonly downlink: RingHandle;
}

export interface LegOptions {
  /** The port that a call's packets go to, of all legs by call id. */
  readonly peerOf: (callId: number, legs: readonly BenchLeg[]) => number;
  /** What a leg hears it sends back. Default false. */
  readonly isEcho?: boolean;
  /** What each leg has to say first, 8 kHz. Default nothing: it sends silence. */
  readonly opening?: Int16Array;
}

/** Call ids from 0 on. */
export async function openLegs(
  client: MediaClient,
  count: number,
  { peerOf, isEcho = false, opening = new Int16Array(0) }: LegOptions,
): Promise<BenchLeg[]> {
  const legs: BenchLeg[] = [];
  for (let callId = 0; callId < count; callId++) {
    const shared = { uplink: createTape(SHARED), downlink: createRing(SHARED) };
    new RingWriter(shared.downlink, 0).write(opening);
    const { rtpPort } = await client.openLeg({ callId, bindAddress: HOST, isEcho, ...shared });
    legs.push({ rtpPort, ...shared });
  }
  for (let callId = 0; callId < count; callId++) {
    await client.startLeg({
      callId,
      remote: { address: HOST, port: peerOf(callId, legs) },
      codec: 'PCMU',
      payloadType: 0,
      telephoneEventPayloadType: 101,
      ptimeMs: 20,
      direction: 'sendrecv',
    });
  }
  return legs;
}
