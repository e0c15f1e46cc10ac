/**
 * What crosses between the main thread and the VAD thread: plain data and tape handles.
 * Thread: any.
 */
import type { WireError } from '../../errors.ts';
import type { TapeHandle } from '../../ring-buffers/layout.ts';

/** The verdict about one call. Positions are samples of its uplink tape. */
export interface VadEvent {
  readonly kind: 'speechStarted' | 'speechStopped';
  readonly callId: number;
  /** First speech sample, or one past the last. */
  readonly atSample: number;
  /** How far the tape had been read when this was decided. */
  readonly decidedAtSample: number;
  /** monotonicMs() of the decision. */
  readonly atMs: number;
  /** Started: the loudest frame of the onset. Stopped: the mean of the speech. RMS of the frame, dB below full scale. */
  readonly levelDbfs: number;
  /** The noise floor of the line at that time. */
  readonly noiseDbfs: number;
}

/** How frames become speech; the same for every model. */
export interface SpeechDetectorOptions {
  /** Silence after which a stop is reported; endpointing decides the rest. */
  readonly stopHangoverMs: number;
  /** How far before the evidence the onset may lie: soft consonants carry none. */
  readonly maxOnsetMs: number;
}

/** workerData of the VAD thread. */
export interface VadThreadOptions {
  readonly model: 'energy' | 'silero';
  /** The Silero v5 ONNX file; needed by that model only. */
  readonly sileroPath: string | null;
  /** Calls that can be watched at once. */
  readonly maxStreams: number;
  readonly tickMs: number;
  readonly detector: SpeechDetectorOptions;
  /** Nice value the thread asks for, so that inference does not starve it; it carries on when refused. */
  readonly niceValue: number;
  /** Tests only: obey a `die` request. */
  readonly allowFaults: boolean;
}

/** Main to the VAD thread. Every request with a `requestId` is answered by `done`. */
export type VadRequest =
  | {
      readonly kind: 'watch';
      readonly requestId: number;
      readonly callId: number;
      readonly uplink: TapeHandle;
    }
  | { readonly kind: 'unwatch'; readonly requestId: number; readonly callId: number }
  | { readonly kind: 'snapshot'; readonly requestId: number }
  | { readonly kind: 'close' }
  | { readonly kind: 'die' };

/** Counters of the VAD thread since it started. */
export interface VadSnapshot {
  readonly streams: number;
  readonly ticks: number;
  /** Frames judged. */
  readonly frames: number;
  /** Times a tape was overwritten before it was read. */
  readonly laps: number;
  /** Longest delay of a tick behind its schedule. */
  readonly maxTickLatenessMs: number;
  /** Longest tick. */
  readonly maxTickMs: number;
  readonly niceValue: number;
}

/** The VAD thread to main. */
export type VadReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'events'; readonly events: readonly VadEvent[] }
  | {
      readonly kind: 'done';
      readonly requestId: number;
      readonly error: WireError | null;
      readonly snapshot: VadSnapshot | null;
    };
