/**
 * Our Whisper in the place of the old one: the old inbound processor speaks to it, the old LLaMA is told what was
 * understood, and an old TTS and the old outbound processor bring back what follows from it, sample by sample.
 */
import { describe, expect, it } from 'vitest';
import { hasTestPack } from '../../models/test-pack.ts';
import { freeOldPorts, type OldPorts } from '../peers/free-ports.ts';
import { lengthOf, OldCall } from '../peers/old-call.ts';
import type { OldLlama } from '../peers/old-llama.ts';
import { startOldLlama, startOldTts } from '../peers/old-services.ts';
import { chunksOf, PIPER } from '../peers/old-tts.ts';
import { replyTo } from '../peers/script.ts';
import { closersAfterEach } from './closers.ts';
import { becomesIdle } from './idle.ts';
import { OurProcess } from './our-process.ts';
import { recordedSpeech } from './speech.ts';

const ANSWER_LIMIT_MS = 10_000;

const closers = closersAfterEach();

interface System {
  readonly ports: OldPorts;
  readonly llama: OldLlama;
  readonly ours: OurProcess;
}

async function startSystem(maxCallId: number): Promise<System> {
  const ports = await freeOldPorts(maxCallId);
  closers.add(await startOldTts(ports, PIPER));
  const llama = closers.add(await startOldLlama(ports));
  const ours = closers.add(await OurProcess.start({ roles: ['whisper'], ports }));
  return { ports, llama, ours };
}

async function holdCall({ ports, llama }: System, callId: number, utterances: number): Promise<void> {
  const call = await OldCall.activate(callId, ports);
  await call.inbound.connected();
  for (let turn = 1; turn <= utterances; turn++) {
    expect(call.inbound.say(recordedSpeech('opening-hours'))).toBe(true);
    await expect
      .poll(() => llama.textsOf(callId).length, { timeout: ANSWER_LIMIT_MS, interval: 5 })
      .toBe(turn);
  }
  const texts = llama.textsOf(callId);
  for (const text of texts) expect(text).toMatch(/opening hours/i);
  const expected = texts.flatMap((text, index) => chunksOf(replyTo(text, index + 1), PIPER));
  await call.heard(lengthOf(expected), ANSWER_LIMIT_MS);
  await call.deactivate();
  expect(call.outbound.chunks.map(({ samples }) => samples)).toEqual(expected);
  expect(call.inbound.clients).toBe(1);
}

describe.skipIf(!hasTestPack('manifest.json'))(
  'our Whisper among the old programs',
  { timeout: 120_000 },
  () => {
    it('holds a call of three utterances, then gives everything back', async () => {
      const system = await startSystem(10);
      await holdCall(system, 6, 3);
      await becomesIdle(system.ours);
      expect(system.llama.openConnections).toBe(0);
      expect(system.llama.counts).toMatchObject({ connections: 1, badHellos: 0, refusedSeconds: 0 });
      expect(await system.ours.stop()).toBe(0);
    });

    it('holds 200 calls one after another', async () => {
      const system = await startSystem(402);
      for (let callId = 2; callId <= 400; callId += 2) await holdCall(system, callId, 1);
      await becomesIdle(system.ours);
      expect(system.llama.counts.connections).toBe(200);
      await expect.poll(() => system.llama.openConnections).toBe(0);
    });

    it('holds 20 calls at once', async () => {
      const system = await startSystem(50);
      const ids = Array.from({ length: 20 }, (_, index) => 2 * index + 2);
      await Promise.all(ids.map((callId) => holdCall(system, callId, 2)));
      await becomesIdle(system.ours);
    });

    it('holds a second call with the id of the first', async () => {
      const { ports, ours } = await startSystem(10);
      for (let call = 1; call <= 2; call++) {
        const { inbound, ...rest } = await OldCall.activate(4, ports);
        await inbound.connected();
        expect(inbound.say(recordedSpeech('opening-hours'))).toBe(true);
        await Promise.all([inbound.deactivate(), rest.outbound.deactivate()]);
      }
      await becomesIdle(ours);
    });
  },
);
