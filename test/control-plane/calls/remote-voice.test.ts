/** Audio from a TTS elsewhere on its way into a call's ring, by the real thread: asked, unasked, kept, barged in on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WireAudioClient } from '../../../src/control-plane/audio/wire-audio-client.ts';
import { type RemoteSentence, RemoteVoice } from '../../../src/control-plane/calls/remote-voice.ts';
import { createRing, type RingHandle } from '../../../src/ring-buffers/layout.ts';
import { RingController, RingReader } from '../../../src/ring-buffers/ring.ts';
import type { CancelWord } from '../../../src/workers/protocol.ts';
import { until } from '../../media/rtp-peer.ts';

const RATE_HZ = 8000;
const GAP_MS = 120;
const FRAME_SAMPLES = 160;
const CHUNK_SAMPLES = 800;

/** 100 ms of one level, float32 at the ring's own rate. */
function audio(level: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Float32Array(CHUNK_SAMPLES).fill(level / 32_768).buffer);
}

describe('a voice elsewhere', () => {
  let wireAudio: WireAudioClient;
  let ring: RingHandle;
  let controller: RingController;
  let voice: RemoteVoice;
  let cancel: CancelWord;
  let feedId = 0;
  let playing: NodeJS.Timeout;
  let heard: number[];
  const counted: string[] = [];

  beforeAll(async () => {
    wireAudio = await WireAudioClient.start(() => {});
  });
  afterAll(() => wireAudio.close());

  beforeEach(() => {
    counted.length = 0;
    heard = [];
    cancel = new Int32Array(new SharedArrayBuffer(4));
    ring = createRing({ rateHz: RATE_HZ, capacitySamples: 2 ** 15 });
    controller = new RingController(ring);
    feedId += 1;
    voice = new RemoteVoice({
      audio: wireAudio,
      feedId,
      downlink: ring,
      gapMs: GAP_MS,
      count: (reason) => counted.push(reason),
      onRefused: () => counted.push('rateRefused'),
    });
    const reader = new RingReader(ring);
    const frame = new Int16Array(FRAME_SAMPLES);
    playing = setInterval(() => {
      const samples = reader.read(frame);
      for (const sample of frame.subarray(0, samples))
        if (sample !== 0 && sample !== heard.at(-1)) heard.push(sample);
    }, 20);
  });

  afterEach(() => {
    clearInterval(playing);
    voice.close();
  });

  function sentence(turnId: number, text = 'Hello there.', firstAudioMs = 2000): RemoteSentence {
    return { turnId, epoch: controller.epoch, cancel, text, firstAudioMs };
  }

  it('is heard, and its place in the ring told when nothing more came', async () => {
    voice.ask();
    const spoken = voice.speak(sentence(1));
    voice.onChunk(RATE_HZ, audio(1000));
    voice.onChunk(RATE_HZ, audio(2000));
    const { kind, startIndex, endIndex } = await spoken;
    expect({ kind, startIndex, endIndex }).toEqual({
      kind: 'spoken',
      startIndex: 0,
      endIndex: 2 * CHUNK_SAMPLES,
    });
    expect(heard).toEqual([1000, 2000]);
  });

  it('gives the sentences of one turn their shares by length', async () => {
    const first = voice.speak(sentence(1, 'One.'));
    const second = voice.speak(sentence(1, 'Two, twice.!'));
    voice.onChunk(RATE_HZ, audio(1000));
    expect([await first, await second].map(({ startIndex, endIndex }) => [startIndex, endIndex])).toEqual([
      [0, 200],
      [200, 800],
    ]);
  });

  it('is kept while its question is on the way, and tells that it has come', async () => {
    voice.ask();
    const isAudible = voice.whenAudible(2000);
    voice.onChunk(RATE_HZ, audio(1000));
    expect(await isAudible).toBe(true);
    expect(controller.writeIndex).toBe(0);
    await voice.speak(sentence(1));
    expect(heard).toEqual([1000]);
  });

  it('is heard although nobody asked, and gives way to a caller who speaks', async () => {
    voice.onChunk(RATE_HZ, audio(1000));
    voice.onChunk(RATE_HZ, audio(2000));
    await until(() => heard.length > 0, 10_000);
    voice.onSpeechStarted();
    voice.onChunk(RATE_HZ, audio(3000));
    await sleep(300);
    expect(heard).toEqual([1000]);
    expect(counted).toEqual(['chunkDiscarded']);
  });

  it('loses what comes after a barge-in, until the next question', async () => {
    const spoken = voice.speak(sentence(1));
    voice.onChunk(RATE_HZ, audio(1000));
    await until(() => heard.length > 0, 10_000);
    Atomics.store(cancel, 0, 1);
    controller.requestFlush();
    voice.onChunk(RATE_HZ, audio(2000));
    expect(await spoken).toMatchObject({ kind: 'cancelled', startIndex: 0, endIndex: CHUNK_SAMPLES });
    voice.onChunk(RATE_HZ, audio(3000));
    voice.ask();
    const answer = voice.speak(sentence(2));
    voice.onChunk(RATE_HZ, audio(4000));
    expect(await answer).toMatchObject({ kind: 'spoken' });
    expect(heard).toEqual([1000, 4000]);
    expect(counted).toEqual(['chunkDiscarded', 'chunkDiscarded']);
  });

  it('takes no tail of a reply that was cut short for the answer to a question not understood yet', async () => {
    const spoken = voice.speak(sentence(1));
    expect(voice.onChunk(RATE_HZ, audio(1000))).toBe(true);
    Atomics.store(cancel, 0, 1);
    controller.requestFlush();
    voice.expect();
    expect(voice.onChunk(RATE_HZ, audio(2000))).toBe(false);
    expect(await spoken).toMatchObject({ kind: 'cancelled' });
    voice.ask();
    expect(voice.onChunk(RATE_HZ, audio(3000))).toBe(true);
    expect(await voice.speak(sentence(2))).toMatchObject({ kind: 'spoken' });
    expect(heard.at(-1)).toBe(3000);
    expect(heard).not.toContain(2000);
  });

  it('takes what comes behind a pause for the answer, though nobody told that the question was understood', async () => {
    const spoken = voice.speak(sentence(1));
    voice.onChunk(RATE_HZ, audio(1000));
    Atomics.store(cancel, 0, 1);
    voice.expect();
    expect(voice.onChunk(RATE_HZ, audio(2000))).toBe(false);
    await spoken;
    await sleep(GAP_MS + 20);
    expect(voice.onChunk(RATE_HZ, audio(3000))).toBe(true);
  });

  it('fails when nothing comes, and ends as one silent frame when nobody can say it', async () => {
    await expect(voice.speak(sentence(1, 'Anyone?', 50))).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
    const { startIndex, endIndex } = await voice.speakSilence(sentence(2));
    expect(endIndex - startIndex).toBeGreaterThan(0);
    expect(heard).toEqual([]);
  });

  it('is resampled from its own rate, chunk after chunk without a seam', async () => {
    const tone = Float32Array.from(
      { length: 24_000 },
      (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 24_000),
    );
    const spoken = voice.speak(sentence(1));
    for (let at = 0; at < tone.length; at += 960) {
      voice.onChunk(24_000, new Uint8Array(tone.slice(at, at + 960).buffer));
    }
    const { startIndex, endIndex } = await spoken;
    expect(Math.abs(endIndex - startIndex - RATE_HZ)).toBeLessThan(100);
  });

  it('goes on past a chunk whose rate no resampler has, and so does every other call', async () => {
    const other = createRing({ rateHz: RATE_HZ, capacitySamples: 2 ** 15 });
    const count = (reason: string): number => counted.push(reason);
    const options = { audio: wireAudio, feedId: -1, downlink: other, gapMs: GAP_MS, count };
    const stranger = new RemoteVoice({ ...options, onRefused: () => counted.push('other refused') });
    voice.ask();
    const spoken = voice.speak(sentence(1));
    voice.onChunk(RATE_HZ, audio(1000));
    stranger.onChunk(44_101, audio(7000));
    voice.onChunk(44_101, audio(1500));
    voice.onChunk(RATE_HZ, audio(2000));
    expect(await spoken).toMatchObject({ kind: 'spoken', startIndex: 0, endIndex: 2 * CHUNK_SAMPLES });
    expect(heard).toEqual([1000, 2000]);
    expect(counted).toEqual(['other refused', 'rateRefused']);
    stranger.close();
  });

  it('takes 44,100 Hz as any other rate', async () => {
    const spoken = voice.speak(sentence(1));
    for (let i = 0; i < 10; i++) voice.onChunk(44_100, new Uint8Array(new Float32Array(1764).buffer));
    const { startIndex, endIndex } = await spoken;
    expect(Math.abs(endIndex - startIndex - (RATE_HZ * 17_640) / 44_100)).toBeLessThan(100);
    expect(counted).toEqual([]);
  });

  it('waits for room in the ring and drops nothing', async () => {
    clearInterval(playing);
    const spoken = voice.speak(sentence(1));
    for (let i = 0; i < 60; i++) voice.onChunk(RATE_HZ, audio(1000 + i));
    await until(() => controller.fillSamples === 2 ** 15, 10_000);
    const reader = new RingReader(ring);
    const played: number[] = [];
    const frame = new Int16Array(CHUNK_SAMPLES);
    playing = setInterval(() => {
      if (reader.read(frame) === CHUNK_SAMPLES) played.push(frame[CHUNK_SAMPLES - 1] as number);
    }, 5);
    await spoken;
    expect(played).toEqual(Array.from({ length: 60 }, (_, i) => 1000 + i));
    expect(counted).toEqual([]);
  });
});
