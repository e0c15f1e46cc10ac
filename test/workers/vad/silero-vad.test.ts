import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SileroVadModel } from '../../../src/workers/vad/silero-vad-model.ts';
import { VadClient, type VadEvent } from '../../../src/workers/vad/vad-client.ts';
import { createVadBatch } from '../../../src/workers/vad/vad-model.ts';
import { whiteNoise } from './synthetic-audio.ts';
import { TapeFeeder } from './tape-feeder.ts';
import { tinyVadOnnx } from './tiny-onnx.ts';

const folder = mkdtempSync(join(tmpdir(), 'wildfire-vad-'));
const path = join(folder, 'tiny.onnx');
writeFileSync(path, tinyVadOnnx());
afterAll(() => rmSync(folder, { recursive: true }));

const FRAME = 256;

async function open(maxStreams = 4) {
  const model = await SileroVadModel.load({ path, rateHz: 8000, maxStreams });
  const batch = createVadBatch(8000, model.frameSamples, maxStreams);
  /** Judges one frame for each of the streams; a frame is zero but for its last sample. */
  const run = async (streams: readonly number[], lastSamples: readonly number[]) => {
    batch.count = streams.length;
    for (const [row, stream] of streams.entries()) {
      batch.streams[row] = stream;
      batch.frames[row]!.fill(0);
      batch.frames[row]![FRAME - 1] = lastSamples[row]! * 32_768;
    }
    await model.run(batch);
    return [...batch.speech.subarray(0, streams.length)].map((p) => Math.round(p * 1000) / 1000);
  };
  return { model, batch, run };
}

describe('the plumbing around a Silero file', () => {
  test('frames are 32 ms, 256 samples at 8 kHz and 512 at 16 kHz', async () => {
    const { model } = await open();
    expect(model.frameSamples).toBe(FRAME);
    await model.close();
    const wide = await SileroVadModel.load({ path, rateHz: 16_000, maxStreams: 1 });
    expect(wide.frameSamples).toBe(512);
    await wide.close();
  });

  test('the end of a frame is the context of the next one of that stream', async () => {
    const { model, run } = await open();
    const [a, b] = [model.openStream(), model.openStream()];
    expect(await run([a, b], [0.5, 0.25])).toEqual([0.5, 0.25]);
    expect(await run([a, b], [0, 0])).toEqual([0.501, 0.251]);
    expect(await run([a, b], [0, 0])).toEqual([0.002, 0.002]);
    await model.close();
  });

  test('state follows its stream through any row, and a new stream begins with none', async () => {
    const { model, run } = await open();
    const [a, b, c] = [model.openStream(), model.openStream(), model.openStream()];
    await run([a, b, c], [0, 0, 0]);
    await run([c, a], [0, 0]);
    await run([a], [0]);
    expect(await run([b, c, a], [0, 0, 0])).toEqual([0.001, 0.002, 0.003]);
    model.closeStream(b);
    const again = model.openStream();
    expect(again).toBe(b);
    expect(await run([again], [0])).toEqual([0]);
    await model.close();
  });

  test('levels come with the verdict; a full model gives no stream', async () => {
    const { model, batch, run } = await open(1);
    const stream = model.openStream();
    await run([stream], [0.5]);
    expect(batch.levelDbfs[0]).toBeCloseTo(20 * Math.log10(0.5 / 16), 1);
    expect(model.openStream()).toBe(-1);
    await model.close();
  });

  test('a file that is not ONNX, or not Silero, is named', async () => {
    const broken = join(folder, 'broken.onnx');
    writeFileSync(broken, 'no model');
    const other = join(folder, 'other.onnx');
    writeFileSync(other, tinyVadOnnx('hidden'));
    for (const file of [broken, other]) {
      const load = SileroVadModel.load({ path: file, rateHz: 8000, maxStreams: 1 });
      await expect(load).rejects.toMatchObject({
        code: 'MODEL_DAMAGED',
        message: expect.stringContaining(file),
      });
    }
  });

  test('the VAD thread runs it for several calls', async () => {
    const client = await VadClient.start({ model: 'silero', sileroPath: path, maxStreams: 4 });
    const feeders = [1, 2].map(() => new TapeFeeder());
    for (const [index, { handle }] of feeders.entries()) await client.watch(index, handle);
    const events: VadEvent[] = [];
    client.onEvent((event) => events.push(event));
    feeders[0]!.write(whiteNoise(2560, -60, 1));
    feeders[0]!.write(whiteNoise(2560, -8, 1));
    feeders[0]!.write(whiteNoise(2560, -60, 1));
    feeders[1]!.write(whiteNoise(7680, -60, 1));
    await expect.poll(() => events.length).toBe(2);
    expect(events.map(({ kind, callId }) => `${kind} ${callId}`)).toEqual([
      'speechStarted 0',
      'speechStopped 0',
    ]);
    await client.close();
  });
});
