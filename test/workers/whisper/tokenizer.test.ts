/** Token ids to text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PreTrainedTokenizer } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { WhisperTokenizer } from '../../../src/workers/whisper/tokenizer.ts';
import { hasTestPack, TEST_PACK_FOLDER } from '../../models/test-pack.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

/** 'Ġ' is a space, 'Ã' + '©' the two bytes of é, as GPT-2 writes them. */
const SMALL = {
  model: { vocab: { Ġcaf: 0, Ã: 1, '©': 2, Ġtable: 3, '<|endoftext|>': 4 } },
  added_tokens: [
    { id: 4, content: '<|endoftext|>' },
    { id: 5, content: '<|nocaptions|>' },
  ],
};

describe('tokenizer', () => {
  const small = WhisperTokenizer.parse(JSON.stringify(SMALL));

  it('joins pieces and puts bytes of one character together', () => {
    expect(small.decode([3, 0, 1, 2])).toBe(' table café');
  });

  it('leaves specials and unknown ids out', () => {
    expect(small.decode([4, 3, 5, 99])).toBe(' table');
    expect([0, 4, 5, 99].map((id) => small.isText(id))).toEqual([true, false, false, false]);
  });

  it('writes U+FFFD for half a character', () => {
    expect(small.decode([0, 1])).toBe(' caf\ufffd');
  });

  it('finds a special token by the first of several names', () => {
    expect(small.idOfFirst(['<|nospeech|>', '<|nocaptions|>'])).toBe(5);
    expect(small.idOfFirst(['<|nospeech|>'])).toBeNull();
  });

  it.skipIf(!hasTestPack('whisper/tokenizer.json'))("decodes as Hugging Face's tokenizer", () => {
    const folder = join(TEST_PACK_FOLDER, 'whisper');
    const json = readFileSync(join(folder, 'tokenizer.json'), 'utf8');
    const config = JSON.parse(readFileSync(join(folder, 'tokenizer_config.json'), 'utf8'));
    const reference = new PreTrainedTokenizer(JSON.parse(json), config);
    const ours = WhisperTokenizer.parse(json);
    const textIds = Array.from({ length: 2000 }, (_, id) => id).filter((id) => ours.isText(id));
    const random = new SeededRandom(printedSeed('tokenizer'));
    for (let round = 0; round < 200; round++) {
      const ids = Array.from({ length: random.integer(1, 20) }, () => random.pick(textIds));
      expect(ours.decode(ids)).toBe(reference.decode(ids, { skip_special_tokens: true }));
    }
  });

  it('answers any mutilated file with a tokenizer or an error, nothing else', () => {
    const random = new SeededRandom(printedSeed('tokenizer fuzz'));
    const whole = JSON.stringify(SMALL);
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(whole);
      for (let changes = random.integer(1, 4); changes > 0; changes--) {
        bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
      }
      try {
        WhisperTokenizer.parse(bytes.toString()).decode([0, 1, 2, 3, 4]);
      } catch (error) {
        expect(['SyntaxError', 'ZodError', 'RangeError']).toContain((error as Error).name);
      }
    }
  });
});
