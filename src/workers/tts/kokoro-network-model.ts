/**
 * The network of a Kokoro folder. Thread: TTS worker. Two forms, same weights, same samples:
 * whole, as kokoro-js runs it: input_ids int64 [1, N], style float32 [1, 256], speed float32 [1] -> waveform float32;
 * windowed, for models whose decoder needs only its neighbourhood: besides, window int64 [2] in frames of 10 ms
 * -> waveform of those alone, frames int64 [1] of all. Where the folder has it, it alone is loaded.
 */
import { basename } from 'node:path';
import type { Tensor as HubTensor } from '@huggingface/transformers';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { openSession, sessionOptions } from './onnx-model.ts';
import { type SpeechWindows, windowEndMs } from './speech-windows.ts';
import type { EngineOptions, SpeechChunk } from './tts-engine.ts';
import { windowedModelIn } from './tts-folder.ts';

/** What kokoro-js feeds. */
export interface KokoroInputs {
  readonly input_ids: HubTensor;
  readonly style: HubTensor;
  readonly speed: HubTensor;
}

export interface KokoroNetwork {
  /** One utterance; its chunks end with one that `isLast`. */
  speak(inputs: KokoroInputs, windows: SpeechWindows | null): AsyncIterable<SpeechChunk>;
  close(): Promise<void>;
}

/** @throws WildfireError MODEL_DAMAGED, or what transformers.js throws, for a file that cannot be loaded. */
export async function openNetwork(options: EngineOptions): Promise<KokoroNetwork> {
  const windowed = windowedModelIn(options.folder, options.dtype);
  if (windowed === null) return openWhole(options);
  return new WindowedNetwork(await openSession('Kokoro', windowed, options.intraOpThreads));
}

async function openWhole({ folder, dtype, intraOpThreads }: EngineOptions): Promise<KokoroNetwork> {
  const { StyleTextToSpeech2Model } = await import('@huggingface/transformers');
  const model = await StyleTextToSpeech2Model.from_pretrained(basename(folder), {
    dtype: dtype as 'fp32',
    device: 'cpu',
    session_options: sessionOptions(intraOpThreads),
  });
  return {
    async *speak(inputs) {
      const { waveform } = (await model(inputs)) as { waveform: HubTensor };
      yield { samples: waveform.data as Float32Array, isLast: true };
    },
    close: async () => {
      await model.dispose();
    },
  };
}

const FRAME_MS = 10;
/** More than any piece has. */
const ALL_FRAMES = 1e9;

class WindowedNetwork implements KokoroNetwork {
  readonly #session: InferenceSession;

  constructor(session: InferenceSession) {
    this.#session = session;
  }

  async *speak(inputs: KokoroInputs, windows: SpeechWindows | null): AsyncGenerator<SpeechChunk> {
    const feeds = {
      input_ids: tensorOf(inputs.input_ids),
      style: tensorOf(inputs.style),
      speed: tensorOf(inputs.speed),
    };
    for (let start = 0, frames = ALL_FRAMES; start < frames; ) {
      const end = windows === null ? frames : Math.ceil(windowEndMs(windows, start * FRAME_MS) / FRAME_MS);
      const window = new Tensor('int64', BigInt64Array.of(BigInt(start), BigInt(end)), [2]);
      const made = await this.#session.run({ ...feeds, window });
      frames = Number(made.frames?.data[0] ?? 0);
      yield { samples: made.waveform?.data as Float32Array, isLast: end >= frames };
      start = end;
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

function tensorOf({ type, data, dims }: HubTensor): Tensor {
  return new Tensor(type as 'float32', data as Float32Array, dims);
}
