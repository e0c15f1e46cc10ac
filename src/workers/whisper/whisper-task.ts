/**
 * What crosses between the Whisper client and its workers beside workers/protocol.ts: tasks for callers that
 * hold samples instead of a tape, what a worker is started with, and what it reports of itself. Thread: any.
 */
import type {
  Cancelled,
  Failed,
  TranscribeResult,
  TranscribeTask,
  Transcript,
  WarmUpTask,
} from '../protocol.ts';
import type { WhisperSearch } from './beam-search.ts';
import type { WhisperGuards } from './guards.ts';
import type { WindowPolicy } from './transcriber.ts';
import type { ExecutionProvider, WhisperDtypes } from './whisper-model.ts';

/** Transcribes samples that came by message: the built-in caller and benches, never a live call. */
export interface TranscribeSamplesTask {
  readonly kind: 'transcribeSamples';
  /** Mono. */
  readonly samples: Int16Array;
  readonly rateHz: number;
  readonly queuedAtMs: number;
}

/** Asks a thread what it runs on. */
export interface DescribeTask {
  readonly kind: 'describe';
}

export interface WhisperDescription {
  readonly kind: 'described';
  /** The execution provider really in use. */
  readonly provider: ExecutionProvider;
  /** Why it is not the one asked for; empty when it is. */
  readonly providerNote: string;
  readonly melBins: number;
  readonly windowMs: number;
  readonly vocabularyTokens: number;
  /** Whether the encoder runs on as many frames as were said instead of the whole window. */
  readonly trimsWindow: boolean;
  /** Whether the vocabulary has a no-speech token, without which that guard is off. */
  readonly knowsNoSpeech: boolean;
}

/**
 * A fault for tests, obeyed only by workers started with `allowFaults`: the thread exits in the middle of the
 * task, once for each count in word 0.
 */
export interface WhisperFault {
  readonly exitsLeft: Int32Array<SharedArrayBuffer>;
}

export type WhisperTask = (TranscribeTask | TranscribeSamplesTask | DescribeTask) & {
  readonly fault?: WhisperFault;
};

export type WhisperResult = TranscribeResult | WhisperDescription;

/** Everything a worker thread may be handed by its pool. */
export type WhisperThreadTask = WhisperTask | WarmUpTask;

export type TranscribeSamplesResult = Transcript | Cancelled | Failed;

export interface WhisperWorkerData {
  readonly folder: string;
  readonly dtype: WhisperDtypes;
  readonly provider: ExecutionProvider;
  readonly intraOpThreads: number;
  readonly language: string;
  readonly window: WindowPolicy;
  readonly guards: WhisperGuards;
  readonly search: WhisperSearch;
  readonly allowFaults: boolean;
}
