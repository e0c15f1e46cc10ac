/** A call from baresip, an independent SIP and RTP stack, is answered; its recording holds the agent's speech. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { understand } from '../../src/caller/ear.ts';
import { RuntimeProcess } from '../../src/cli/runtime-process.ts';
import { loadPack } from '../../src/models/pack.ts';
import { WhisperClient } from '../../src/workers/whisper/whisper-client.ts';
import { hasTestPack, TEST_PACK_FOLDER } from '../models/test-pack.ts';
import { callWithBaresip, hasAddressForBaresip } from './baresip.ts';
import { hasProgram } from './peer-programs.ts';

const QUESTION = fileURLToPath(new URL('../fixtures/utterances/opening-hours.wav', import.meta.url));

it.skipIf(!hasProgram('baresip') || !hasAddressForBaresip() || !hasTestPack('manifest.json'))(
  'baresip hears the greeting and the answer to what it played',
  { timeout: 120_000 },
  async () => {
    const runtime = await RuntimeProcess.start([
      'sip.bindAddress=127.0.0.1',
      'sip.port=0',
      'web.enabled=false',
      'log.level=warn',
      `models.pack=${TEST_PACK_FOLDER}`,
    ]);
    const pack = await loadPack(TEST_PACK_FOLDER);
    const whisper = await WhisperClient.start({ ...pack.whisper, threads: 1, niceIncrement: 0 });
    try {
      const call = { wav: QUESTION, waitMs: 6000, callMs: 14_000, sipPort: runtime.sipPort };
      const { heard, log } = await callWithBaresip(call);
      expect(await runtime.callsEnded(1, 5000), log).toBe(true);
      expect(runtime.calls[0]).toMatchObject({ endedBy: 'caller', reason: 'bye' });
      expect(runtime.turns[0]?.heard).toMatch(/opening hours/);
      const text = await understand(heard, async (samples, rateHz) => {
        return (await whisper.transcribeSamples(samples, rateHz)).text;
      });
      console.log(`baresip heard: ${text}`);
      expect(text).toMatch(/harbour kitchen/i);
      expect(text).toMatch(/noon/i);
    } finally {
      await whisper.close();
      expect(await runtime.stop()).toBe(0);
    }
  },
);
