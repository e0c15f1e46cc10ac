/**
 * Our TTS in the place of the old ones: the old LLaMA sends it whole replies, the old outbound processor plays them
 * by its own rules. The same text has the same voice, so every call is compared with the first.
 */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { hasTestPack } from '../../models/test-pack.ts';
import { freeOldPorts, type OldPorts } from '../peers/free-ports.ts';
import { OldCall, samplesOf } from '../peers/old-call.ts';
import { OldLlama } from '../peers/old-llama.ts';
import { OldOutbound } from '../peers/old-outbound.ts';
import { startOldWhisper } from '../peers/old-services.ts';
import { LOOPBACK } from '../peers/sockets.ts';
import { BYE_WORD, helloFrame, textFrame, toBytes, word } from '../peers/wire.ts';
import { closersAfterEach } from './closers.ts';
import { becomesIdle } from './idle.ts';
import { OurProcess } from './our-process.ts';

/** The pack's voice. */
const RATE_HZ = 24_000;
const ANSWER_LIMIT_MS = 40_000;
const REPLY = 'We are open from noon. See you on friday.';

const closers = closersAfterEach();

interface System {
  readonly ports: OldPorts;
  readonly ours: OurProcess;
}

async function startSystem(
  maxCallId: number,
  reply: (text: string, turn: number) => string,
): Promise<System> {
  const ports = await freeOldPorts(maxCallId);
  const { llamaPort, ttsPort } = ports;
  const ours = closers.add(await OurProcess.start({ roles: ['tts'], ports }));
  closers.add(await OldLlama.start({ port: llamaPort, ttsPort, reply }));
  closers.add(await startOldWhisper(ports));
  return { ports, ours };
}

/** The whole voice of a text: behind the last of it our TTS passes on the goodbye that is said behind the text. */
async function voiceOf({ ports }: System, callId: number, text: string): Promise<Float32Array> {
  const outbound = await OldOutbound.activate({
    callId,
    audioBasePort: ports.audioOutBasePort,
    registrationPort: ports.audioOutRegistrationPort,
  });
  const upstream = connect({ host: LOOPBACK, port: ports.ttsPort });
  upstream.write(Buffer.concat([helloFrame(callId), textFrame(text), word(BYE_WORD)]));
  await expect.poll(() => outbound.counts.ends, { timeout: ANSWER_LIMIT_MS }).toBe(1);
  upstream.destroy();
  await outbound.deactivate();
  expectInOrder(outbound);
  return outbound.samples;
}

async function askIn({ ports }: System, callId: number): Promise<OldCall> {
  const call = await OldCall.activate(callId, ports);
  await call.inbound.connected();
  call.inbound.say(samplesOf({ frequencyHz: 440, lengthSamples: 8000 }));
  return call;
}

/** @param voice what has to be heard */
async function holdCall(system: System, callId: number, voice: Float32Array): Promise<void> {
  const call = await askIn(system, callId);
  await call.heard(voice.length, ANSWER_LIMIT_MS);
  await call.deactivate();
  expectInOrder(call.outbound);
  const isSame = toBytes(call.outbound.samples).equals(toBytes(voice));
  expect(isSame, `the voice of call ${callId}`).toBe(true);
}

function expectInOrder({ chunks, counts }: OldOutbound): void {
  const ids = chunks.map(({ chunkId }) => chunkId);
  expect(ids).toEqual(ids.map((_, index) => index + 1));
  expect(new Set(chunks.map(({ sampleRateHz }) => sampleRateHz))).toEqual(new Set([RATE_HZ]));
  expect(counts).toMatchObject({ clients: 1, badHellos: 0, duplicates: 0, trimmedBytes: 0 });
}

function loudness(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

describe.skipIf(!hasTestPack('manifest.json'))('our TTS among the old programs', { timeout: 180_000 }, () => {
  it('speaks a reply in samples within -1..1, then gives everything back', async () => {
    const system = await startSystem(10, () => REPLY);
    const samples = await voiceOf(system, 4, REPLY);
    await holdCall(system, 6, samples);
    expect(samples.every((sample) => Math.abs(sample) <= 1)).toBe(true);
    expect(loudness(samples)).toBeGreaterThan(0.01);
    expect(samples.length / RATE_HZ).toBeGreaterThan(REPLY.length / 25);
    expect(samples.length / RATE_HZ).toBeLessThan(REPLY.length / 5);
    await becomesIdle(system.ours);
    expect(await system.ours.stop()).toBe(0);
  });

  it('holds 200 calls one after another and 20 at once, each with the voice of the first', async () => {
    const system = await startSystem(462, () => REPLY);
    const voice = await voiceOf(system, 2, REPLY);
    for (let callId = 4; callId <= 400; callId += 2) await holdCall(system, callId, voice);
    await becomesIdle(system.ours);
    const ids = Array.from({ length: 20 }, (_, index) => 402 + 2 * index);
    await Promise.all(ids.map((callId) => holdCall(system, callId, voice)));
    await becomesIdle(system.ours);
  });

  it('sends a long reply no faster than the old outbound processor can keep it', async () => {
    const sentences = Array.from({ length: 10 }, (_, index) => `This is sentence number ${index}.`);
    const system = await startSystem(10, () => sentences.join(' '));
    const samples = await voiceOf(system, 6, sentences.join(' '));
    await holdCall(system, 8, samples);
    expect(samples.length / RATE_HZ).toBeGreaterThan(13);
  });

  it('goes on after a lost connection without losing or repeating audio', async () => {
    const system = await startSystem(10, () => REPLY);
    const voice = await voiceOf(system, 2, REPLY);
    const call = await askIn(system, 4);
    await expect
      .poll(() => call.outbound.chunks.length, { timeout: ANSWER_LIMIT_MS, interval: 2 })
      .toBeGreaterThan(3);
    call.outbound.dropClient();
    await expect.poll(() => call.outbound.counts.clients, { timeout: ANSWER_LIMIT_MS }).toBe(2);
    await call.heard(voice.length, ANSWER_LIMIT_MS);
    await call.deactivate();
    expect(toBytes(call.outbound.samples).equals(toBytes(voice))).toBe(true);
  });
});
