/**
 * Whisper's sessions and nothing else: an encoder and a decoder, both driven by what the ONNX files say of themselves.
 * Which token to take is whisper-decoder.ts's business.
 * Thread: whisper worker. `run` blocks its thread for the whole inference.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { messageOf, WildfireError } from '../../errors.ts';
import { DecoderSession, Decoding, type EncodedAudio } from './decoder-model.ts';
import { feedable, floatTensor, freeTensor } from './tensor-model.ts';

export type WhisperDtype = 'fp32' | 'fp16' | 'q8' | 'int8' | 'uint8' | 'q4' | 'q4f16' | 'bnb4';
/** One for both halves, or one for each: big models often take a finer encoder than decoder. */
export type WhisperDtypes = WhisperDtype | { readonly encoder: WhisperDtype; readonly decoder: WhisperDtype };
export type ExecutionProvider = 'cpu' | 'cuda';

export interface WhisperModelOptions {
  /** Folder in Hugging Face layout; the ONNX files are in its `onnx` folder. */
  readonly folder: string;
  readonly dtype: WhisperDtypes;
  /** What to try first; the one really in use is `WhisperModel.provider`. */
  readonly provider: ExecutionProvider;
  readonly intraOpThreads: number;
  /** Shape of one cache entry, for the empty one that a merged decoder's first step wants. */
  readonly decoderHeads: number;
  readonly headSize: number;
}

/** File name endings of the Hugging Face converters. */
const SUFFIX_BY_DTYPE: Readonly<Record<WhisperDtype, string>> = {
  fp32: '',
  fp16: '_fp16',
  q8: '_quantized',
  int8: '_int8',
  uint8: '_uint8',
  q4: '_q4',
  q4f16: '_q4f16',
  bnb4: '_bnb4',
};

/** The package leaves its CUDA libraries out, and the launcher keeps its install script from fetching them. */
const CUDA_REMEDY =
  "if ONNX Runtime's CUDA library is missing, `node node_modules/onnxruntime-node/script/install.js " +
  '--onnxruntime-node-install` fetches it (Linux x64 with CUDA 12)';

export class WhisperModel {
  readonly provider: ExecutionProvider;
  /** Why `provider` is not the one asked for; empty when it is. */
  readonly providerNote: string;
  readonly #encoder: InferenceSession;
  readonly #first: DecoderSession;
  readonly #next: DecoderSession;

  private constructor(sessions: OpenedSessions) {
    this.provider = sessions.provider;
    this.providerNote = sessions.providerNote;
    this.#encoder = sessions.encoder;
    this.#first = sessions.first;
    this.#next = sessions.next;
  }

  /** @throws WildfireError MODEL_MISSING or MODEL_DAMAGED naming the file. */
  static async load(options: WhisperModelOptions): Promise<WhisperModel> {
    return new WhisperModel(await openSessions(options));
  }

  /** Frames the encoder's file insists on; null when its frame axis is free. */
  get fixedFrames(): number | null {
    const [input] = this.#encoder.inputMetadata;
    const frames = input?.isTensor ? input.shape[2] : null;
    return typeof frames === 'number' && frames > 0 ? frames : null;
  }

  /** @param features [1, melBins, frames], as LogMel writes them. */
  async encode(features: Float32Array, melBins: number): Promise<EncodedAudio> {
    const type = typeOfInput(this.#encoder, 'input_features');
    const input = floatTensor(type, features, [1, melBins, features.length / melBins]);
    const { last_hidden_state } = await this.#encoder.run({ input_features: input }, ['last_hidden_state']);
    return { hiddenStates: feedable(last_hidden_state as Tensor) };
  }

  /** Gives the memory of `audio` back: no decoding of it may go on. */
  free(audio: EncodedAudio): void {
    freeTensor(audio.hiddenStates);
  }

  /** A new decoding of `audio`, with an empty cache. */
  decoding(audio: EncodedAudio): Decoding {
    return new Decoding(this.#first, this.#next, audio);
  }

  /** Frees the weights. Call only when no run is under way. */
  async release(): Promise<void> {
    await this.#encoder.release();
    await this.#first.session.release();
    if (this.#next.session !== this.#first.session) await this.#next.session.release();
  }
}

interface OpenedSessions {
  readonly encoder: InferenceSession;
  readonly first: DecoderSession;
  readonly next: DecoderSession;
  readonly provider: ExecutionProvider;
  readonly providerNote: string;
}

async function openSessions(options: WhisperModelOptions): Promise<OpenedSessions> {
  if (options.provider === 'cpu')
    return { ...(await openWith(options, 'cpu')), provider: 'cpu', providerNote: '' };
  try {
    return { ...(await openWith(options, 'cuda')), provider: 'cuda', providerNote: '' };
  } catch (error) {
    // onnxruntime throws when CUDA is missing instead of falling back; a model error shows again on the CPU.
    const providerNote = `cuda is not usable: ${messageOf(error)}; ${CUDA_REMEDY}`;
    return { ...(await openWith(options, 'cpu')), provider: 'cpu', providerNote };
  }
}

async function openWith(options: WhisperModelOptions, provider: ExecutionProvider) {
  const encoder = await openFile(options, 'encoder_model', provider);
  if (existsSync(onnxPath(options, 'decoder_model_merged'))) {
    const session = await openFile(options, 'decoder_model_merged', provider);
    const first = new DecoderSession(session, false, emptyPastOf(session, options));
    return { encoder, first, next: first.withCache() };
  }
  const first = new DecoderSession(await openFile(options, 'decoder_model', provider), false, {});
  const next = new DecoderSession(await openFile(options, 'decoder_with_past_model', provider), true, {});
  return { encoder, first, next };
}

async function openFile(
  options: WhisperModelOptions,
  name: string,
  provider: ExecutionProvider,
): Promise<InferenceSession> {
  const path = onnxPath(options, name);
  if (!existsSync(path))
    throw new WildfireError('MODEL_MISSING', `no file ${path}`, { context: { file: path } });
  try {
    return await InferenceSession.create(path, {
      executionProviders: provider === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
      intraOpNumThreads: options.intraOpThreads,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      // Spinning threads take the cores from media between two runs: ten encoder runs on four threads cost
      // 1.13 s of CPU with it and 0.23 s without.
      extra: { session: { set_denormal_as_zero: '1', intra_op: { allow_spinning: '0' } } },
    });
  } catch (error) {
    throw new WildfireError('MODEL_DAMAGED', `onnxruntime cannot load ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function onnxPath({ folder, dtype }: WhisperModelOptions, name: string): string {
  const half = name.startsWith('encoder') ? 'encoder' : 'decoder';
  return join(
    folder,
    'onnx',
    `${name}${SUFFIX_BY_DTYPE[typeof dtype === 'string' ? dtype : dtype[half]]}.onnx`,
  );
}

/** Zero-length past_key_values.* for a merged decoder's first step. */
function emptyPastOf(session: InferenceSession, options: WhisperModelOptions): Record<string, Tensor> {
  const past: Record<string, Tensor> = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor || !input.name.startsWith('past_key_values.')) continue;
    const dims = [1, options.decoderHeads, 0, options.headSize];
    past[input.name] = floatTensor(input.type, new Float32Array(0), dims);
  }
  return past;
}

function typeOfInput(session: InferenceSession, name: string): Tensor.Type {
  const input = session.inputMetadata.find((candidate) => candidate.name === name);
  return input?.isTensor ? input.type : 'float32';
}
