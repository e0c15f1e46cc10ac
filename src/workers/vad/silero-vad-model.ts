/**
 * Silero VAD v5 through ONNX Runtime: one run judges a frame of every call. The file is the user's, given by config.
 * Thread: vad. ONNX Runtime allocates its outputs per run; our own tensors are made once.
 *
 * Interface of the file (snakers4/silero-vad v5): input float32 [N, context + frame], where the context is the last
 * 64 samples of the frame before at 16 kHz, 32 at 8 kHz; state float32 [2, N, 128]; sr int64 scalar.
 * Returns output float32 [N, 1], speech probability, and stateN float32 [2, N, 128].
 */
import { access } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf, WildfireError } from '../../errors.ts';
import { NoiseFloor } from './noise-floor.ts';
import { StreamNumbers, type VadBatch, type VadModel } from './vad-model.ts';

export interface SileroVadOptions {
  /** The ONNX file. */
  readonly path: string;
  /** 8000 or 16000. */
  readonly rateHz: number;
  readonly maxStreams: number;
}

const FRAME_MS = 32;
const CONTEXT_MS = 4;
const STATE_FLOATS = 128;
/** Above the floor by this much counts as activity. */
const ACTIVE_SNR_DB = 4;

export class SileroVadModel implements VadModel {
  readonly frameSamples: number;
  // Silero's own recommendation: 0.5 to start, 0.15 less to stay.
  readonly startThreshold = 0.5;
  readonly stopThreshold = 0.35;
  readonly startMs = 60;
  readonly #session: InferenceSession;
  readonly #rate: Tensor;
  readonly #numbers: StreamNumbers;
  readonly #contextSamples: number;
  /** By stream: the end of the frame before, and the state of the network. */
  readonly #contexts: Float32Array;
  readonly #states: Float32Array;
  readonly #floors: NoiseFloor[];
  /** By row, as the network wants it. */
  readonly #input: Float32Array;
  readonly #state: Float32Array;

  private constructor(session: InferenceSession, options: SileroVadOptions) {
    const { rateHz, maxStreams } = options;
    this.#session = session;
    this.#rate = new Tensor('int64', BigInt64Array.of(BigInt(rateHz)), []);
    this.#numbers = new StreamNumbers(maxStreams);
    this.frameSamples = (rateHz * FRAME_MS) / 1000;
    this.#contextSamples = (rateHz * CONTEXT_MS) / 1000;
    this.#contexts = new Float32Array(maxStreams * this.#contextSamples);
    this.#states = new Float32Array(maxStreams * 2 * STATE_FLOATS);
    this.#floors = Array.from({ length: maxStreams }, () => new NoiseFloor());
    this.#input = new Float32Array(maxStreams * (this.#contextSamples + this.frameSamples));
    this.#state = new Float32Array(maxStreams * 2 * STATE_FLOATS);
  }

  /** @throws WildfireError MODEL_MISSING, MODEL_DAMAGED */
  static async load(options: SileroVadOptions): Promise<SileroVadModel> {
    const context = { file: options.path };
    await access(options.path).catch((cause) => {
      const message = `no Silero VAD model at '${options.path}': set vad.sileroPath, or vad.model to 'energy'`;
      throw new WildfireError('MODEL_MISSING', message, { context, cause });
    });
    const session = await open(options.path);
    const isSilero = ['input', 'state', 'sr'].every((name) => session.inputNames.includes(name));
    if (isSilero) return new SileroVadModel(session, options);
    await session.release();
    const message = `'${options.path}' is not a Silero v5 model: inputs ${session.inputNames.join(', ')}`;
    throw new WildfireError('MODEL_DAMAGED', message, { context });
  }

  openStream(): number {
    const stream = this.#numbers.take();
    if (stream < 0) return stream;
    this.#contexts.fill(0, stream * this.#contextSamples, (stream + 1) * this.#contextSamples);
    this.#states.fill(0, stream * 2 * STATE_FLOATS, (stream + 1) * 2 * STATE_FLOATS);
    this.#floors[stream]?.reset();
    return stream;
  }

  closeStream(stream: number): void {
    this.#numbers.giveBack(stream);
  }

  async run(batch: VadBatch): Promise<void> {
    const { count } = batch;
    for (let row = 0; row < count; row += 1) this.#gather(batch, row);
    const width = this.#contextSamples + this.frameSamples;
    const result = await this.#session.run({
      input: new Tensor('float32', this.#input.subarray(0, count * width), [count, width]),
      state: new Tensor('float32', this.#state.subarray(0, 2 * count * STATE_FLOATS), [
        2,
        count,
        STATE_FLOATS,
      ]),
      sr: this.#rate,
    });
    const speech = result.output?.data as Float32Array;
    const state = result.stateN?.data as Float32Array;
    for (let row = 0; row < count; row += 1) {
      batch.speech[row] = speech[row]!;
      this.#scatter(batch.streams[row]!, row, count, state);
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  /** Puts the row's context, samples and state where the network reads them. */
  #gather(batch: VadBatch, row: number): void {
    const stream = batch.streams[row]!;
    const context = this.#contextSamples;
    const width = context + this.frameSamples;
    const start = row * width;
    this.#input.set(this.#contexts.subarray(stream * context, (stream + 1) * context), start);
    let power = 0;
    const frame = batch.frames[row]!;
    for (let n = 0; n < frame.length; n += 1) {
      const sample = frame[n]! / 32768;
      this.#input[start + context + n] = sample;
      power += sample * sample;
    }
    this.#contexts.set(this.#input.subarray(start + width - context, start + width), stream * context);
    for (let layer = 0; layer < 2; layer += 1) {
      const from = (2 * stream + layer) * STATE_FLOATS;
      this.#state.set(
        this.#states.subarray(from, from + STATE_FLOATS),
        (layer * batch.count + row) * STATE_FLOATS,
      );
    }
    this.#level(batch, row, 10 * Math.log10(power / frame.length + 1e-12));
  }

  #level(batch: VadBatch, row: number, levelDbfs: number): void {
    const noiseDbfs = this.#floors[batch.streams[row]!]!.update(levelDbfs);
    batch.levelDbfs[row] = levelDbfs;
    batch.noiseDbfs[row] = noiseDbfs;
    batch.isActive[row] = levelDbfs > noiseDbfs + ACTIVE_SNR_DB ? 1 : 0;
  }

  #scatter(stream: number, row: number, count: number, state: Float32Array): void {
    for (let layer = 0; layer < 2; layer += 1) {
      const from = (layer * count + row) * STATE_FLOATS;
      this.#states.set(state.subarray(from, from + STATE_FLOATS), (2 * stream + layer) * STATE_FLOATS);
    }
  }
}

async function open(path: string): Promise<InferenceSession> {
  try {
    // One intra-op thread: the network is tiny, and a pool of threads would fight inference for the cores.
    return await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  } catch (cause) {
    const message = `cannot load Silero VAD '${path}': ${messageOf(cause)}`;
    throw new WildfireError('MODEL_DAMAGED', message, { context: { file: path }, cause });
  }
}
