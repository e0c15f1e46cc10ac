/**
 * Our TTS in the place of the old ones: the old LLaMA sends it whole replies, the old outbound processor plays them
 * by its own rules. The same text has the same voice, so every call is compared with the first.
 */
import { describe, expect, it } from 'vitest';
import { hasTestPack } from '../../models/test-pack.ts';
import { freeOldPorts, type OldPorts } from '../peers/free-ports.ts';
import { OldCall, samplesOf } from '../peers/old-call.ts';
import { OldLlama } from '../peers/old-llama.ts';
import { startOldWhisper } from '../peers/old-services.ts';
import { toBytes } from '../peers/wire.ts';
import { closersAfterEach } from './closers.ts';
import { becomesIdle } from './idle.ts';
import { OurProcess } from './our-process.ts';

/** The pack's voice. */
const RATE_HZ = 24_000;
const ANSWER_LIMIT_MS = 40_000;
const SILENCE_MS = 1000;
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

/** Resolves when audio has come and no more comes. */
async function untilSilent({ outbound }: OldCall): Promise<void> {
  let last = -1;
  const hasSettled = (): boolean => {
    const { length } = outbound.chunks;
    const isSettled = length > 0 && length === last;
    last = length;
    return isSettled;
  };
  await expect.poll(hasSettled, { timeout: ANSWER_LIMIT_MS, interval: SILENCE_MS }).toBe(true);
}

async function askIn({ ports }: System, callId: number): Promise<OldCall> {
  const call = await OldCall.activate(callId, ports);
  await call.inbound.connected();
  call.inbound.say(samplesOf({ frequencyHz: 440, lengthSamples: 8000 }));
  return call;
}

/** @param voice what has to be heard, null for what comes until it is silent */
async function holdCall(system: System, callId: number, voice: Float32Array | null): Promise<Float32Array> {
  const call = await askIn(system, callId);
  if (voice === null) await untilSilent(call);
  else await call.heard(voice.length, ANSWER_LIMIT_MS);
  await call.deactivate();
  const { samples, chunks, counts } = call.outbound;
  const ids = chunks.map(({ chunkId }) => chunkId);
  expect(ids).toEqual(ids.map((_, index) => index + 1));
  expect(new Set(chunks.map(({ sampleRateHz }) => sampleRateHz))).toEqual(new Set([RATE_HZ]));
  expect(counts).toMatchObject({ clients: 1, badHellos: 0, duplicates: 0, trimmedBytes: 0 });
  if (voice !== null)
    expect(toBytes(samples).equals(toBytes(voice)), `the voice of call ${callId}`).toBe(true);
  return samples;
}

function loudness(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

describe.skipIf(!hasTestPack('manifest.json'))('our TTS among the old programs', { timeout: 180_000 }, () => {
  it('speaks a reply in samples within -1..1, then gives everything back', async () => {
    const system = await startSystem(10, () => REPLY);
    const samples = await holdCall(system, 6, null);
    expect(samples.every((sample) => Math.abs(sample) <= 1)).toBe(true);
    expect(loudness(samples)).toBeGreaterThan(0.01);
    expect(samples.length / RATE_HZ).toBeGreaterThan(REPLY.length / 25);
    expect(samples.length / RATE_HZ).toBeLessThan(REPLY.length / 5);
    await becomesIdle(system.ours);
    expect(await system.ours.stop()).toBe(0);
  });

  it('holds 200 calls one after another and 20 at once, each with the voice of the first', async () => {
    const system = await startSystem(462, () => REPLY);
    const voice = await holdCall(system, 2, null);
    for (let callId = 4; callId <= 400; callId += 2) await holdCall(system, callId, voice);
    await becomesIdle(system.ours);
    const ids = Array.from({ length: 20 }, (_, index) => 402 + 2 * index);
    await Promise.all(ids.map((callId) => holdCall(system, callId, voice)));
    await becomesIdle(system.ours);
  });

  it('sends a long reply no faster than the old outbound processor can keep it', async () => {
    const sentences = Array.from({ length: 10 }, (_, index) => `This is sentence number ${index}.`);
    const system = await startSystem(10, () => sentences.join(' '));
    const samples = await holdCall(system, 8, null);
    expect(samples.length / RATE_HZ).toBeGreaterThan(13);
  });

  it('goes on after a lost connection without losing or repeating audio', async () => {
    const system = await startSystem(10, () => REPLY);
    const voice = await holdCall(system, 2, null);
    const call = await askIn(system, 4);
    await expect.poll(() => call.outbound.chunks.length, { interval: 2 }).toBeGreaterThan(3);
    call.outbound.dropClient();
    await expect.poll(() => call.outbound.counts.clients, { timeout: ANSWER_LIMIT_MS }).toBe(2);
    await call.heard(voice.length, ANSWER_LIMIT_MS);
    await call.deactivate();
    expect(toBytes(call.outbound.samples).equals(toBytes(voice))).toBe(true);
  });
});
