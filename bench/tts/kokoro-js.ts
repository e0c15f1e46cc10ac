/** The peer of the TTS benches: kokoro-js as its users have it, on the weights of the pack. */
import { basename, dirname } from 'node:path';
import { AutoTokenizer, env, StyleTextToSpeech2Model } from '@huggingface/transformers';
import { KokoroTTS } from 'kokoro-js';
import type { ModelPack } from '../../src/models/pack.ts';

/** What kokoro-js calls a voice. */
export type KokoroVoice = NonNullable<NonNullable<Parameters<KokoroTTS['generate']>[1]>['voice']>;

/** @param threads of one inference; null: as kokoro-js ships, all cores. */
export async function kokoroJs(
  { folder, dtype }: ModelPack['tts'],
  threads: number | null,
): Promise<KokoroTTS> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  const name = basename(folder);
  if (threads === null) return KokoroTTS.from_pretrained(name, { dtype: dtype as 'fp32', device: 'cpu' });
  const session_options = { intraOpNumThreads: threads, interOpNumThreads: 1 };
  const model = await StyleTextToSpeech2Model.from_pretrained(name, {
    dtype: dtype as 'fp32',
    device: 'cpu',
    session_options,
  });
  return new KokoroTTS(model, await AutoTokenizer.from_pretrained(name));
}
