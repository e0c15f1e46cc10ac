/** What a Whisper folder says, for models of every kind. */
import { describe, expect, it } from 'vitest';
import { loadWhisperConfig } from '../../../src/workers/whisper/whisper-config.ts';
import { TOKEN, writeWhisperFolder } from './whisper-folder.ts';

describe('whisper config', () => {
  it('takes sizes and window from the files', async () => {
    const config = await loadWhisperConfig(writeWhisperFolder(), 'en');
    expect(config).toMatchObject({
      melBins: 128,
      windowFrames: 3000,
      windowSamples: 480_000,
      maxTokens: 448,
      decoderHeads: 20,
      headSize: 64,
      endToken: TOKEN.end,
      noSpeechToken: TOKEN.noSpeech,
    });
  });

  it('prompts a multilingual model with language, task and no timestamps', async () => {
    const config = await loadWhisperConfig(writeWhisperFolder(), 'de');
    expect(config.promptTokens).toEqual([TOKEN.start, TOKEN.de, TOKEN.transcribe, TOKEN.noTimestamps]);
  });

  it('prompts an English-only model with no timestamps alone', async () => {
    const change = { is_multilingual: false, lang_to_id: undefined, task_to_id: undefined };
    const config = await loadWhisperConfig(writeWhisperFolder({ 'generation_config.json': change }), 'en');
    expect(config.promptTokens).toEqual([TOKEN.start, TOKEN.noTimestamps]);
  });

  it('takes the forced tokens of an older folder that has no generation config', async () => {
    const forced = {
      forced_decoder_ids: [
        [1, TOKEN.en],
        [2, TOKEN.transcribe],
        [3, TOKEN.noTimestamps],
      ],
    };
    const folder = writeWhisperFolder({ 'generation_config.json': null, 'config.json': forced });
    const config = await loadWhisperConfig(folder, 'en');
    expect(config.promptTokens).toEqual([TOKEN.start, TOKEN.en, TOKEN.transcribe, TOKEN.noTimestamps]);
  });

  it("suppresses the model's list and all that is no text, but never the end", async () => {
    const config = await loadWhisperConfig(writeWhisperFolder(), 'en');
    expect([...config.suppressedTokens]).toEqual([1, 2, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
    expect([...config.suppressedFirstTokens]).toEqual([4, TOKEN.end]);
  });

  it('knows the no-speech token by its older name, and lives without one', async () => {
    const named = { added_tokens: [{ id: 16, content: '<|nocaptions|>' }] };
    expect(
      (await loadWhisperConfig(writeWhisperFolder({ 'tokenizer.json': named }), 'en')).noSpeechToken,
    ).toBe(16);
    const without = { added_tokens: [] };
    expect(
      (await loadWhisperConfig(writeWhisperFolder({ 'tokenizer.json': without }), 'en')).noSpeechToken,
    ).toBeNull();
  });

  it('refuses a language that the model does not have, and names those it has', async () => {
    await expect(loadWhisperConfig(writeWhisperFolder(), 'xx')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('en, de'),
    });
  });

  it.each([
    ['config.json', null, 'MODEL_MISSING'],
    ['config.json', 'not json', 'MODEL_DAMAGED'],
    ['config.json', { d_model: 'large' }, 'MODEL_DAMAGED'],
    ['generation_config.json', '{', 'MODEL_DAMAGED'],
    ['preprocessor_config.json', null, 'MODEL_MISSING'],
    ['preprocessor_config.json', { hop_length: 80 }, 'MODEL_DAMAGED'],
    ['preprocessor_config.json', { nb_max_frames: 1000 }, 'MODEL_DAMAGED'],
    ['tokenizer.json', null, 'MODEL_MISSING'],
    ['tokenizer.json', '[]', 'MODEL_DAMAGED'],
  ] as const)('names %s when it is %j', async (file, change, code) => {
    const folder = writeWhisperFolder({ [file]: change });
    await expect(loadWhisperConfig(folder, 'en')).rejects.toMatchObject({
      code,
      message: expect.stringContaining(file),
    });
  });
});
