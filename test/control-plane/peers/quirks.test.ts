/** The habits of the old programs that whoever talks to them has to live with, one by one against bare sockets. */
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freeOldPorts } from './free-ports.ts';
import { OldInbound } from './old-inbound.ts';
import { OldLlama } from './old-llama.ts';
import { OldOutbound } from './old-outbound.ts';
import { KOKORO, OldTts, PIPER, type TtsFlavour } from './old-tts.ts';
import { OldWhisper } from './old-whisper.ts';
import { sendDatagram } from './registration.ts';
import { replyTo, sentencesOf, tone, voiceOf } from './script.ts';
import { connectWithin, Listener, LOOPBACK, SocketReader, sleep } from './sockets.ts';
import {
  audioInFrame,
  audioOutFrame,
  audioOutHeader,
  helloFrame,
  readAudioOutHeader,
  textFrame,
  word,
} from './wire.ts';

const CALL_ID = 7;

const closers: (() => unknown)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const close of closers.splice(0).reverse()) await close();
});

/** A client of a listener under test. */
async function client(port: number): Promise<{ socket: Socket; reader: SocketReader }> {
  const socket = connect({ port, host: LOOPBACK });
  closers.push(() => socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, reader: new SocketReader(socket) };
}

/** Every datagram that reaches a port. */
async function mailbox(port: number): Promise<{ text: string; fromPort: number }[]> {
  const mails: { text: string; fromPort: number }[] = [];
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(port, LOOPBACK, resolve));
  socket.on('message', (bytes, { port: fromPort }) =>
    mails.push({ text: bytes.toString('latin1'), fromPort }),
  );
  closers.push(() => socket.close());
  return mails;
}

async function listener(port: number): Promise<Listener> {
  const open = await Listener.open(port, 16);
  closers.push(() => open.close());
  return open;
}

describe('the old inbound processor', { timeout: 20_000 }, () => {
  async function activate(): Promise<{ inbound: OldInbound; port: number; registrationPort: number }> {
    const { audioInBasePort, audioInRegistrationPort } = await freeOldPorts(10);
    const mails = { audioBasePort: audioInBasePort, registrationPort: audioInRegistrationPort };
    const inbound = await OldInbound.activate({ callId: CALL_ID, ...mails });
    return { inbound, port: audioInBasePort + CALL_ID, registrationPort: audioInRegistrationPort };
  }

  it('registers at once, every 200 ms in the first second, then every second, each time from another port', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    const { inbound, registrationPort } = await activate();
    const mails = await mailbox(registrationPort);
    await vi.advanceTimersByTimeAsync(3100);
    vi.useRealTimers();
    const [firstMs = 0] = inbound.registrar.sentAtMs;
    const sentMs = inbound.registrar.sentAtMs.map((atMs) => atMs - firstMs);
    expect(sentMs).toEqual([0, 200, 400, 600, 800, 1000, 2000, 3000]);
    await expect.poll(() => inbound.registrar.sourcePorts.length).toBe(sentMs.length);
    expect(new Set(inbound.registrar.sourcePorts).size).toBeGreaterThan(1);
    await inbound.deactivate();
    await expect.poll(() => mails.at(-1)?.text).toBe('BYE:7');
    expect(new Set(mails.map(({ text }) => text))).toEqual(new Set(['REGISTER:7', 'BYE:7']));
    expect(new Set(mails.map(({ fromPort }) => fromPort)).size).toBeGreaterThan(1);
  });

  it('greets first, sends float32 frames, ends with a zero length', async () => {
    const { inbound, port } = await activate();
    const { reader } = await client(port);
    expect((await reader.frame(100))?.toString()).toBe('7');
    const samples = tone(440, 8000, 16_000);
    await inbound.connected();
    inbound.say(samples);
    expect(await reader.word()).toBe(32_000);
    expect(Buffer.concat([word(32_000), (await reader.take(32_000))!])).toEqual(audioInFrame(samples));
    await inbound.deactivate();
    expect(await reader.word()).toBe(0);
    expect(await reader.word()).toBeNull();
  });

  it('never reads, never registers again, and takes the next client only after a send has failed', async () => {
    const { inbound, port } = await activate();
    const first = await client(port);
    await first.reader.frame(100);
    const second = await client(port);
    first.socket.destroy();
    await sleep(300);
    expect(inbound.clients).toBe(1);
    const registrations = inbound.registrar.sentAtMs.length;
    while (inbound.clients < 2) {
      inbound.say(tone(440, 8000, 16_000));
      await sleep(10);
    }
    expect((await second.reader.frame(100))?.toString()).toBe('7');
    expect(inbound.registrar.sentAtMs).toHaveLength(registrations);
    await inbound.deactivate();
  });

  it('does not take what is written to it out of its socket', async () => {
    const { inbound, port } = await activate();
    const { socket, reader } = await client(port);
    await reader.frame(100);
    const isTaken = socket.write(Buffer.alloc(16 * 1024 * 1024));
    await sleep(200);
    expect(isTaken).toBe(false);
    expect(socket.writableLength).toBeGreaterThan(0);
    await inbound.deactivate();
  });
});

describe('the old Whisper', { timeout: 20_000 }, () => {
  async function start() {
    const { audioInBasePort, audioInRegistrationPort, llamaPort } = await freeOldPorts(10);
    const registration = { registrationPort: audioInRegistrationPort, audioBasePort: audioInBasePort };
    const whisper = await OldWhisper.start({ ...registration, llamaPort });
    closers.push(() => whisper.close());
    const register = (text = `REGISTER:${CALL_ID}`): Promise<number> =>
      sendDatagram(text, audioInRegistrationPort);
    return { whisper, register, audioPort: audioInBasePort + CALL_ID, llamaPort };
  }

  it('tries again only at the next REGISTER, and ignores those of a call that it has', async () => {
    const { whisper, register, audioPort, llamaPort } = await start();
    await listener(llamaPort);
    await register();
    await expect.poll(() => whisper.counts.failedConnects).toBe(1);
    const inbound = await listener(audioPort);
    await register(`REGISTER: ${CALL_ID} \r\n`);
    const socket = await inbound.accept();
    socket?.write(helloFrame(99));
    await register();
    await expect.poll(() => whisper.counts).toMatchObject({ duplicates: 1, idMismatches: 1 });
  });

  it('writes transcripts back, passes them on, and keeps its LLaMA connection after BYE', async () => {
    const { whisper, register, audioPort, llamaPort } = await start();
    const llama = await listener(llamaPort);
    const inbound = await listener(audioPort);
    await register();
    const audio = (await inbound.accept())!;
    const upstream = new SocketReader((await llama.accept())!);
    audio.write(Buffer.concat([helloFrame(CALL_ID), audioInFrame(tone(500, 8000, 16_000))]));
    const text = 'a tone of 500 hertz for 8000 samples';
    expect((await upstream.frame(100))?.toString()).toBe('7');
    expect((await upstream.frame(100))?.toString()).toBe(text);
    const downstream = new SocketReader(audio);
    expect((await downstream.frame(100))?.toString()).toBe(text);
    await register(`BYE:${CALL_ID}`);
    expect(await downstream.word()).toBeNull();
    expect(whisper.audioCalls).toEqual([]);
    expect(whisper.linkOf(CALL_ID)?.isOpen).toBe(true);
    await register(`BYE:${CALL_ID}`);
    await expect.poll(() => whisper.counts.unknownByes).toBe(1);
  });

  it.each([
    ['HELLO of no length', word(0)],
    ['HELLO above 1000 bytes', word(1001)],
  ])('gives up after a %s', async (_what, bytes) => {
    const { whisper, register, audioPort, llamaPort } = await start();
    await listener(llamaPort);
    const inbound = await listener(audioPort);
    await register();
    (await inbound.accept())?.write(bytes);
    await expect.poll(() => whisper.counts.badHellos).toBe(1);
    await expect.poll(() => whisper.audioCalls).toEqual([]);
  });
});

describe('the old LLaMA', { timeout: 20_000 }, () => {
  it('answers upstream without a TTS, says goodbye at the end, and never takes an id twice', async () => {
    const { llamaPort } = await freeOldPorts(1);
    const llama = await OldLlama.start({ port: llamaPort, ttsPort: null });
    closers.push(() => llama.close());
    const first = await client(llamaPort);
    first.socket.write(Buffer.concat([helloFrame(CALL_ID), textFrame('hello'), textFrame('BYE')]));
    expect((await first.reader.frame(1000))?.toString()).toBe(replyTo('hello', 1));
    expect(await first.reader.word()).toBe(0xffff_ffff);
    const second = await client(llamaPort);
    second.socket.write(helloFrame(CALL_ID));
    expect(await second.reader.word()).toBeNull();
    expect(llama.counts).toMatchObject({ refusedSeconds: 1, endedStreams: 1 });
  });

  it('reaches its TTS when that comes up late', async () => {
    const { llamaPort, ttsPort } = await freeOldPorts(1);
    const llama = await OldLlama.start({ port: llamaPort, ttsPort });
    closers.push(() => llama.close());
    const { socket } = await client(llamaPort);
    socket.write(Buffer.concat([helloFrame(CALL_ID), textFrame('hello')]));
    await sleep(500);
    const tts = new SocketReader((await (await listener(ttsPort)).accept())!);
    expect((await tts.frame(100))?.toString()).toBe('7');
    expect((await tts.frame(1000))?.toString()).toBe(replyTo('hello', 1));
  });
});

describe('the old TTS', { timeout: 20_000 }, () => {
  async function start(flavour: TtsFlavour) {
    const { ttsPort, audioOutRegistrationPort, audioOutBasePort } = await freeOldPorts(10);
    const registration = { registrationPort: audioOutRegistrationPort, audioBasePort: audioOutBasePort };
    const tts = await OldTts.start({ flavour, port: ttsPort, ...registration });
    closers.push(() => tts.close());
    const upstream = await client(ttsPort);
    upstream.socket.write(helloFrame(CALL_ID));
    const register = (): Promise<number> => sendDatagram(`REGISTER:${CALL_ID}`, audioOutRegistrationPort);
    return { tts, upstream, register, outbound: await listener(audioOutBasePort + CALL_ID) };
  }

  it('Piper connects at the first text without a REGISTER, and counts from 1 again after a failed send', async () => {
    const { upstream, outbound, tts } = await start(PIPER);
    upstream.socket.write(textFrame('One. Two.'));
    const first = (await outbound.accept())!;
    const reader = new SocketReader(first);
    expect((await reader.frame(100))?.toString()).toBe('7');
    for (const [index, sentence] of sentencesOf('One. Two.').entries()) {
      const payloadBytes = voiceOf(sentence, 22_050).length * 4;
      const header = readAudioOutHeader((await reader.take(12))!);
      expect(header).toEqual({ payloadBytes, sampleRateHz: 22_050, chunkId: index + 1 });
      await reader.take(payloadBytes);
    }
    first.destroy();
    await sleep(100);
    upstream.socket.write(textFrame('Three. Four.'));
    const again = new SocketReader((await outbound.accept())!);
    expect((await again.frame(100))?.toString()).toBe('7');
    expect(readAudioOutHeader((await again.take(12))!)).toMatchObject({ chunkId: 1 });
    expect(tts.counts.failedSends).toBe(1);
  });

  it('Piper ends with a header of no length', async () => {
    const { upstream, outbound } = await start(PIPER);
    upstream.socket.write(Buffer.concat([textFrame('One.'), word(0xffff_ffff)]));
    const reader = new SocketReader((await outbound.accept())!);
    await reader.frame(100);
    const { payloadBytes } = readAudioOutHeader((await reader.take(12))!);
    await reader.take(payloadBytes);
    expect(await reader.take(12)).toEqual(audioOutHeader({ payloadBytes: 0, sampleRateHz: 0, chunkId: 0 }));
  });

  it('Kokoro reads no text before REGISTER, sends 40 ms at a time, ends with four zero bytes', async () => {
    const { upstream, outbound, register, tts } = await start(KOKORO);
    upstream.socket.write(textFrame('One.'));
    await sleep(200);
    expect(tts.heard).toEqual([]);
    await register();
    const reader = new SocketReader((await outbound.accept())!);
    expect((await reader.frame(100))?.toString()).toBe('7');
    expect(readAudioOutHeader((await reader.take(12))!)).toEqual({
      payloadBytes: 3200,
      sampleRateHz: 24_000,
      chunkId: 1,
    });
    await reader.take(3200);
    upstream.socket.end();
    expect(await reader.take(4)).toEqual(word(0));
    expect(await reader.take(1)).toBeNull();
  });
});

describe('the old outbound processor', { timeout: 20_000 }, () => {
  async function activate(): Promise<{ outbound: OldOutbound; port: number }> {
    const { audioOutBasePort, audioOutRegistrationPort } = await freeOldPorts(10);
    const registration = { registrationPort: audioOutRegistrationPort, audioBasePort: audioOutBasePort };
    const outbound = await OldOutbound.activate({ callId: CALL_ID, ...registration });
    closers.push(() => outbound.deactivate());
    return { outbound, port: audioOutBasePort + CALL_ID };
  }

  it('closes a client that names another call, and takes the next', async () => {
    const { outbound, port } = await activate();
    const wrong = await client(port);
    wrong.socket.write(helloFrame(8));
    expect(await wrong.reader.word()).toBeNull();
    const right = await client(port);
    right.socket.write(Buffer.concat([helloFrame(7), audioOutFrame(8000, 1, tone(500, 80, 8000))]));
    await expect.poll(() => outbound.chunks.length).toBe(1);
    expect(outbound.counts).toMatchObject({ clients: 2, badHellos: 1 });
  });

  it('drops what is not above the last chunk id, also after a reconnect', async () => {
    const { outbound, port } = await activate();
    const send = async (chunkIds: readonly number[]): Promise<void> => {
      const { socket } = await client(port);
      const frames = chunkIds.map((chunkId) => audioOutFrame(8000, chunkId, tone(500, 80, 8000)));
      socket.end(Buffer.concat([helloFrame(7), ...frames]));
      await new Promise((resolve) => socket.once('close', resolve));
    };
    await send([1, 2, 2, 3]);
    await send([1, 2, 4]);
    expect(outbound.chunks.map(({ chunkId }) => chunkId)).toEqual([1, 2, 3, 4]);
    expect(outbound.counts).toMatchObject({ duplicates: 3, clients: 2, ends: 2 });
  });

  it('takes a payload that is no multiple of four as mu-law, and keeps 12 s at the most', async () => {
    const { outbound, port } = await activate();
    const { socket } = await client(port);
    const muLaw = Buffer.concat([
      audioOutHeader({ payloadBytes: 161, sampleRateHz: 8000, chunkId: 1 }),
      Buffer.alloc(161),
    ]);
    const long = audioOutFrame(8000, 2, new Float32Array(100_000));
    socket.write(Buffer.concat([helloFrame(7), muLaw, long]));
    await expect.poll(() => outbound.chunks.length).toBe(2);
    expect(outbound.chunks[0]).toMatchObject({ samples: null, payloadBytes: 161 });
    expect(outbound.counts.trimmedBytes).toBeGreaterThan(2000);
    expect(outbound.counts.trimmedBytes).toBeLessThanOrEqual(4161);
  });
});

describe('a connect of the old programs', () => {
  it('fails at once where nobody listens', async () => {
    const { llamaPort } = await freeOldPorts(1);
    expect(await connectWithin(llamaPort, 1000)).toBeNull();
  });
});
