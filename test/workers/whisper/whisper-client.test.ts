/** Whisper as the main thread uses it: real threads, real weights, real tapes. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadPack, type ModelPack } from '../../../src/models/pack.ts';
import { createTape, type TapeHandle } from '../../../src/ring-buffers/layout.ts';
import { TapeWriter } from '../../../src/ring-buffers/tape.ts';
import {
  type Utterance,
  WhisperClient,
  type WhisperClientOptions,
} from '../../../src/workers/whisper/whisper-client.ts';
import { hasTestPack, TEST_PACK_FOLDER } from '../../models/test-pack.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';
import { recording, UTTERANCES, wordErrors, words } from './utterances.ts';

const NEAR_THE_WRAP = 2 ** 32 - 10_000;

describe.skipIf(!hasTestPack('manifest.json'))('whisper client', () => {
  let pack: ModelPack;
  let client: WhisperClient;
  const deaths: string[] = [];

  beforeAll(async () => {
    pack = await loadPack(TEST_PACK_FOLDER);
    client = await start({ threads: 2 });
  });

  afterEach(() => {
    deaths.length = 0;
  });

  afterAll(() => client?.close());

  function start(options: Partial<WhisperClientOptions> = {}): Promise<WhisperClient> {
    const onWorkerDied = (message: string) => deaths.push(message);
    return WhisperClient.start({ ...pack.whisper, threads: 1, niceIncrement: 1, onWorkerDied, ...options });
  }

  it('says what it runs on', () => {
    expect(client.description).toMatchObject({ provider: 'cpu', providerNote: '', knowsNoSpeech: true });
  });

  it('hears recorded utterances', async () => {
    let errors = 0;
    for (const { file, said } of UTTERANCES) {
      const { text } = await transcript(client, utteranceOf(recording(file).samples));
      console.log(`${file}: ${text}`);
      errors += wordErrors(said, text);
    }
    const spoken = UTTERANCES.flatMap(({ said }) => words(said)).length;
    console.log(`${errors} of ${spoken} words wrong`);
    expect(errors / spoken).toBeLessThanOrEqual(0.15);
  });

  it('hears the same from samples as from the tape', async () => {
    const { samples, rateHz } = recording('book-table.wav');
    const fromTape = await transcript(client, utteranceOf(samples));
    const fromSamples = await client.transcribeSamples(samples, rateHz);
    expect(fromSamples.text).toBe(fromTape.text);
    expect(fromSamples.meanLogProbability).toBe(fromTape.meanLogProbability);
  });

  it('measures audio, queue and compute time', async () => {
    const { samples } = recording('my-name.wav');
    const heard = await transcript(client, utteranceOf(samples));
    expect(heard.audioMs).toBeCloseTo(samples.length / 8, 6);
    expect(heard.queueMs).toBeGreaterThanOrEqual(0);
    expect(heard.computeMs).toBeGreaterThan(0);
    expect(heard.noSpeechProbability).toBeLessThan(0.5);
  });

  it('transcribes two calls at once, each its own', async () => {
    const [book, name] = [
      utteranceOf(recording('book-table.wav').samples),
      utteranceOf(recording('my-name.wav').samples),
    ];
    const [heardBook, heardName] = await Promise.all([transcript(client, book), transcript(client, name)]);
    expect(heardBook.text).toBe((await transcript(client, book)).text);
    expect(heardName.text).toBe((await transcript(client, name)).text);
    expect(heardBook.text).not.toBe(heardName.text);
  });

  it('hears two sentences that are longer than its window together', async () => {
    const { samples } = recording('book-table.wav');
    const alone = await transcript(client, utteranceOf(samples));
    const windowSamples = client.description.windowMs * 8;
    const long = new Int16Array(Math.floor(windowSamples * 0.9) + samples.length);
    long.set(samples);
    long.set(samples, long.length - samples.length);
    const heard = await transcript(client, utteranceOf(long));
    expect(wordErrors(`${alone.text} ${alone.text}`, heard.text)).toBeLessThanOrEqual(4);
  });

  it('writes nothing over silence, without asking the model', async () => {
    const heard = await transcript(client, utteranceOf(new Int16Array(24_000)));
    expect(heard).toMatchObject({ text: '', rejectedBy: 'noSpeech', tokens: 0 });
  });

  it('writes nothing over an empty utterance', async () => {
    const utterance = utteranceOf(new Int16Array(100));
    expect(await transcript(client, { ...utterance, toSample: utterance.fromSample })).toMatchObject({
      text: '',
      audioMs: 0,
    });
  });

  // The development weights have seen no noise without speech; those that ship have.
  it.skipIf(isDevelopmentPack())('writes nothing over noise', async () => {
    const random = new SeededRandom(printedSeed('noise'));
    for (const amplitude of [200, 1000, 4000]) {
      const noise = Int16Array.from({ length: 24_000 }, () => amplitude * (2 * random.next() - 1));
      expect(await transcript(client, utteranceOf(noise))).toMatchObject({ text: '' });
    }
  });

  it('obeys the thresholds it is given', async () => {
    const doubting = await start({ guards: { minMeanLogProbability: 0, noSpeechLikely: undefined } });
    const heard = await transcript(doubting, utteranceOf(recording('my-name.wav').samples));
    expect(heard).toMatchObject({ text: '', rejectedBy: 'lowConfidence' });
    expect(heard.tokens).toBeGreaterThan(0);
    await doubting.close();
  });

  it('reports samples that the tape no longer has', async () => {
    const utterance = utteranceOf(recording('my-name.wav').samples);
    new TapeWriter(utterance.uplink).write(new Int16Array(131_072));
    expect(await client.transcribe(utterance)).toEqual({ kind: 'lapped' });
  });

  it('fails on samples that the tape does not have yet', async () => {
    const utterance = utteranceOf(new Int16Array(800));
    const early = { ...utterance, toSample: (utterance.toSample + 160) >>> 0 };
    await expect(client.transcribe(early)).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('does not begin cancelled work', async () => {
    const utterance = utteranceOf(recording('book-table.wav').samples);
    Atomics.store(utterance.cancel, 0, utterance.turnId);
    expect(await client.transcribe(utterance)).toEqual({ kind: 'cancelled' });
  });

  it('stops work that is cancelled under way', async () => {
    const { samples } = recording('book-table.wav');
    // A hundred seconds, more than half a second of work: the cancel comes in time however busy the machine.
    const long = new Int16Array(800_000);
    for (let i = 0; i + samples.length <= long.length; i += samples.length) long.set(samples, i);
    const utterance = utteranceOf(long, 2 ** 20);
    const running = client.transcribe(utterance);
    await new Promise((resolve) => setTimeout(resolve, 10));
    Atomics.store(utterance.cancel, 0, utterance.turnId);
    expect(await running).toEqual({ kind: 'cancelled' });
  });

  it('gives the answer although its thread died in the middle', async () => {
    const mortal = await start({ allowFaults: true });
    const utterance = utteranceOf(recording('my-name.wav').samples);
    const expected = await transcript(mortal, utterance);
    const heard = await transcript(mortal, { ...utterance, fault: { exitsLeft: words32(1) } });
    expect(heard.text).toBe(expected.text);
    expect(deaths).toHaveLength(1);
    await mortal.close();
  });

  it('gives up when the second thread died, too, and serves the next', async () => {
    const mortal = await start({ allowFaults: true });
    const utterance = utteranceOf(recording('my-name.wav').samples);
    const doomed = mortal.transcribe({ ...utterance, fault: { exitsLeft: words32(2) } });
    await expect(doomed).rejects.toMatchObject({ code: 'WORKER_DIED' });
    expect((await transcript(mortal, utterance)).text).not.toBe('');
    await mortal.close();
  });

  it('ignores a fault where none is allowed', async () => {
    const utterance = utteranceOf(recording('my-name.wav').samples);
    await transcript(client, { ...utterance, fault: { exitsLeft: words32(1) } });
    expect(deaths).toEqual([]);
  });

  it('does not start without its files, and names the one', async () => {
    await expect(start({ folder: join(pack.folder, 'nowhere') })).rejects.toMatchObject({
      code: 'WORKER_WARMUP',
      message: expect.stringContaining('config.json'),
    });
  });

  function isDevelopmentPack(): boolean {
    return TEST_PACK_FOLDER.includes('pack-dev');
  }
});

/** A tape that holds the samples behind some silence, across the wrap of its positions. */
function utteranceOf(samples: Int16Array, capacitySamples = 131_072): Utterance {
  const uplink: TapeHandle = createTape({
    rateHz: 8000,
    capacitySamples,
    startPosition: NEAR_THE_WRAP,
  });
  const writer = new TapeWriter(uplink);
  writer.write(new Int16Array(1600));
  const fromSample = writer.positionSamples;
  writer.write(samples);
  return { callId: 1, turnId: 1, uplink, fromSample, toSample: writer.positionSamples, cancel: words32(0) };
}

async function transcript(client: WhisperClient, utterance: Utterance) {
  const result = await client.transcribe(utterance);
  if (result.kind !== 'transcript') throw new Error(`expected a transcript, got ${result.kind}`);
  return result;
}

function words32(value: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4)).fill(value);
}
