/**
 * Whisper as the main thread sees it: utterances in, transcripts out. Thread: main.
 * A thread that dies is replaced and its utterance transcribed once more (workers/pools.ts).
 */
import { WildfireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import { WorkerPool } from '../pools.ts';
import type { Failed, TranscribeResult, TranscribeTask, Transcript } from '../protocol.ts';
import { WHISPER_SEARCH_DEFAULTS, type WhisperSearch } from './beam-search.ts';
import { WHISPER_GUARD_DEFAULTS, type WhisperGuards } from './guards.ts';
import type { WindowPolicy } from './transcriber.ts';
import type { ExecutionProvider, WhisperDtypes } from './whisper-model.ts';
import type {
  WhisperDescription,
  WhisperFault,
  WhisperResult,
  WhisperTask,
  WhisperWorkerData,
} from './whisper-task.ts';

export interface WhisperClientOptions {
  /** The pack's Whisper folder, Hugging Face layout. */
  readonly folder: string;
  readonly dtype: WhisperDtypes;
  /** Threads, each with weights of its own: as many utterances are transcribed at once. */
  readonly threads: number;
  /** Threads of one inference. Default 1. */
  readonly intraOpThreads?: number | undefined;
  /** Added to the threads' nice value, 0..19. */
  readonly niceIncrement: number;
  /** What to try first; see `description.provider` for what is in use. Default 'cpu'. */
  readonly provider?: ExecutionProvider | undefined;
  /** Language of the caller, for multilingual models. Default 'en'. */
  readonly language?: string | undefined;
  /** Default 'full'; 'utterance' is for models trained on short windows. */
  readonly window?: WindowPolicy | undefined;
  /** Replaces single thresholds of WHISPER_GUARD_DEFAULTS. */
  readonly guards?: { readonly [Name in keyof WhisperGuards]?: number | undefined } | undefined;
  /** Replaces single values of WHISPER_SEARCH_DEFAULTS. */
  readonly search?: { readonly [Name in keyof WhisperSearch]?: number | undefined } | undefined;
  readonly onWorkerDied?: ((message: string) => void) | undefined;
  /** Tests only: tasks may then carry a fault. Default false. */
  readonly allowFaults?: boolean | undefined;
}

/** An utterance on a tape, as main names it. */
export type Utterance = Omit<TranscribeTask, 'kind' | 'queuedAtMs'> & { readonly fault?: WhisperFault };

export class WhisperClient {
  /** What the threads run on. */
  readonly description: WhisperDescription;
  readonly #pool: WorkerPool<WhisperTask, WhisperResult>;

  private constructor(pool: WorkerPool<WhisperTask, WhisperResult>, description: WhisperDescription) {
    this.#pool = pool;
    this.description = description;
  }

  /**
   * Starts the threads; resolves when each has loaded the model and run it once.
   * @throws WildfireError WORKER_WARMUP, whose message names the file that is missing or does not load.
   */
  static async start(options: WhisperClientOptions): Promise<WhisperClient> {
    const pool = await WorkerPool.start<WhisperTask, WhisperResult>({
      name: 'whisper',
      workerUrl: new URL('./whisper.worker.ts', import.meta.url),
      threads: options.threads,
      workerData: workerDataFrom(options),
      niceIncrement: options.niceIncrement,
      ...(options.onWorkerDied === undefined ? {} : { onWorkerDied: options.onWorkerDied }),
    });
    const description = await pool.run({ kind: 'describe' });
    return new WhisperClient(pool, description as WhisperDescription);
  }

  /** Utterances waiting for a thread. */
  get queuedTasks(): number {
    return this.#pool.queuedTasks;
  }

  /**
   * Transcribes samples on a tape. 'cancelled' and 'lapped' are results.
   * @throws WildfireError INFERENCE_FAILED, INVALID_STATE (not yet on the tape, or closed), WORKER_DIED.
   */
  async transcribe(utterance: Utterance): Promise<Exclude<TranscribeResult, Failed>> {
    const result = await this.#pool.run({ ...utterance, kind: 'transcribe', queuedAtMs: monotonicMs() });
    return orThrow(result as TranscribeResult);
  }

  /**
   * Transcribes samples that are on no tape; they are copied to the thread.
   * @param samples mono at `rateHz`.
   */
  async transcribeSamples(samples: Int16Array, rateHz: number): Promise<Transcript> {
    const result = await this.#pool.run({
      kind: 'transcribeSamples',
      // Of a view, the message would carry the whole buffer; and what waits in the queue must not change.
      samples: samples.slice(),
      rateHz,
      queuedAtMs: monotonicMs(),
    });
    const heard = orThrow(result as TranscribeResult);
    if (heard.kind === 'transcript') return heard;
    throw new WildfireError('INVALID_STATE', `transcribing samples ended as ${heard.kind}`);
  }

  /** Lets running utterances finish, then ends the threads. */
  async close(): Promise<void> {
    await this.#pool.close();
  }
}

function workerDataFrom(options: WhisperClientOptions): WhisperWorkerData {
  return {
    folder: options.folder,
    dtype: options.dtype,
    provider: options.provider ?? 'cpu',
    intraOpThreads: options.intraOpThreads ?? 1,
    language: options.language ?? 'en',
    window: options.window ?? 'full',
    guards: { ...WHISPER_GUARD_DEFAULTS, ...stated<WhisperGuards>(options.guards) },
    search: { ...WHISPER_SEARCH_DEFAULTS, ...stated<WhisperSearch>(options.search) },
    allowFaults: options.allowFaults ?? false,
  };
}

/** Without the values that are undefined, which would hide a default. */
function stated<Values extends object>(
  overrides: { [Name in keyof Values]?: number | undefined } | undefined,
) {
  const entries = Object.entries(overrides ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Values>;
}

function orThrow(result: TranscribeResult): Exclude<TranscribeResult, Failed> {
  if (result.kind === 'failed') throw WildfireError.fromWire(result.error);
  return result;
}
