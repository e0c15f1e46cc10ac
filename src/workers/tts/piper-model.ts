/**
 * A Piper voice through onnxruntime-node. Thread: TTS worker. Tensors (VITS as piper exports it):
 * input int64 [1, N] phoneme ids, input_lengths int64 [1] = N, scales float32 [3] = noise, length, noise width,
 * sid int64 [1] when the voice has several speakers -> output float32 [1, 1, 1, S], -1..1, at the voice's rate.
 * Files: <voice>.onnx and <voice>.onnx.json side by side; with several in the folder each is a voice.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { z } from 'zod';
import { messageOf, WildfireError } from '../../errors.ts';
import { loadPhonemizer, type Phonemize } from './espeak-model.ts';
import { openSession } from './onnx-model.ts';
import { type PhonemeIdMap, piperIds, piperPhonemes } from './piper-phonemes.ts';
import type { EngineOptions, SpeechChunk, SpeechStyle, TtsEngine } from './tts-engine.ts';
import { piperVoicesIn } from './tts-folder.ts';

/** The part of Piper's json that is used; its defaults are Piper's. */
const voiceSchema = z.object({
  audio: z.object({ sample_rate: z.int().min(4000).max(96_000) }),
  espeak: z.object({ voice: z.string().min(1) }),
  phoneme_type: z.enum(['espeak', 'text']).default('espeak'),
  inference: z
    .object({
      noise_scale: z.number().default(0.667),
      length_scale: z.number().positive().default(1),
      noise_w: z.number().default(0.8),
    })
    .prefault({}),
  phoneme_id_map: z
    .record(z.string(), z.array(z.int().nonnegative()))
    .refine((map) => '_' in map && '^' in map && '$' in map, 'has no ids for _ ^ $'),
  num_speakers: z.int().positive().default(1),
  speaker_id_map: z.record(z.string(), z.int().nonnegative()).default({}),
});

type PiperVoice = z.infer<typeof voiceSchema>;

/**
 * Loads the first voice of the folder (by name) and its speakers.
 * @throws WildfireError MODEL_MISSING without a voice in the folder, MODEL_DAMAGED for one that is unreadable,
 *   CONFIG_INVALID for a language that the phonemizer has not.
 */
export async function openPiper({ folder, intraOpThreads }: EngineOptions): Promise<TtsEngine> {
  const name = voiceNameIn(folder);
  const voice = readVoice(join(folder, `${name}.onnx.json`));
  const session = await openSession('Piper', join(folder, `${name}.onnx`), intraOpThreads);
  return new PiperEngine({ name, voice, session, phonemize: await phonemizerFor(voice) });
}

interface PiperParts {
  readonly name: string;
  readonly voice: PiperVoice;
  readonly session: InferenceSession;
  readonly phonemize: Phonemize;
}

class PiperEngine implements TtsEngine {
  readonly rateHz: number;
  readonly voices: readonly string[];
  readonly #parts: PiperParts;

  constructor(parts: PiperParts) {
    this.#parts = parts;
    this.rateHz = parts.voice.audio.sample_rate;
    this.voices = [parts.name, ...Object.keys(parts.voice.speaker_id_map)];
  }

  async *synthesize(piece: string, style: SpeechStyle): AsyncGenerator<SpeechChunk> {
    const { voice, session, phonemize } = this.#parts;
    if (!this.voices.includes(style.voice)) {
      throw new WildfireError(
        'CONFIG_INVALID',
        `Piper has no voice "${style.voice}" here; it has ${this.voices}`,
      );
    }
    for (const phonemes of await piperPhonemes(piece, voice.espeak.voice, phonemize)) {
      const ids = piperIds(phonemes, voice.phoneme_id_map as PhonemeIdMap);
      const { output } = await session.run(this.#feeds(ids, style));
      yield { samples: output?.data as Float32Array, isLast: true };
    }
  }

  async close(): Promise<void> {
    await this.#parts.session.release();
  }

  #feeds(ids: readonly number[], { voice: speaker, speed }: SpeechStyle): Record<string, Tensor> {
    const { voice } = this.#parts;
    const { noise_scale, length_scale, noise_w } = voice.inference;
    const feeds: Record<string, Tensor> = {
      input: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
      input_lengths: new Tensor('int64', BigInt64Array.of(BigInt(ids.length)), [1]),
      scales: new Tensor('float32', Float32Array.of(noise_scale, length_scale / speed, noise_w), [3]),
    };
    if (voice.num_speakers > 1) {
      const speakerId = voice.speaker_id_map[speaker] ?? 0;
      feeds.sid = new Tensor('int64', BigInt64Array.of(BigInt(speakerId)), [1]);
    }
    return feeds;
  }
}

function voiceNameIn(folder: string): string {
  const first = piperVoicesIn(folder)[0];
  if (first !== undefined) return first;
  throw new WildfireError('MODEL_MISSING', `no Piper voice (*.onnx) in ${folder}`, { context: { folder } });
}

function readVoice(file: string): PiperVoice {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const message = `Piper voice ${file} cannot be read: ${messageOf(error)}`;
    throw new WildfireError('MODEL_MISSING', message, { context: { file }, cause: error });
  }
  return parsePiperVoice(text, file);
}

/** @throws WildfireError MODEL_DAMAGED, naming `file`, when the text is not the json of a Piper voice. */
export function parsePiperVoice(text: string, file: string): PiperVoice {
  try {
    return voiceSchema.parse(JSON.parse(text));
  } catch (error) {
    const message = `Piper voice ${file}: ${messageOf(error)}`;
    throw new WildfireError('MODEL_DAMAGED', message, { context: { file }, cause: error });
  }
}

// Voices of phoneme type "text" are spelled, not phonemised.
async function phonemizerFor(voice: PiperVoice): Promise<Phonemize> {
  if (voice.phoneme_type === 'text') return async (text) => [text];
  const phonemize = await loadPhonemizer();
  try {
    await phonemize('a', voice.espeak.voice);
    return phonemize;
  } catch (error) {
    const message = `Piper voice speaks "${voice.espeak.voice}"; the phonemizer has English only`;
    throw new WildfireError('CONFIG_INVALID', message, { cause: error });
  }
}
