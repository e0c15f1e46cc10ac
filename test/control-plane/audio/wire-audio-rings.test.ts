/** One ring, call after call, with the real thread: what belongs to one call is never taken for another's. */
import { expect, it } from 'vitest';
import { WireAudioClient } from '../../../src/control-plane/audio/wire-audio-client.ts';
import { createRing } from '../../../src/ring-buffers/layout.ts';
import { renewRing } from '../../../src/ring-buffers/renew.ts';
import { RingController, RingWriter } from '../../../src/ring-buffers/ring.ts';
import { until } from '../../media/rtp-peer.ts';

const CALLS = 300;
const PCM = Int16Array.from({ length: 1000 }, (_, index) => index);

it('a ring that a call gave back is heard by the next one only', async () => {
  const audio = await WireAudioClient.start(() => {});
  const ring = createRing({ rateHz: 24_000, capacitySamples: 4096 });
  const controller = new RingController(ring);
  for (let callId = 1; callId <= CALLS; callId++) {
    let heardSamples = 0;
    // A writer of another thread may be there before the wire-audio thread knows of the call.
    new RingWriter(ring, controller.epoch).write(PCM);
    audio.openSource(callId, ring, 480, {
      onChunk: ({ length }) => {
        heardSamples += length / 4;
      },
      onDrained: () => {},
    });
    audio.setSourceActive(callId, true);
    await until(() => heardSamples > 0, 10_000);
    audio.setSourceActive(callId, false);
    await until(() => heardSamples === PCM.length, 10_000);
    audio.setSourceActive(callId, false); // one more look at the ring is under way
    await audio.closeSource(callId);
    renewRing(ring);
  }
  expect(audio.openCalls).toBe(0);
  await audio.close();
}, 60_000);
