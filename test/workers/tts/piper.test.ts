/** Piper voices: phonemes and ids as piper-phonemize makes them, tensors as its models take them. */
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadPhonemizer } from '../../../src/workers/tts/espeak-model.ts';
import { openPiper, parsePiperVoice } from '../../../src/workers/tts/piper-model.ts';
import { piperIds, piperPhonemes } from '../../../src/workers/tts/piper-phonemes.ts';
import type { TtsEngine } from '../../../src/workers/tts/tts-engine.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';
import { utterancesOf } from './engine-speech.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const RATE_HZ = 16_000;
const HOP_SAMPLES = 320;

/** Says letters: enough to see what happens around the words. */
const spell = async (words: string) => [words.replaceAll(' ', '_')];

const PLAIN = { voice: 'piper-one', speed: 1 };

describe('phonemes', () => {
  it('one code point each, punctuation behind its clause, a space after a comma, sentences apart', async () => {
    expect(await piperPhonemes('ab, cd; e. fg? h', 'en-us', spell)).toEqual([
      ['a', 'b', ',', ' ', 'c', 'd', ';', ' ', 'e', '.'],
      ['f', 'g', '?'],
      ['h'],
    ]);
  });

  it('decomposed: a cedilla is a phoneme of its own', async () => {
    expect(await piperPhonemes('ç.', 'en-us', spell)).toEqual([['c', '\u0327', '.']]);
  });

  it('language marks of eSpeak are no phonemes', async () => {
    expect(await piperPhonemes('x', 'en-us', async () => ['a(fr)b(en)'])).toEqual([['a', 'b']]);
  });

  it('punctuation inside a word ends nothing', async () => {
    expect(await piperPhonemes('a.b', 'en-us', spell)).toEqual([['a', '.', 'b']]);
  });

  it.each(['', ' ', '...', '?!'])('no sentences in %j', async (text) => {
    expect(await piperPhonemes(text, 'en-us', spell)).toEqual([]);
  });

  it('eSpeak itself', async () => {
    const phonemize = await loadPhonemizer();
    const [hello] = await piperPhonemes('Hello, world.', 'en-us', phonemize);
    expect(hello?.join('')).toBe('həlˈoʊ, wˈɜːld.');
  });
});

describe('phoneme ids', () => {
  const map = { _: [0], '^': [1], $: [2], a: [14], b: [15, 16] };

  it('^ _ (phoneme _)* $, as published by piper-phonemize', () => {
    expect(piperIds(['a', 'b', 'a'], map)).toEqual([1, 0, 14, 0, 15, 16, 0, 14, 0, 2]);
  });

  it('unknown phonemes are left out, nothing at all is still a frame', () => {
    expect(piperIds(['?', 'a', 'toString'], map)).toEqual([1, 0, 14, 0, 2]);
    expect(piperIds([], map)).toEqual([1, 0, 2]);
  });
});

describe('phonemizer on a leash', () => {
  it('leaves no process-wide listener behind', async () => {
    const before = process.listenerCount('uncaughtException');
    await loadPhonemizer();
    expect(process.listenerCount('uncaughtException')).toBe(before);
    const rethrowing = process
      .listeners('unhandledRejection')
      .filter((listener) => /throw/.test(String(listener)));
    expect(rethrowing.filter((listener) => String(listener).length < 60)).toEqual([]);
  });
});

describe('a Piper voice', () => {
  let engine: TtsEngine;
  beforeAll(async () => {
    engine = await openPiper({ folder: join(FIXTURES, 'piper-one'), dtype: 'fp32', intraOpThreads: 1 });
  });
  afterAll(() => engine.close());

  it('has the name and rate of its files', () => {
    expect([engine.rateHz, engine.voices]).toEqual([RATE_HZ, ['piper-one']]);
  });

  it('speaks each sentence as many hops as it has ids', async () => {
    const phonemize = await loadPhonemizer();
    const text = 'Hello there. Good bye.';
    const sentences = await piperPhonemes(text, 'en-us', phonemize);
    const lengths = (await utterancesOf(engine, text, PLAIN)).map((samples) => samples.length / HOP_SAMPLES);
    expect(lengths).toEqual(sentences.map((phonemes) => 3 + 2 * phonemes.length));
  });

  it('twice the speed is half as long', async () => {
    const [slow] = await utterancesOf(engine, 'Hello.', PLAIN);
    const [fast] = await utterancesOf(engine, 'Hello.', { voice: 'piper-one', speed: 2 });
    expect((fast as Float32Array).length * 2).toBe((slow as Float32Array).length);
  });

  it('an unknown voice is named', async () => {
    await expect(utterancesOf(engine, 'Hello.', { voice: 'nobody', speed: 1 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('speakers of a voice are voices', async () => {
    const two = await openPiper({ folder: join(FIXTURES, 'piper-two'), dtype: 'fp32', intraOpThreads: 1 });
    expect(two.voices).toEqual(['piper-two', 'low', 'high']);
    const [low] = await utterancesOf(two, 'Hello.', { voice: 'low', speed: 1 });
    const [high] = await utterancesOf(two, 'Hello.', { voice: 'high', speed: 1 });
    expect(crossings(high as Float32Array)).toBeGreaterThan(crossings(low as Float32Array));
    await two.close();
  });
});

describe('a folder that is no voice', () => {
  let folder = '';
  const copied = (): string => {
    folder = mkdtempSync(join(tmpdir(), 'wildfire-piper-'));
    cpSync(join(FIXTURES, 'piper-one'), folder, { recursive: true });
    return folder;
  };
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const open = (path: string) => openPiper({ folder: path, dtype: 'fp32', intraOpThreads: 1 });

  it('no folder, no files, no json', async () => {
    await expect(open('/nowhere')).rejects.toMatchObject({ code: 'MODEL_MISSING' });
    rmSync(join(copied(), 'piper-one.onnx.json'));
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_MISSING' });
  });

  it.each(['', '{', '[]', '{"audio":{"sample_rate":-1}}', '{"audio":{"sample_rate":16000}}'])(
    'json %j',
    async (json) => {
      writeFileSync(join(copied(), 'piper-one.onnx.json'), json);
      await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
    },
  );

  it('model cut in half', async () => {
    truncateSync(join(copied(), 'piper-one.onnx'), 500);
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_DAMAGED' });
  });

  it('a language that the phonemizer has not', async () => {
    const file = join(copied(), 'piper-one.onnx.json');
    writeFileSync(file, JSON.stringify({ ...(await json(file)), espeak: { voice: 'de' } }));
    await expect(open(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('the json of a voice', () => {
  it('read as it is, or MODEL_DAMAGED, whatever happened to its bytes', () => {
    const random = new SeededRandom(printedSeed('piper json'));
    const file = join(FIXTURES, 'piper-two', 'piper-two.onnx.json');
    const whole = readFileSync(file, 'utf8');
    expect(parsePiperVoice(whole, file)).toMatchObject({ num_speakers: 2, audio: { sample_rate: RATE_HZ } });
    for (let turn = 0; turn < 2000; turn++) {
      try {
        const voice = parsePiperVoice(damaged(whole, random), file);
        expect(Object.values(voice.phoneme_id_map).flat().every(Number.isInteger)).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'MODEL_DAMAGED', message: expect.stringContaining(file) });
      }
    }
  });
});

function damaged(text: string, random: SeededRandom): string {
  const characters = Array.from(text);
  for (let hits = random.integer(1, 4); hits > 0; hits--) {
    const replacement = random.pick(['', '0', '-', '"', '{', ']', 'e9', 'null', '.5', ',', ':']);
    characters[random.integer(0, characters.length - 1)] = replacement;
  }
  return random.isTrue(0.2)
    ? characters.slice(0, random.integer(0, characters.length)).join('')
    : characters.join('');
}

async function json(file: string): Promise<object> {
  return (await import(file, { with: { type: 'json' } })).default;
}

function crossings(samples: Float32Array): number {
  return samples.filter((sample, i) => i > 0 && sample >= 0 && (samples[i - 1] as number) < 0).length;
}
