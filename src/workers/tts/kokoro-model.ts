/**
 * Kokoro through kokoro-js: its text rules, phonemes, tokenizer, voices and tensors; ours are only the session
 * options (kokoro-js passes none on) and the cut before its 510 phonemes. Thread: TTS worker.
 * Model: input_ids int64 [1, N], style float32 [1, 256], speed float32 [1] -> waveform float32, 24 kHz.
 * Source: kokoro-js 1.2.1; the first call costs 300 ms more (eSpeak), the worker warms it up.
 */
import { basename, dirname } from 'node:path';
import type { PreTrainedTokenizer, Tensor } from '@huggingface/transformers';
import type { KokoroTTS } from 'kokoro-js';
import { messageOf, WildfireError } from '../../errors.ts';
import { loadPhonemizer, withoutLanguageMarks } from './espeak-model.ts';
import { cutPhonemes } from './phoneme-limit.ts';
import { type EngineOptions, type SpeechStyle, sessionOptions, type TtsEngine } from './tts-engine.ts';

export const KOKORO_RATE_HZ = 24_000;
/** 512 tokens less the two that frame them; a voice file has one style row for each length up to this. */
export const KOKORO_LIMIT_PHONEMES = 510;

type Dtype = 'fp32' | 'fp16' | 'q8' | 'q4' | 'q4f16';
type VoiceName = NonNullable<NonNullable<Parameters<KokoroTTS['generate']>[1]>['voice']>;
type PhonemesOf = (text: string, voice: string) => Promise<string>;

/**
 * Loads the model of `options.folder` (config.json, tokenizer.json, tokenizer_config.json, onnx/model*.onnx).
 * @throws WildfireError MODEL_DAMAGED when a file is unreadable for its library.
 */
export async function openKokoro(options: EngineOptions): Promise<TtsEngine> {
  await loadPhonemizer();
  const { KokoroTTS } = await import('kokoro-js');
  const { model, tokenizer } = await loadFolder(options);
  return new KokoroEngine(new KokoroTTS(model, tokenizer), phonemizerOf(KokoroTTS));
}

class KokoroEngine implements TtsEngine {
  readonly rateHz = KOKORO_RATE_HZ;
  readonly voices: readonly string[];
  readonly #kokoro: KokoroTTS;
  readonly #phonemesOf: PhonemesOf;

  constructor(kokoro: KokoroTTS, phonemesOf: PhonemesOf) {
    this.#kokoro = kokoro;
    this.#phonemesOf = phonemesOf;
    this.voices = Object.keys(kokoro.voices);
  }

  async *synthesize(piece: string, { voice, speed }: SpeechStyle): AsyncGenerator<Float32Array> {
    if (!this.voices.includes(voice)) {
      throw new WildfireError(
        'CONFIG_INVALID',
        `Kokoro has no voice "${voice}"; it has ${this.voices.join(', ')}`,
      );
    }
    const phonemes = withoutLanguageMarks(await this.#phonemesOf(piece, voice));
    for (const part of cutPhonemes(phonemes, KOKORO_LIMIT_PHONEMES)) {
      const { input_ids: ids } = this.#kokoro.tokenizer(part, { truncation: true }) as { input_ids: Tensor };
      if ((ids.dims.at(-1) ?? 0) <= 2) continue; // only the frame: nothing that the model knows
      const audio = await this.#kokoro.generate_from_ids(ids, { voice: voice as VoiceName, speed });
      yield audio.audio as Float32Array;
    }
  }

  async close(): Promise<void> {
    await this.#kokoro.model.dispose();
  }
}

// The ids of transformers.js are a folder name below localModelPath; nothing is ever fetched.
async function loadFolder({ folder, dtype, intraOpThreads }: EngineOptions) {
  const { AutoTokenizer, env, StyleTextToSpeech2Model } = await import('@huggingface/transformers');
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = dirname(folder);
  try {
    const model = await StyleTextToSpeech2Model.from_pretrained(basename(folder), {
      dtype: dtype as Dtype,
      device: 'cpu',
      session_options: sessionOptions(intraOpThreads),
    });
    const tokenizer = (await AutoTokenizer.from_pretrained(basename(folder))) as PreTrainedTokenizer;
    return { model, tokenizer };
  } catch (error) {
    throw new WildfireError(
      'MODEL_DAMAGED',
      `Kokoro model in ${folder} cannot be loaded: ${messageOf(error)}`,
      {
        context: { folder },
        cause: error,
      },
    );
  }
}

/**
 * kokoro-js's own text rules and phonemes without its inference: generate() is run over a tokenizer that hands
 * the phoneme string through and a model step that returns it.
 */
function phonemizerOf(Kokoro: typeof KokoroTTS): PhonemesOf {
  class PhonemesOnly extends Kokoro {
    override generate_from_ids(ids: Tensor): ReturnType<KokoroTTS['generate_from_ids']> {
      return Promise.resolve(ids) as unknown as ReturnType<KokoroTTS['generate_from_ids']>;
    }
  }
  const handThrough = ((phonemes: string) => ({ input_ids: phonemes })) as unknown as PreTrainedTokenizer;
  const phonemesOnly = new PhonemesOnly(undefined as unknown as KokoroTTS['model'], handThrough);
  return async (text, voice) =>
    (await phonemesOnly.generate(text, { voice: voice as VoiceName })) as unknown as string;
}
