/** Peers that take what they are given and say nothing more, as one does that lost its power: they are connected anew. */
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../media/rtp-peer.ts';
import { CALL_ID, Listener, type Peer, WIRE_ID, WireBed } from './wire-bed.ts';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(...args: Parameters<typeof WireBed.open>): Promise<WireBed> {
  const bed = await WireBed.open(...args);
  closers.push(() => bed.close());
  return bed;
}

async function listen(port: number): Promise<Listener> {
  const listener = await Listener.open(port);
  closers.push(() => listener.close());
  return listener;
}

async function heard(peer: Peer, bytes: number): Promise<void> {
  await until(() => peer.receivedBytes >= bytes, 10_000);
}

describe('a Whisper that does not answer', () => {
  it('is given up when its transcript is missing, and registered with again', async () => {
    const bed = await open(['sip'], { transcriptTimeoutMs: 150 });
    const whisper = await bed.dialInbound();
    await heard(whisper, 4);
    bed.registrations.length = 0;
    expect(await bed.transcribe()).toMatchObject({ text: '' });
    await until(() => whisper.isClosed && bed.registrations.length > 0, 10_000);
    expect(bed.registrations[0]).toBe(`REGISTER:${WIRE_ID}`);
    expect(bed.counted).toContain('peerSilent');
    const next = await bed.dialInbound();
    const text = bed.transcribe(2);
    await heard(next, 30_000);
    next.text('hello again');
    expect(await text).toMatchObject({ text: 'hello again' });
  });

  it('is kept when it has said anything since, or has only just come', async () => {
    const bed = await open(['sip', 'llama'], { transcriptTimeoutMs: 150 });
    const first = bed.transcribe(); // kept for a Whisper that comes while it is waited for
    const whisper = await bed.dialInbound();
    expect(await first).toMatchObject({ text: '' });
    const second = bed.transcribe(2);
    await heard(whisper, 60_000);
    whisper.text('the text itself goes by the port of the language model, and was lost');
    expect(await second).toMatchObject({ text: '' });
    expect(whisper.isClosed).toBe(false);
    expect(bed.counted).not.toContain('peerSilent');
  });
});

describe('a link of our own without an answer', () => {
  it('to a TTS is made anew when no speech comes', async () => {
    const bed = await open(['sip', 'whisper', 'llama'], { replyTimeoutMs: 100 });
    const tts = await listen(bed.settings.ttsPort);
    await until(() => tts.peers.length === 1, 10_000);
    const spoken = bed.calls.engines.tts.speak({
      callId: CALL_ID,
      turnId: 1,
      sentence: 'Anyone?',
      voice: 'v',
      speed: 1,
      downlink: bed.ring,
      epoch: 0,
      cancel: bed.cancel,
    });
    await expect(spoken).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    await until(() => tts.peers.length === 2 && tts.peers[0]?.isClosed === true, 10_000);
    expect(bed.counted).toEqual(expect.arrayContaining(['peerSilent']));
  });

  it('to a LLaMA is made anew when no reply comes', async () => {
    const bed = await open(['sip', 'whisper', 'tts'], { replyTimeoutMs: 100 });
    const llama = await listen(bed.settings.llamaPort);
    await until(() => llama.peers.length === 1, 10_000);
    const request = {
      callId: CALL_ID,
      turnId: 1,
      messages: [{ role: 'user' as const, text: 'Anyone?' }],
      replyPrefix: '',
      cancel: bed.cancel,
    };
    await expect(bed.calls.engines.llama.generate(request, () => {})).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
    });
    await until(() => llama.peers.length === 2 && llama.peers[0]?.isClosed === true, 10_000);
  });
});
