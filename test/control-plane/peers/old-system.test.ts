/** The old system with itself: its five programs hold calls, and its known faults show. */
import { afterEach, describe, expect, it } from 'vitest';
import { freeOldPorts, type OldPorts } from './free-ports.ts';
import { expectedChunks, lengthOf, OldCall, samplesOf } from './old-call.ts';
import type { OldLlama } from './old-llama.ts';
import { startOldLlama, startOldTts, startOldWhisper } from './old-services.ts';
import { KOKORO, type OldTts, PIPER, type TtsFlavour } from './old-tts.ts';
import type { OldWhisper } from './old-whisper.ts';
import { PeerProcess } from './peer-process.ts';
import { frequencyOf, replyTo, transcriptOf, voiceOf } from './script.ts';

const ANSWER_LIMIT_MS = 10_000;

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function closing<T extends { close(): Promise<void> }>(program: T): T {
  closers.push(() => program.close());
  return program;
}

interface Services {
  readonly tts: OldTts;
  readonly llama: OldLlama;
  readonly whisper: OldWhisper;
}

async function startServices(ports: OldPorts, flavour: TtsFlavour): Promise<Services> {
  const tts = closing(await startOldTts(ports, flavour));
  const llama = closing(await startOldLlama(ports));
  const whisper = closing(await startOldWhisper(ports));
  return { tts, llama, whisper };
}

/** A whole call of two utterances, checked sample by sample. */
async function holdCall(callId: number, ports: OldPorts, flavour: TtsFlavour): Promise<OldCall> {
  const call = await OldCall.activate(callId, ports);
  const utterances = [
    { frequencyHz: 300 + (callId % 50) * 10, lengthSamples: 8000 },
    { frequencyHz: 400 + (callId % 70) * 10, lengthSamples: 8000 + callId },
  ];
  const expected = expectedChunks(utterances, flavour);
  await call.inbound.connected();
  for (const utterance of utterances) expect(call.inbound.say(samplesOf(utterance))).toBe(true);
  await call.heard(lengthOf(expected), ANSWER_LIMIT_MS);
  await call.deactivate();
  expect(call.outbound.chunks.map(({ chunkId }) => chunkId)).toEqual(expected.map((_, index) => index + 1));
  expect(call.outbound.chunks.map(({ samples }) => samples)).toEqual(expected);
  expect(call.outbound.counts).toMatchObject({ badHellos: 0, duplicates: 0 });
  expect(call.inbound.droppedChunks).toBe(0);
  return call;
}

describe.each([
  ['Piper', PIPER],
  ['Kokoro', KOKORO],
])('the old system with %s', { timeout: 60_000 }, (_name, flavour) => {
  it('holds a call and gives everything back but what it was known to leak', async () => {
    const ports = await freeOldPorts(10);
    const { tts, llama, whisper } = await startServices(ports, flavour);
    await holdCall(5, ports, flavour);
    await expect.poll(() => whisper.audioCalls).toEqual([]);
    await expect.poll(() => tts.registered).toEqual([]);
    expect(whisper.hellos).toEqual(['5']);
    expect(whisper.linkOf(5)?.isOpen).toBe(true);
    expect(llama.openConnections).toBe(1);
    expect(tts.openConnections).toBe(1);
  });

  it('holds 50 calls one after another', async () => {
    const ports = await freeOldPorts(102);
    const { whisper, llama } = await startServices(ports, flavour);
    for (let callId = 2; callId <= 100; callId += 2) await holdCall(callId, ports, flavour);
    expect(whisper.heard).toHaveLength(100);
    expect(llama.openConnections).toBe(50);
  });

  it('holds 20 calls at once', async () => {
    const ports = await freeOldPorts(50);
    await startServices(ports, flavour);
    const ids = Array.from({ length: 20 }, (_, index) => 2 * index + 2);
    await Promise.all(ids.map((callId) => holdCall(callId, ports, flavour)));
  });
});

describe('the old system, each program a process of its own', { timeout: 60_000 }, () => {
  it('holds two calls after each other', async () => {
    const ports = await freeOldPorts(10);
    const { audioInBasePort, audioOutBasePort, llamaPort, ttsPort } = ports;
    const start = async (
      role: Parameters<typeof PeerProcess.start>[0],
      options: object,
    ): Promise<PeerProcess> => {
      const peer = await PeerProcess.start(role, options);
      closers.push(() => peer.stop());
      return peer;
    };
    const [inRegistration, outRegistration] = [
      { registrationPort: ports.audioInRegistrationPort, audioBasePort: audioInBasePort },
      { registrationPort: ports.audioOutRegistrationPort, audioBasePort: audioOutBasePort },
    ];
    const tts = await start('piper', { ...outRegistration, port: ttsPort });
    await start('llama', { port: llamaPort, ttsPort });
    const whisper = await start('whisper', { ...inRegistration, llamaPort });
    const inbound = await start('inbound', inRegistration);
    const outbound = await start('outbound', outRegistration);

    for (const [index, callId] of [4, 6].entries()) {
      inbound.command(`ACTIVATE ${callId}`);
      outbound.command(`ACTIVATE ${callId}`);
      await inbound.event('connected', index + 1);
      inbound.command('SAY 500 12000');
      const text = 'a tone of 500 hertz for 12000 samples';
      expect(await whisper.event('heard', index + 1)).toMatchObject({ callId, samples: 12_000, text });
      const reply = replyTo(text, 1);
      expect(await tts.event('text', index + 1)).toMatchObject({ callId, text: reply });
      const voiced = voiceOf('This is reply 1, naïvely.', PIPER.sampleRateHz);
      expect(await outbound.event('chunk', 2 * index + 2)).toEqual({
        event: 'chunk',
        callId,
        chunkId: 2,
        sampleRateHz: PIPER.sampleRateHz,
        samples: voiced.length,
        hz: frequencyOf(voiced, PIPER.sampleRateHz),
      });
      inbound.command('DEACTIVATE');
      outbound.command('DEACTIVATE');
      await inbound.event('idle', index + 1);
      expect(await outbound.event('idle', index + 1)).toMatchObject({
        clients: 1,
        duplicates: 0,
        trimmedBytes: 0,
      });
    }
    expect(await whisper.stop()).toBe(0);
  });
});

describe('what was known to be wrong with the old system', { timeout: 30_000 }, () => {
  it('consecutive ids cannot both be up: 9001 + (n + 1) is 9002 + n', async () => {
    const ports = await freeOldPorts(20);
    const first = await OldCall.activate(11, ports);
    await expect(OldCall.activate(12, ports)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.deactivate();
  });

  it('audio is lost while no Whisper is there', async () => {
    const ports = await freeOldPorts(10);
    const call = await OldCall.activate(3, ports);
    expect(call.inbound.say(samplesOf({ frequencyHz: 440, lengthSamples: 8000 }))).toBe(false);
    expect(call.inbound.droppedChunks).toBe(1);
    await call.deactivate();
  });

  it('a LLaMA that cannot reach its TTS keeps every later call waiting', async () => {
    const ports = await freeOldPorts(10);
    const llama = closing(await startOldLlama(ports));
    const whisper = closing(await startOldWhisper(ports));
    const calls = [await OldCall.activate(2, ports), await OldCall.activate(4, ports)];
    for (const call of calls) {
      await call.inbound.connected();
      call.inbound.say(samplesOf({ frequencyHz: 440, lengthSamples: 8000 }));
    }
    await expect.poll(() => whisper.heard.length).toBe(2);
    const [first] = whisper.heard;
    expect(first?.text).toBe(transcriptOf(samplesOf({ frequencyHz: 440, lengthSamples: 8000 }), 16_000));
    expect(llama.counts.connections).toBe(1);
    expect(llama.heard).toEqual([]);
    await expect.poll(() => llama.textsOf(2).length, { timeout: 10_000 }).toBe(1);
    expect(llama.textsOf(4)).toEqual([]);
    for (const call of calls) await call.deactivate();
  });
});
