/** Writes a small pack with made-up files, for tests that damage it. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const CONTENT: Readonly<Record<string, string>> = {
  'whisper/config.json': '{"a":1}',
  'llama/model.gguf': 'GGUF and so on',
  'kokoro/config.json': '{"b":2}',
};

export const GOOD_MANIFEST = {
  schemaVersion: 1,
  name: 'scratch',
  version: '1.0.0',
  licence: 'Apache-2.0',
  agent: { systemPrompt: 's', greeting: 'g', apology: 'a', noInputPrompt: 'n', goodbye: 'b' },
  stages: {
    whisper: { engine: 'whisper', folder: 'whisper', dtype: 'q8', guards: { noSpeechLikely: 0.4 } },
    llama: { engine: 'llama', file: 'llama/model.gguf' },
    tts: { engine: 'kokoro', folder: 'kokoro', voice: 'af_heart' },
  },
  files: Object.entries(CONTENT).map(([path, text]) => ({
    path,
    bytes: Buffer.byteLength(text),
    sha256: createHash('sha256').update(text).digest('hex'),
  })),
};

/** @returns the folder of a whole pack, under the system's temporary folder. */
export function writeScratchPack(manifest: unknown = GOOD_MANIFEST): string {
  const folder = mkdtempSync(join(tmpdir(), 'wildfire-pack-'));
  for (const [path, text] of Object.entries(CONTENT)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}
