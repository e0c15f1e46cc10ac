/**
 * What crosses between the TTS client and its workers beside workers/protocol.ts: how a sentence is taken up
 * again (after a full ring or a dead thread), rendering without a ring, and what a worker says of itself.
 * Thread: any. Only plain data and shared memory.
 */
import type { Failed, SpeakTask, WarmUpTask } from '../protocol.ts';

export type EngineName = 'kokoro' | 'piper';

export interface TtsWorkerData {
  readonly engine: EngineName;
  readonly folder: string;
  readonly dtype: string;
  /** '' is the engine's first. */
  readonly voice: string;
  readonly intraOpThreads: number;
  /** Rest after a full stop, ms; a comma rests half as long. */
  readonly sentencePauseMs: number;
  /** Bound of a thread's memory of openings. */
  readonly openingsBytes: number;
  readonly allowFaults: boolean;
}

/** A whole sentence at a ring's rate, made once and then only copied. Shared by all threads, written by none. */
export interface RenderedSentence {
  /** Speech, then the rest after it. */
  readonly pcm: Int16Array<SharedArrayBuffer>;
  /** Length without the rest. */
  readonly speechSamples: number;
}

/**
 * Where a sentence stands in its ring, kept outside the thread so that it outlives it. Written by the one worker
 * that has the sentence, words as in PLACE_WORD. What was written already is (ring's writeIndex - startIndex):
 * nobody else writes to that ring meanwhile, because the client gives a call's sentences out one by one.
 */
export type SentencePlace = Int32Array<SharedArrayBuffer>;

export const PLACE_WORD = { hasStarted: 0, startIndex: 1 } as const;

export function createSentencePlace(): SentencePlace {
  return new Int32Array(new SharedArrayBuffer(8));
}

/**
 * A fault for tests, obeyed only by workers started with `allowFaults`: the thread exits after its next piece,
 * once for each count in word 0.
 */
export interface TtsFault {
  readonly exitsLeft: Int32Array<SharedArrayBuffer>;
}

/** One go at a sentence; a sentence needs another when the ring was full or the thread died. */
export interface SpeakAttempt extends SpeakTask {
  readonly place: SentencePlace;
  /** The sentence when it has been rendered before: then nothing is computed. */
  readonly rendered: RenderedSentence | null;
  /** Whether the result should carry the rendered sentence. */
  readonly wantsRendered: boolean;
  /** Compute time / audio time of this engine lately: decides where sentences are cut, equally in each attempt. */
  readonly realTimeFactor: number;
  readonly fault?: TtsFault;
}

/** Renders without a ring: for prompts, the built-in caller, benches. */
export interface RenderTask {
  readonly kind: 'render';
  readonly text: string;
  readonly voice: string;
  readonly speed: number;
  readonly rateHz: number;
  readonly realTimeFactor: number;
  readonly fault?: TtsFault;
}

/** Asks a thread what it runs on; answers `failed` when its model could not be loaded. */
export interface DescribeTask {
  readonly kind: 'describe';
}

export interface SpeakProgress {
  /** 'parked': the ring is full; to be taken up again with `rendered` when there is room. */
  readonly kind: 'spoken' | 'cancelled' | 'parked';
  readonly startIndex: number;
  /** After the last written sample of speech; the rest after the sentence lies behind it. */
  readonly endIndex: number;
  readonly takenAtMs: number;
  /** When this attempt put its first samples into the ring; null when it put none. */
  readonly firstAudioAtMs: number | null;
  readonly computeMs: number;
  /** Speech of the sentence as far as it was made, ms. */
  readonly audioMs: number;
  /** So much of that the thread remembered, ms. */
  readonly knownMs: number;
  /** Whole frames at its start that are too quiet to hear, ms. */
  readonly leadInMs: number;
  /** The whole sentence, when it was asked for or is needed to go on. */
  readonly rendered: RenderedSentence | null;
}

export interface Rendered {
  readonly kind: 'rendered';
  readonly rendered: RenderedSentence;
  readonly rateHz: number;
  readonly computeMs: number;
  readonly audioMs: number;
}

export interface TtsDescription {
  readonly kind: 'described';
  readonly engine: EngineName;
  /** Rate of the model; rings of other rates are served through the resampler. */
  readonly modelRateHz: number;
  readonly voices: readonly string[];
  /** The voice of tasks that name none. */
  readonly voice: string;
  /** Measured at the end of the warm-up. */
  readonly realTimeFactor: number;
}

export type TtsTask = SpeakAttempt | RenderTask | DescribeTask;
/** Everything a worker thread may be handed by its pool. */
export type TtsThreadTask = TtsTask | WarmUpTask;
export type TtsResult = SpeakProgress | Rendered | TtsDescription | Failed;
