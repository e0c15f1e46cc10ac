/** The wire-audio thread dies, really: what was under way is settled, a new one goes on, and nobody waits for ever. */
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WireAudioClient } from '../../../src/control-plane/audio/wire-audio-client.ts';
import { bytesOf } from '../../../src/control-plane/audio/wire-samples.ts';
import { RemoteVoice } from '../../../src/control-plane/calls/remote-voice.ts';
import { createRing, type RingHandle } from '../../../src/ring-buffers/layout.ts';
import { RingController, RingReader, RingWriter } from '../../../src/ring-buffers/ring.ts';
import { until } from '../../media/rtp-peer.ts';

const RATE_HZ = 8000;
const CHUNK_SAMPLES = 800;
const GAP_MS = 60;

describe('a wire-audio thread that dies', () => {
  const threads: Worker[] = [];
  const died: string[] = [];
  const note = (thread: Worker): unknown => threads.push(thread);
  let audio: WireAudioClient;
  let ring: RingHandle;

  beforeEach(async () => {
    threads.length = 0;
    died.length = 0;
    process.on('worker', note);
    audio = await WireAudioClient.start((message) => died.push(message));
    ring = createRing({ rateHz: RATE_HZ, capacitySamples: 2 ** 14 });
  });

  afterEach(async () => {
    process.off('worker', note);
    await audio.close();
  });

  /** Ends the thread as a fault would, in the middle of anything. */
  async function kill(): Promise<void> {
    const before = died.length;
    await threads.at(-1)?.terminate();
    await until(() => died.length > before, 10_000);
  }

  it('ends no reply of a voice elsewhere, and the next one is heard', async () => {
    const counted: string[] = [];
    const voice = new RemoteVoice({
      audio,
      feedId: 1,
      downlink: ring,
      gapMs: GAP_MS,
      count: (reason) => counted.push(reason),
      onRefused: () => {},
    });
    const reader = new RingReader(ring);
    const frame = new Int16Array(160);
    const playing = setInterval(() => reader.read(frame), 5);
    const cancel = new Int32Array(new SharedArrayBuffer(4));
    const { epoch } = new RingController(ring);
    const speak = (turnId: number): ReturnType<RemoteVoice['speak']> =>
      voice.speak({ turnId, epoch, cancel, text: 'Hello there.', firstAudioMs: 5000 });
    const chunk = (): Uint8Array<ArrayBuffer> => bytesOf(new Int16Array(CHUNK_SAMPLES).fill(1000));
    const first = speak(1);
    const dying = kill();
    voice.onChunk(RATE_HZ, chunk()); // moved to a thread that will not answer
    await dying;
    voice.onChunk(RATE_HZ, chunk()); // while there is none
    expect(await first).toMatchObject({ kind: 'spoken' });
    expect(counted).toContain('speechDropped');
    await until(() => threads.length === 2, 10_000);
    const second = speak(2);
    await until(() => {
      voice.onChunk(RATE_HZ, chunk());
      return new RingController(ring).writeIndex > CHUNK_SAMPLES;
    }, 5000);
    expect(await second).toMatchObject({ kind: 'spoken' });
    clearInterval(playing);
    voice.close();
  });

  it('still hands over what was in a ring, and then tells that it is empty', async () => {
    const lengths: number[] = [];
    let drained = 0;
    audio.openSource(1, ring, CHUNK_SAMPLES, {
      onChunk: ({ length }) => lengths.push(length / 4),
      onDrained: () => (drained += 1),
    });
    await kill();
    new RingWriter(ring, 0).write(new Int16Array(1000));
    audio.setSourceActive(1, false); // while there is no thread that could answer
    await until(() => drained === 1, 5000);
    expect(lengths).toEqual([CHUNK_SAMPLES, 1000 - CHUNK_SAMPLES]);
  });

  it('leaves nobody waiting when no other can be started, and nothing running behind a close', async () => {
    let drained = 0;
    audio.openSource(1, ring, CHUNK_SAMPLES, { onChunk: () => {}, onDrained: () => (drained += 1) });
    const killNext = (thread: Worker): unknown => thread.terminate();
    process.once('worker', killNext);
    await kill();
    audio.setSourceActive(1, false);
    await until(() => died.length === 2, 5000);
    expect(drained).toBe(1);
    audio.setSourceActive(1, false);
    expect(drained).toBe(2);
  });

  it('is replaced before a close that comes meanwhile, and ends with it', async () => {
    await kill();
    await audio.close();
    expect(threads).toHaveLength(2);
    expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  });
});
