/** Writes the configuration files of a made-up Whisper, without tensors, into a temporary folder. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Ids as in large-v3, scaled down: text 0-9, end 10, start 11, languages 12-13, tasks 14-15, then specials. */
export const TOKEN = {
  end: 10,
  start: 11,
  en: 12,
  de: 13,
  translate: 14,
  transcribe: 15,
  noSpeech: 16,
  noTimestamps: 17,
};

const SPECIAL_NAMES = [
  '<|endoftext|>',
  '<|startoftranscript|>',
  '<|en|>',
  '<|de|>',
  '<|translate|>',
  '<|transcribe|>',
  '<|nospeech|>',
  '<|notimestamps|>',
  '<|0.00|>',
];

const FILES = {
  'config.json': {
    model_type: 'whisper',
    d_model: 1280,
    decoder_attention_heads: 20,
    num_mel_bins: 128,
    max_source_positions: 1500,
    max_target_positions: 448,
    vocab_size: 24,
    decoder_start_token_id: TOKEN.start,
    eos_token_id: TOKEN.end,
    suppress_tokens: null,
    begin_suppress_tokens: [3, TOKEN.end],
  } as Record<string, unknown>,
  'generation_config.json': {
    is_multilingual: true,
    lang_to_id: { '<|en|>': TOKEN.en, '<|de|>': TOKEN.de },
    task_to_id: { transcribe: TOKEN.transcribe, translate: TOKEN.translate },
    no_timestamps_token_id: TOKEN.noTimestamps,
    suppress_tokens: [1, 2],
    begin_suppress_tokens: [4, TOKEN.end],
  } as Record<string, unknown> | null,
  'preprocessor_config.json': {
    feature_size: 128,
    n_fft: 400,
    hop_length: 160,
    sampling_rate: 16_000,
    nb_max_frames: 3000,
  } as Record<string, unknown>,
  'tokenizer.json': {
    model: { vocab: Object.fromEntries(Array.from('abcdefghij', (letter, id) => [letter, id])) },
    added_tokens: SPECIAL_NAMES.map((content, i) => ({ id: TOKEN.end + i, content })),
  } as Record<string, unknown>,
};

export type WhisperFolderChanges = {
  readonly [Name in keyof typeof FILES]?: Record<string, unknown> | string | null;
};

/**
 * @param changes fields that replace those of a file; a string replaces the whole file, null leaves it out.
 * @returns the folder.
 */
export function writeWhisperFolder(changes: WhisperFolderChanges = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-whisper-'));
  for (const [name, content] of Object.entries(FILES)) {
    const change = changes[name as keyof typeof FILES];
    if (change === null) continue;
    const text = typeof change === 'string' ? change : JSON.stringify({ ...content, ...change });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}
