/** Kokoro for real, with the weights of the model pack: is it speech, is it level, does any text break it. */
import { cpSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { peak, rmsDbfs } from '../../../src/audio/level.ts';
import { createRing } from '../../../src/ring-buffers/layout.ts';
import { RingReader } from '../../../src/ring-buffers/ring.ts';
import { KOKORO_RATE_HZ, openKokoro } from '../../../src/workers/tts/kokoro-model.ts';
import { TtsClient, type TtsClientOptions } from '../../../src/workers/tts/tts-client.ts';
import type { TtsEngine } from '../../../src/workers/tts/tts-engine.ts';
import { hasTestPack, TEST_PACK_FOLDER } from '../../models/test-pack.ts';
import { utterancesOf } from './engine-speech.ts';

const RATE_HZ = 8000;
const FOLDER = join(TEST_PACK_FOLDER, 'kokoro');
const CEILING = Math.ceil(32_767 * 10 ** (-1 / 20));
const OPTIONS: TtsClientOptions = {
  engine: 'kokoro',
  folder: FOLDER,
  dtype: 'fp32',
  voice: 'af_heart',
  threads: 1,
  niceIncrement: 0,
};

const describeWithPack = describe.skipIf(!hasTestPack('kokoro/onnx/model.onnx'));

const STYLE = { voice: 'af_heart', speed: 1 };

describeWithPack('Kokoro through the pool', () => {
  let tts: TtsClient;
  beforeAll(async () => {
    tts = await TtsClient.start(OPTIONS);
  });
  afterAll(() => tts?.close());

  const render = async (text: string, speed = 1) =>
    (await tts.render(text, { rateHz: RATE_HZ, speed })).samples;

  it('says what it runs on', () => {
    expect(tts.description).toMatchObject({
      engine: 'kokoro',
      modelRateHz: KOKORO_RATE_HZ,
      voice: 'af_heart',
    });
    expect(tts.description.voices).toContain('bm_george');
    expect(tts.description.realTimeFactor).toBeGreaterThan(0);
  });

  it.each([
    ['Yes.', 100, 900],
    ['Could you say it again?', 700, 2500],
    ['Hello, this is the automatic assistant of the Harbour Kitchen. How can I help you?', 3000, 8000],
  ])('%s lasts as long as a person would take', async (text, leastMs, mostMs) => {
    const samples = await render(text);
    expect((1000 * samples.length) / RATE_HZ).toBeGreaterThan(leastMs);
    expect((1000 * samples.length) / RATE_HZ).toBeLessThan(mostMs);
  });

  it('is level and does not clip, sentence by sentence', async () => {
    for (const text of [
      'Your table is booked for Thursday.',
      'May I have your name, please?',
      'One moment.',
    ]) {
      const samples = await render(text);
      expect(peak(samples)).toBeLessThanOrEqual(CEILING);
      expect(rmsDbfs(samples)).toBeGreaterThan(-28);
      expect(rmsDbfs(samples)).toBeLessThan(-17);
    }
  });

  it('starts with speech, not with silence', async () => {
    const samples = await render('Good evening.');
    const firstLoud = samples.findIndex((sample) => Math.abs(sample) > 300);
    expect(firstLoud).toBeLessThan((60 * RATE_HZ) / 1000);
  });

  it('has no clicks at the joints of its pieces', async () => {
    const samples = await render(
      'We are open from noon, on every day but Monday, and the kitchen closes at ten.',
    );
    const rests = zeroRuns(samples, (20 * RATE_HZ) / 1000);
    expect(rests.length).toBeGreaterThan(0);
    for (const { from, to } of rests) {
      expect(Math.abs(samples[from - 1] as number)).toBeLessThan(1500);
      expect(Math.abs(samples[to] as number)).toBeLessThan(1500);
    }
  });

  it('speed is speed', async () => {
    const [slow, fast] = [await render('One moment, please.', 0.8), await render('One moment, please.', 1.4)];
    expect(slow.length).toBeGreaterThan(fast.length * 1.3);
  });

  it.each([
    ['nothing', '', 0],
    ['emoji', '😀👍', 0],
    ['markup only', '<speak><break time="1s"/></speak>', 0],
    ['markup', '<speak>Good morning.</speak>', 200],
    ['numbers', 'Call 555 0123 at 7:30pm, it costs $5.50, room 404, 3.5 stars, in 2026.', 4000],
    ['another script', '你好 Привет', 0],
    ['a mess', '\u0000\ud800 ... ?! ‽ … — “” «»', 0],
    ['no spaces', 'a'.repeat(700), 1000],
    ['no punctuation', 'and then we went on '.repeat(40), 20_000],
    ['punctuation', ',.,.,.,.;;;!!!'.repeat(40), 0],
  ])('%s never breaks it', async (_name, text, leastMs) => {
    const samples = await render(text);
    expect((1000 * samples.length) / RATE_HZ).toBeGreaterThanOrEqual(leastMs);
    expect(peak(samples)).toBeLessThanOrEqual(CEILING);
  });

  it('every digit is spoken: a longer number takes longer', async () => {
    const [one, seven] = [await render('It is 5.'), await render('It is 5550123.')];
    expect(seven.length).toBeGreaterThan(one.length * 2.5);
  });

  it('writes a reply of several sentences into a ring', async () => {
    const downlink = createRing({ rateHz: RATE_HZ, capacitySamples: 2 ** 18 });
    const cancel = new Int32Array(new SharedArrayBuffer(4));
    const call = { callId: 1, turnId: 1, voice: '', speed: 1, downlink, epoch: 0, cancel };
    const sentences = ['Certainly.', 'Your table for two is booked for Friday at eight.', 'Goodbye!'];
    const spoken = await Promise.all(sentences.map((sentence) => tts.speak({ ...call, sentence })));
    expect(spoken.every(({ kind, audioMs }) => kind === 'spoken' && audioMs > 100)).toBe(true);
    expect(new RingReader(downlink).fillSamples).toBeGreaterThanOrEqual(spoken[2]?.endIndex as number);
  });
});

describeWithPack('Kokoro as an engine', () => {
  let engine: TtsEngine;
  beforeAll(async () => {
    engine = await openKokoro({ folder: FOLDER, dtype: 'fp32', intraOpThreads: 1 });
  });
  afterAll(() => engine?.close());

  it('gives finite samples for a piece', async () => {
    const [samples] = await utterancesOf(engine, 'Good evening.', STYLE);
    expect(samples?.length).toBeGreaterThan(KOKORO_RATE_HZ / 4);
    expect(samples?.every(Number.isFinite)).toBe(true);
  });

  it('more phonemes than the model takes are spoken all the same, in parts', async () => {
    const text = 'extraordinarily incomprehensible '.repeat(24);
    const parts = await utterancesOf(engine, text, STYLE);
    expect(parts.length).toBeGreaterThan(1);
    const [once] = await utterancesOf(engine, 'extraordinarily incomprehensible', STYLE);
    const total = parts.reduce((sum, part) => sum + part.length, 0);
    expect(total).toBeGreaterThan(18 * (once as Float32Array).length);
  });

  it('a piece without phonemes gives nothing', async () => {
    expect(await utterancesOf(engine, '', STYLE)).toEqual([]);
  });

  it('an unknown voice is an error that names the known ones', async () => {
    await expect(utterancesOf(engine, 'Hello.', { voice: 'zz_nobody', speed: 1 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('leaves no process-wide listener behind', () => {
    expect(
      process.listeners('uncaughtException').filter((listener) => /throw/.test(String(listener))),
    ).toEqual([]);
  });
});

describeWithPack('Kokoro in windows', () => {
  const WINDOWS = { firstMs: 250, growth: 3 };
  const TEXT = 'I am afraid we are fully booked for six on Monday, Mister Baker; would eight suit you?';
  /** Of full scale, about -74 dB: sums in another order, which the pulses of the voice enlarge. */
  const INAUDIBLE = 2e-4;
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-kokoro-'));
  let windowed: TtsEngine;
  let whole: TtsEngine;
  beforeAll(async () => {
    cpSync(FOLDER, folder, { recursive: true });
    rmSync(join(folder, 'onnx', 'windowed.onnx'));
    windowed = await openKokoro({ folder: FOLDER, dtype: 'fp32', intraOpThreads: 1 });
    whole = await openKokoro({ folder, dtype: 'fp32', intraOpThreads: 1 });
  });
  afterAll(async () => {
    await windowed?.close();
    await whole?.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['af_heart', 1, TEXT],
    ['am_michael', 1, TEXT],
    ['af_heart', 0.5, TEXT],
    ['af_heart', 2, 'Yes.'],
    ['af_heart', 1, 'extraordinarily incomprehensible '.repeat(24)],
  ])('says what the whole network says, %s at pace %f: %s', async (voice, speed, text) => {
    const wanted = await utterancesOf(whole, text, { voice, speed });
    for (const windows of [null, WINDOWS]) {
      const made = await utterancesOf(windowed, text, { voice, speed }, windows);
      expect(made.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
      for (const [index, utterance] of wanted.entries()) {
        expect(largestDifference(made[index] as Float32Array, utterance)).toBeLessThan(INAUDIBLE);
      }
    }
  });

  it('gives its first chunk alone, then longer ones; the whole network has one', async () => {
    const lengths = async (engine: TtsEngine) => {
      const chunks: number[] = [];
      for await (const { samples } of engine.synthesize(TEXT, STYLE, WINDOWS)) chunks.push(samples.length);
      return chunks;
    };
    const [first, second, ...more] = await lengths(windowed);
    expect([first, second]).toEqual([KOKORO_RATE_HZ / 4, (3 * KOKORO_RATE_HZ) / 4]);
    expect(more.length).toBeGreaterThan(0);
    expect(await lengths(whole)).toHaveLength(1);
  });
});

describeWithPack('damaged weights', () => {
  let folder = '';
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['onnx/windowed.onnx', 1000],
    ['onnx/windowed.onnx', 0],
    ['onnx/model.onnx', 0],
    ['tokenizer.json', 100],
  ])('%s cut to %i bytes is named', async (file, bytes) => {
    await expectDamaged(file, bytes);
  });

  it.each([
    ['onnx/model.onnx', 1000],
    ['config.json', 3],
  ])('%s cut to %i bytes is named where it is what is loaded', async (file, bytes) => {
    await expectDamaged(file, bytes, 'onnx/windowed.onnx');
  });

  async function expectDamaged(file: string, bytes: number, without?: string): Promise<void> {
    folder = mkdtempSync(join(tmpdir(), 'wildfire-kokoro-'));
    cpSync(FOLDER, folder, { recursive: true });
    if (without !== undefined) rmSync(join(folder, without));
    truncateSync(join(folder, file), bytes);
    await expect(TtsClient.start({ ...OPTIONS, folder })).rejects.toMatchObject({
      code: 'MODEL_DAMAGED',
      message: expect.stringContaining(folder),
    });
  }
});

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, sample, i) => Math.max(most, Math.abs(sample - (b[i] as number))), 0);
}

function zeroRuns(samples: Int16Array, leastSamples: number): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  let from = 0;
  for (let at = 0; at <= samples.length; at++) {
    if (samples[at] === 0) continue;
    if (at - from >= leastSamples && from > 0 && at < samples.length) runs.push({ from, to: at });
    from = at + 1;
  }
  return runs;
}
