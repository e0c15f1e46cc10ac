/**
 * Kokoro through kokoro-js: its text rules, phonemes, tokenizer, voices and tensors; ours are only how the network is
 * run (kokoro-network-model.ts) and the cut before its 510 phonemes. Thread: TTS worker.
 * Source: kokoro-js 1.2.1; the first call costs 300 ms more (eSpeak), the worker warms it up.
 */
import { basename, dirname } from 'node:path';
import type { PreTrainedTokenizer, Tensor } from '@huggingface/transformers';
import type { KokoroTTS } from 'kokoro-js';
import { messageOf, WildfireError } from '../../errors.ts';
import { loadPhonemizer, withoutLanguageMarks } from './espeak-model.ts';
import { type KokoroInputs, type KokoroNetwork, openNetwork } from './kokoro-network-model.ts';
import { cutPhonemes } from './phoneme-limit.ts';
import type { SpeechWindows } from './speech-windows.ts';
import type { EngineOptions, SpeechChunk, SpeechStyle, TtsEngine } from './tts-engine.ts';

export const KOKORO_RATE_HZ = 24_000;
/** 512 tokens less the two that frame them; a voice file has one style row for each length up to this. */
export const KOKORO_LIMIT_PHONEMES = 510;

type VoiceName = NonNullable<NonNullable<Parameters<KokoroTTS['generate']>[1]>['voice']>;
type PhonemesOf = (text: string, voice: string) => Promise<string>;

/**
 * Loads the model of `options.folder` (config.json, tokenizer.json, tokenizer_config.json, onnx/model*.onnx or
 * onnx/windowed*.onnx).
 * @throws WildfireError MODEL_DAMAGED when a file is unreadable for its library.
 */
export async function openKokoro(options: EngineOptions): Promise<TtsEngine> {
  await loadPhonemizer();
  const { KokoroTTS } = await import('kokoro-js');
  const { network, tokenizer } = await loadFolder(options);
  return new KokoroEngine(network, new KokoroTTS(inputsOnly, tokenizer), phonemizerOf(KokoroTTS));
}

class KokoroEngine implements TtsEngine {
  readonly rateHz = KOKORO_RATE_HZ;
  readonly voices: readonly string[];
  readonly #network: KokoroNetwork;
  readonly #inputs: KokoroTTS;
  readonly #phonemesOf: PhonemesOf;

  constructor(network: KokoroNetwork, inputs: KokoroTTS, phonemesOf: PhonemesOf) {
    this.#network = network;
    this.#inputs = inputs;
    this.#phonemesOf = phonemesOf;
    this.voices = Object.keys(inputs.voices);
  }

  async *synthesize(
    piece: string,
    { voice, speed }: SpeechStyle,
    windows: SpeechWindows | null,
  ): AsyncGenerator<SpeechChunk> {
    if (!this.voices.includes(voice)) {
      throw new WildfireError(
        'CONFIG_INVALID',
        `Kokoro has no voice "${voice}"; it has ${this.voices.join(', ')}`,
      );
    }
    const phonemes = withoutLanguageMarks(await this.#phonemesOf(piece, voice));
    for (const part of cutPhonemes(phonemes, KOKORO_LIMIT_PHONEMES)) {
      const { input_ids: ids } = this.#inputs.tokenizer(part, { truncation: true }) as { input_ids: Tensor };
      if ((ids.dims.at(-1) ?? 0) <= 2) continue; // only the frame: nothing that the model knows
      const { audio } = await this.#inputs.generate_from_ids(ids, { voice: voice as VoiceName, speed });
      yield* this.#network.speak(audio as unknown as KokoroInputs, windows);
    }
  }

  async close(): Promise<void> {
    await this.#network.close();
  }
}

/** A model for kokoro-js whose "waveform" is what kokoro-js feeds: the voice's style row among it. */
const inputsOnly = ((inputs: KokoroInputs) => ({
  waveform: { data: inputs },
})) as unknown as KokoroTTS['model'];

// The ids of transformers.js are a folder name below localModelPath; nothing is ever fetched.
async function loadFolder(options: EngineOptions) {
  const { folder } = options;
  const { AutoTokenizer, env } = await import('@huggingface/transformers');
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = dirname(folder);
  try {
    const network = await openNetwork(options);
    const tokenizer = (await AutoTokenizer.from_pretrained(basename(folder))) as PreTrainedTokenizer;
    return { network, tokenizer };
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
