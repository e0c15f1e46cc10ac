/**
 * Our LLaMA in the place of the old one: the old Whisper tells it what the caller said, and an old TTS voices every
 * frame that it sends; what the old outbound processor plays has to be exactly those frames' voices.
 */
import { describe, expect, it } from 'vitest';
import { hasTestPack } from '../../models/test-pack.ts';
import { freeOldPorts, type OldPorts } from '../peers/free-ports.ts';
import { lengthOf, OldCall, samplesOf } from '../peers/old-call.ts';
import { startOldTts, startOldWhisper } from '../peers/old-services.ts';
import { chunksOf, KOKORO, type OldTts, PIPER, type TtsFlavour } from '../peers/old-tts.ts';
import type { OldWhisper } from '../peers/old-whisper.ts';
import { closersAfterEach } from './closers.ts';
import { becomesIdle } from './idle.ts';
import { OurProcess } from './our-process.ts';

const ANSWER_LIMIT_MS = 15_000;
const GREETING = 'Good day from the kitchen.';
const QUESTION = 'what are your opening hours';
const ANSWER = /open|clos|noon|o'clock/i;

const closers = closersAfterEach();

interface System {
  readonly ports: OldPorts;
  readonly flavour: TtsFlavour;
  readonly tts: OldTts;
  readonly whisper: OldWhisper;
  readonly ours: OurProcess;
}

async function startSystem(
  maxCallId: number,
  flavour: TtsFlavour,
  closesLlamaAtBye: boolean,
): Promise<System> {
  const ports = await freeOldPorts(maxCallId);
  const tts = closers.add(await startOldTts(ports, flavour));
  const settings = [`agent.greeting=${GREETING}`];
  const ours = closers.add(await OurProcess.start({ roles: ['llama'], ports, settings }));
  const whisper = closers.add(await startOldWhisper(ports, { transcribe: () => QUESTION, closesLlamaAtBye }));
  return { ports, flavour, tts, whisper, ours };
}

async function holdCall({ ports, flavour, tts }: System, callId: number, turns: number): Promise<void> {
  const call = await OldCall.activate(callId, ports);
  await call.inbound.connected();
  await expect.poll(() => tts.textsOf(callId), { timeout: ANSWER_LIMIT_MS, interval: 5 }).toEqual([GREETING]);
  for (let turn = 1; turn <= turns; turn++) {
    const before = tts.textsOf(callId).length;
    call.inbound.say(samplesOf({ frequencyHz: 440, lengthSamples: 8000 }));
    const reply = (): string => tts.textsOf(callId).slice(before).join(' ');
    await expect.poll(reply, { timeout: ANSWER_LIMIT_MS, interval: 5 }).toMatch(ANSWER);
  }
  const expected = (): Float32Array[] => tts.textsOf(callId).flatMap((text) => chunksOf(text, flavour));
  await call.heard(lengthOf(expected()), ANSWER_LIMIT_MS);
  await call.deactivate();
  const played = call.outbound.chunks.map(({ samples }) => samples);
  expect(expected().slice(0, played.length)).toEqual(played);
  expect(call.outbound.counts).toMatchObject({ badHellos: 0, duplicates: 0 });
}

describe.skipIf(!hasTestPack('manifest.json')).each([
  ['Piper', PIPER],
  ['Kokoro', KOKORO],
])('our LLaMA among the old programs with %s', { timeout: 120_000 }, (_name, flavour) => {
  it('holds a call of three turns, then gives everything back', async () => {
    const system = await startSystem(10, flavour, true);
    await holdCall(system, 6, 3);
    await becomesIdle(system.ours);
    await expect.poll(() => system.tts.openConnections).toBe(0);
    expect(system.tts.counts).toMatchObject({ connections: 1, badHellos: 0 });
    expect(await system.ours.stop()).toBe(0);
  });

  it('holds 20 calls at once', async () => {
    const system = await startSystem(50, flavour, true);
    const ids = Array.from({ length: 20 }, (_, index) => 2 * index + 2);
    await Promise.all(ids.map((callId) => holdCall(system, callId, 1)));
    await becomesIdle(system.ours);
  });
});

describe.skipIf(!hasTestPack('manifest.json'))(
  'our LLaMA and many calls of an old Whisper',
  { timeout: 180_000 },
  () => {
    it.each([
      ['Piper', PIPER],
      ['Kokoro', KOKORO],
    ])('holds 200 calls one after another with %s', async (_name, flavour) => {
      const system = await startSystem(402, flavour, true);
      for (let callId = 2; callId <= 400; callId += 2) await holdCall(system, callId, 1);
      await becomesIdle(system.ours);
      await expect.poll(() => system.tts.openConnections, { timeout: ANSWER_LIMIT_MS }).toBe(0);
    });

    it('holds call after call although that Whisper closes none of its connections', async () => {
      const system = await startSystem(202, PIPER, false);
      for (let callId = 2; callId <= 200; callId += 2) await holdCall(system, callId, 1);
      expect(system.whisper.linkOf(200)?.isOpen).toBe(true);
    });
  },
);
