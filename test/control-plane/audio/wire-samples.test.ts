/** Samples as bytes of frames and back: nothing is lost, whatever rate, law or odd length a frame has. */
import { describe, expect, it } from 'vitest';
import { RingSource } from '../../../src/control-plane/audio/ring-source.ts';
import { WireAudioClient } from '../../../src/control-plane/audio/wire-audio-client.ts';
import {
  bytesOf,
  ChunkResampler,
  int16Of,
  resampled,
  samplesOf,
} from '../../../src/control-plane/audio/wire-samples.ts';
import { createRing, createTape } from '../../../src/ring-buffers/layout.ts';
import { RingController, RingWriter } from '../../../src/ring-buffers/ring.ts';
import { TapeReader, TapeWriter } from '../../../src/ring-buffers/tape.ts';
import { until } from '../../media/rtp-peer.ts';

const PCM = Int16Array.from({ length: 1000 }, (_, i) => Math.round(12_000 * Math.sin(i / 9)));

describe('samples on the wire', () => {
  it('go there and back', () => {
    expect(int16Of(bytesOf(PCM))).toEqual(PCM);
    expect(bytesOf(PCM)).toHaveLength(4000);
  });

  it('are clipped, and what is no number is silence', () => {
    const bytes = new Uint8Array(new Float32Array([2, -2, Number.NaN, 0.5]).buffer);
    expect([...int16Of(bytes)]).toEqual([32_767, -32_768, 0, 16_384]);
  });

  it('are mu-law at 8 kHz when their length is not divisible by four', () => {
    const { samples, rateHz } = samplesOf(new Uint8Array(161).fill(0xff), 24_000);
    expect(rateHz).toBe(8000);
    expect(samples).toHaveLength(161);
    expect(samples.every((sample) => sample === 0)).toBe(true);
  });

  it('are aligned with their beginning after resampling', () => {
    const up = resampled(PCM, 8000, 16_000);
    expect(up.length).toBe(2000);
    for (let i = 50; i < 950; i++) expect(Math.abs(up[2 * i]! * 32_768 - PCM[i]!)).toBeLessThan(200);
  });

  it('end with what the resampler held back, also when the rate changes on the way', () => {
    const stream = new ChunkResampler(8000);
    let samples = stream.push(bytesOf(PCM), 24_000).length;
    samples += stream.push(bytesOf(PCM), 16_000).length;
    samples += stream.finish().length;
    expect(Math.abs(samples - (1000 / 3 + 1000 / 2))).toBeLessThan(200);
    expect(stream.finish()).toHaveLength(0);
  });
});

describe('chunks out of a ring', () => {
  it('are whole while someone writes, and no rest is left that does not grow', () => {
    const ring = createRing({ rateHz: 24_000, capacitySamples: 4096 });
    const writer = new RingWriter(ring, new RingController(ring).epoch);
    const source = new RingSource(ring, 480);
    source.isActive = true;
    const take = (): number | null => source.take()?.length ?? null;
    writer.write(PCM);
    expect([take(), take(), take()]).toEqual([480, 480, null]);
    writer.write(PCM.subarray(0, 100));
    expect([take(), take(), take()]).toEqual([null, 140, null]);
    expect(new RingController(ring).playableSamples).toBe(0);
  });

  it('are all given when nobody writes any more', () => {
    const ring = createRing({ rateHz: 24_000, capacitySamples: 4096 });
    new RingWriter(ring, new RingController(ring).epoch).write(PCM);
    const source = new RingSource(ring, 480);
    expect([1, 2, 3, 4].map(() => source.take()?.length ?? null)).toEqual([480, 480, 40, null]);
  });
});

describe('the wire-audio thread', () => {
  it('makes frames of tapes, tapes of frames, and chunks of rings', async () => {
    const audio = await WireAudioClient.start(() => {});
    const tape = createTape({ rateHz: 8000, capacitySamples: 2 ** 14 });
    new TapeWriter(tape).write(PCM);
    expect(await audio.encodeSpeech(tape, { fromSample: 0, toSample: 1000 })).toHaveLength(8000);
    expect(await audio.encodeSpeech(tape, { fromSample: 500, toSample: 1500 })).toBeNull();
    expect(await audio.encodeSpeech(tape, { fromSample: 0, toSample: 2 ** 20 })).toBeNull();

    const stored = createTape({ rateHz: 16_000, capacitySamples: 2 ** 14 });
    const first = await audio.storeSpeech(stored, bytesOf(PCM));
    const second = await audio.storeSpeech(stored, bytesOf(PCM.subarray(0, 500)));
    expect([first.toSample - first.fromSample, second.fromSample, second.toSample]).toEqual([
      1000, 1000, 1500,
    ]);
    const back = new Int16Array(1000);
    expect(new TapeReader(stored).read(0, back)).toBe('ok');
    expect(back).toEqual(PCM);

    const ring = createRing({ rateHz: 24_000, capacitySamples: 4096 });
    const chunks: Uint8Array[] = [];
    let drained = 0;
    audio.openSource(1, ring, 480, {
      onChunk: (bytes) => chunks.push(bytes),
      onDrained: () => (drained += 1),
    });
    audio.setSourceActive(1, true);
    new RingWriter(ring, 0).write(PCM);
    await until(() => chunks.length === 3, 10_000);
    audio.setSourceActive(1, false);
    await until(() => drained === 1, 10_000);
    expect(chunks.map(({ length }) => length)).toEqual([1920, 1920, 160]);
    expect(audio.openCalls).toBe(1);
    const closed = audio.closeSource(1);
    expect(audio.openCalls).toBe(0);
    await closed;
    await audio.closeSource(1);
    await audio.close();
    await expect(audio.encodeSpeech(tape, first)).rejects.toMatchObject({ code: 'WORKER_DIED' });
  });
});
