/**
 * TTS as the main thread sees it: sentences in, their places in the ring out. Thread: main.
 * Sentences of one call are written in the order they were given; different calls run side by side, the one whose
 * ring runs dry first goes first. Walk: turn step 8.
 */
import { WildfireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import { WorkerPool } from '../pools.ts';
import type { Failed, SpeakTask, Spoken } from '../protocol.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { SentenceRing, spokenOf } from './sentence-ring.ts';
import { SpeechCache, type SpeechKey } from './speech-cache.ts';
import { assertFolder } from './tts-folder.ts';
import {
  createSentencePlace,
  type EngineName,
  type Rendered,
  type RenderedSentence,
  type SpeakProgress,
  type TtsDescription,
  type TtsFault,
  type TtsResult,
  type TtsTask,
  type TtsWorkerData,
} from './tts-task.ts';

export interface TtsClientOptions {
  readonly engine: EngineName;
  /** The pack's TTS folder, absolute. */
  readonly folder: string;
  readonly dtype: string;
  /** Voice of sentences that name none; '' is the engine's first. */
  readonly voice: string;
  /** Threads, each with weights of its own: as many sentences are made at once. */
  readonly threads: number;
  /** Threads of one inference. Default 1. */
  readonly intraOpThreads?: number;
  /** Added to the threads' nice value, 0..19. */
  readonly niceIncrement: number;
  /** Rest after a full stop, ms; commas rest half as long. Default 120. */
  readonly sentencePauseMs?: number;
  /**
   * Size of the cache of rendered sentences, taken at once; 0 turns it off. Default 16 MiB: 17 minutes at 8 kHz. Each
   * thread remembers openings of sentences in a sixteenth of it.
   */
  readonly cacheBytes?: number;
  /** Fixes where sentences are cut, so that equal text gives equal samples at any load. Default: as measured. */
  readonly assumedRealTimeFactor?: number;
  readonly onWorkerDied?: (message: string) => void;
  /** Tests only: tasks may then carry a fault. Default false. */
  readonly allowFaults?: boolean;
}

/** A sentence of a call, as main names it. `voice` '' is the default voice. */
export type Sentence = Omit<SpeakTask, 'kind' | 'queuedAtMs'> & { readonly fault?: TtsFault };

export interface Voicing {
  /** '' is the default voice. */
  readonly voice?: string;
  /** 1 is the voice's own pace; kept within 0.5..2. */
  readonly speed?: number;
  /** Rate of the samples wanted, Hz. */
  readonly rateHz: number;
}

export interface RenderedSpeech {
  readonly samples: Int16Array;
  readonly rateHz: number;
}

export interface TtsSnapshot {
  readonly queuedSentences: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly cacheBytes: number;
  /** Sentences that met a full ring and were taken up again later. */
  readonly parkedSentences: number;
  /** Compute time / audio time lately. */
  readonly realTimeFactor: number;
}

const DEFAULT_SENTENCE_PAUSE_MS = 120;
const DEFAULT_CACHE_BYTES = 16 * 1024 * 1024;
const OPENINGS_SHARE = 1 / 16;
/** How much of the newest measurement enters the real-time factor. */
const REAL_TIME_FACTOR_WEIGHT = 0.1;

/** Beyond these no voice model was trained. */
const SLOWEST = 0.5;
const FASTEST = 2;

type Pool = WorkerPool<TtsTask, TtsResult>;

interface WantedSpeech {
  readonly key: SpeechKey;
  /** Held; null when it must be made. */
  readonly cached: RenderedSentence | null;
  readonly queuedAtMs: number;
}

export class TtsClient {
  /** What the threads run on. */
  readonly description: TtsDescription;
  readonly #pool: Pool;
  readonly #queue: DeadlineQueue;
  readonly #cache: SpeechCache;
  /** The last sentence given for each call that has one under way. */
  readonly #chains = new Map<number, Promise<unknown>>();
  readonly #assumedRealTimeFactor: number | undefined;
  #realTimeFactor: number;
  #parkedSentences = 0;
  #isClosing = false;

  private constructor(pool: Pool, description: TtsDescription, options: TtsClientOptions) {
    this.#pool = pool;
    this.description = description;
    this.#assumedRealTimeFactor = options.assumedRealTimeFactor;
    this.#realTimeFactor = description.realTimeFactor;
    this.#queue = new DeadlineQueue(options.threads);
    this.#cache = new SpeechCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES);
  }

  /**
   * Starts the threads; resolves when each has loaded the model and spoken.
   * @throws WildfireError MODEL_MISSING, MODEL_DAMAGED, CONFIG_INVALID (unknown voice or language), WORKER_WARMUP.
   */
  static async start(options: TtsClientOptions): Promise<TtsClient> {
    assertFolder(options);
    const pool: Pool = await WorkerPool.start<TtsTask, TtsResult>({
      name: 'tts',
      workerUrl: new URL('./tts.worker.ts', import.meta.url),
      threads: options.threads,
      workerData: workerDataFrom(options),
      niceIncrement: options.niceIncrement,
      ...(options.onWorkerDied === undefined ? {} : { onWorkerDied: options.onWorkerDied }),
    });
    const description = await pool.run({ kind: 'describe' });
    if (description.kind === 'described') return new TtsClient(pool, description, options);
    await pool.close();
    throw WildfireError.fromWire((description as Failed).error);
  }

  /**
   * Writes a sentence into its call's ring, after the sentences given earlier for that call.
   * Cancelled (by the cancel word or a newer epoch) is a result. At hang-up raise the cancel word: a sentence that
   * waits for room in a ring that nobody reads any more ends only by it.
   * @throws WildfireError INFERENCE_FAILED, CONFIG_INVALID (voice), INVALID_STATE (closed; no ring), WORKER_DIED.
   */
  speak(sentence: Sentence): Promise<Spoken> {
    if (this.#isClosing) return Promise.reject(new WildfireError('INVALID_STATE', 'TTS client is closed'));
    const queuedAtMs = monotonicMs();
    const before = this.#chains.get(sentence.callId) ?? Promise.resolve();
    const spoken = before.then(() => this.#speak(sentence, queuedAtMs));
    const settled = spoken
      .catch(() => {})
      .then(() => {
        if (this.#chains.get(sentence.callId) === settled) this.#chains.delete(sentence.callId);
      });
    this.#chains.set(sentence.callId, settled);
    return spoken;
  }

  /**
   * Makes a text without a ring, behind all calls' sentences: prompts, the built-in caller, tests.
   * @throws WildfireError as speak().
   */
  async render(text: string, voicing: Voicing): Promise<RenderedSpeech> {
    const key = this.#keyOf(text, voicing);
    const { pcm, speechSamples } = this.#cache.get(key)?.sentence ?? (await this.#render(key));
    return { samples: new Int16Array(pcm.subarray(0, speechSamples)), rateHz: voicing.rateHz };
  }

  /**
   * Puts a text into the cache, so that speak() of it starts at once: the greeting, the apology.
   * @throws WildfireError as speak().
   */
  async preload(text: string, voicing: Voicing): Promise<void> {
    const key = this.#keyOf(text, voicing);
    if (this.#cache.get(key) === null) this.#cache.put(key, await this.#render(key));
  }

  snapshot(): TtsSnapshot {
    return {
      queuedSentences: this.#queue.waiting,
      cacheHits: this.#cache.hits,
      cacheMisses: this.#cache.misses,
      cacheBytes: this.#cache.usedBytes,
      parkedSentences: this.#parkedSentences,
      realTimeFactor: this.#realTimeFactor,
    };
  }

  async #speak(sentence: Sentence, queuedAtMs: number): Promise<Spoken> {
    const ring = new SentenceRing(sentence);
    const key = this.#keyOf(sentence.sentence, { ...sentence, rateHz: ring.rateHz });
    const kept = this.#cache.get(key);
    if (kept === null) return this.#attemptUntilDone(sentence, ring, { key, cached: null, queuedAtMs });
    const release = this.#cache.hold(kept);
    try {
      return await this.#attemptUntilDone(sentence, ring, { key, cached: kept.sentence, queuedAtMs });
    } finally {
      release();
    }
  }

  // Until the sentence is in the ring or no longer wanted; a full ring ends an attempt, not a sentence.
  async #attemptUntilDone(sentence: Sentence, ring: SentenceRing, wanted: WantedSpeech): Promise<Spoken> {
    const { key, cached, queuedAtMs } = wanted;
    const attempt = {
      ...sentence,
      kind: 'speak',
      voice: key.voice,
      speed: key.speed,
      queuedAtMs,
      place: createSentencePlace(),
      wantsRendered: cached === null && this.#cache.isRepeated(key),
      realTimeFactor: this.#cuttingFactor,
    } as const;
    const made: SpeakProgress[] = [];
    for (let rendered = cached; ; rendered = made.at(-1)?.rendered ?? null) {
      if (ring.isUnwanted || this.#isClosing) return ring.cancelled(made, queuedAtMs);
      const progress = await this.#run<SpeakProgress>({ ...attempt, rendered }, () => ring.slackMs);
      made.push(progress);
      if (rendered === null) this.#learnSpeed(progress, progress.knownMs);
      if (attempt.wantsRendered && progress.rendered !== null) this.#cache.put(key, progress.rendered);
      if (progress.kind !== 'parked') return spokenOf(made, queuedAtMs);
      this.#parkedSentences++;
      await ring.waitForRoom(progress.rendered?.pcm.length ?? 0, () => this.#isClosing);
    }
  }

  async #render(key: SpeechKey): Promise<RenderedSentence> {
    const task = { ...key, kind: 'render', realTimeFactor: this.#cuttingFactor } as const;
    const made = await this.#run<Rendered>(task, () => Number.POSITIVE_INFINITY);
    this.#learnSpeed(made, 0);
    return made.rendered;
  }

  async #run<Result extends TtsResult>(task: TtsTask, slackMs: () => number): Promise<Result> {
    const result = await this.#queue.run(slackMs, () => this.#pool.run(task));
    if (result.kind === 'failed') throw WildfireError.fromWire(result.error);
    return result as Result;
  }

  get #cuttingFactor(): number {
    return this.#assumedRealTimeFactor ?? this.#realTimeFactor;
  }

  #learnSpeed({ kind, computeMs, audioMs }: SpeakProgress | Rendered, knownMs: number): void {
    const madeMs = audioMs - knownMs;
    if (kind === 'cancelled' || madeMs <= 0) return;
    this.#realTimeFactor += REAL_TIME_FACTOR_WEIGHT * (computeMs / madeMs - this.#realTimeFactor);
  }

  #keyOf(text: string, { voice = '', speed = 1, rateHz }: Voicing): SpeechKey {
    return { text, voice: voice || this.description.voice, speed: paceOf(speed), rateHz };
  }

  /** Lets running sentences finish, ends those that wait for room, takes no more, ends the threads. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#chains.values());
    await this.#pool.close();
    this.#cache.clear();
  }
}

function paceOf(speed: number): number {
  return Number.isFinite(speed) ? Math.min(Math.max(speed, SLOWEST), FASTEST) : 1;
}

function workerDataFrom(options: TtsClientOptions): TtsWorkerData {
  const cacheBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
  return {
    engine: options.engine,
    folder: options.folder,
    dtype: options.dtype,
    voice: options.voice,
    intraOpThreads: options.intraOpThreads ?? 1,
    sentencePauseMs: options.sentencePauseMs ?? DEFAULT_SENTENCE_PAUSE_MS,
    openingsBytes: cacheBytes * OPENINGS_SHARE,
    allowFaults: options.allowFaults ?? false,
  };
}
