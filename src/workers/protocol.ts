/**
 * Every message and task that crosses a thread border between the main thread and the model workers.
 * Only plain data and ring handles cross. Thread: any.
 */
import type { WireError } from '../errors.ts';
import type { RingHandle, TapeHandle } from '../ring-buffers/layout.ts';

/**
 * Cancels the work of one call without touching a thread: Int32 over a SharedArrayBuffer, word 0 is the
 * highest cancelled turnId. Work of turn t is cancelled when word 0 >= t. Written by main only.
 */
export type CancelWord = Int32Array<SharedArrayBuffer>;

/** Sent once to each thread of a pool; resolves when all of them have loaded their model and met. */
export interface WarmUpTask {
  readonly kind: 'warmUp';
  /** Word 0 counts threads that arrived; all leave when it reaches `threads`. */
  readonly barrier: Int32Array<SharedArrayBuffer>;
  readonly threads: number;
}

export interface Failed {
  readonly kind: 'failed';
  readonly error: WireError;
}

/** Work that its call no longer wanted. A result, not an error. */
export interface Cancelled {
  readonly kind: 'cancelled';
}

// ---- Whisper ------------------------------------------------------------------------------------------

export interface TranscribeTask {
  readonly kind: 'transcribe';
  readonly callId: number;
  readonly turnId: number;
  readonly uplink: TapeHandle;
  /** Absolute tape positions of the utterance, [fromSample, toSample). */
  readonly fromSample: number;
  readonly toSample: number;
  readonly cancel: CancelWord;
  /** monotonicMs() when main queued it: start of the queue time. */
  readonly queuedAtMs: number;
}

export interface Transcript {
  readonly kind: 'transcript';
  /** Trimmed text; empty when the guards judged that nothing was said. */
  readonly text: string;
  /** Why `text` is empty or doubtful: the guard that fired. */
  readonly rejectedBy: 'none' | 'noSpeech' | 'lowConfidence' | 'repetition';
  readonly noSpeechProbability: number;
  readonly meanLogProbability: number;
  readonly tokens: number;
  readonly audioMs: number;
  readonly queueMs: number;
  readonly computeMs: number;
}

/** The tape had already been overwritten at `fromSample`. */
export interface Lapped {
  readonly kind: 'lapped';
}

export type TranscribeResult = Transcript | Cancelled | Lapped | Failed;

// ---- LLaMA --------------------------------------------------------------------------------------------

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly text: string;
}

/** Main to the LLaMA worker, over the replica's MessagePort. */
export type LlamaRequest =
  | {
      readonly kind: 'generate';
      readonly callId: number;
      readonly turnId: number;
      /** The whole conversation, oldest first, ending with the caller's turn. The worker reuses the KV prefix. */
      readonly messages: readonly ChatMessage[];
      readonly cancel: CancelWord;
      readonly queuedAtMs: number;
    }
  | { readonly kind: 'closeConversation'; readonly callId: number }
  | { readonly kind: 'shutDown' };

/** The LLaMA worker to main, over the same port. */
export type LlamaEvent =
  | { readonly kind: 'ready'; readonly sequences: number; readonly contextTokens: number }
  | { readonly kind: 'text'; readonly callId: number; readonly turnId: number; readonly text: string }
  | {
      readonly kind: 'finished';
      readonly callId: number;
      readonly turnId: number;
      readonly reason: 'stop' | 'maxTokens' | 'cancelled';
      readonly queueMs: number;
      /** Request taken up to first token, ms. */
      readonly firstTokenMs: number;
      readonly computeMs: number;
      readonly promptTokens: number;
      /** Prompt tokens found in the KV cache and not evaluated again. */
      readonly reusedTokens: number;
      readonly generatedTokens: number;
    }
  | { readonly kind: 'failed'; readonly callId: number; readonly turnId: number; readonly error: WireError }
  | { readonly kind: 'conversationClosed'; readonly callId: number };

// ---- TTS ----------------------------------------------------------------------------------------------

export interface SpeakTask {
  readonly kind: 'speak';
  readonly callId: number;
  readonly turnId: number;
  readonly sentence: string;
  readonly voice: string;
  readonly speed: number;
  readonly downlink: RingHandle;
  /** The ring epoch this sentence belongs to; a later epoch means that it was barged in on. */
  readonly epoch: number;
  readonly cancel: CancelWord;
  readonly queuedAtMs: number;
}

export interface Spoken {
  readonly kind: 'spoken' | 'cancelled';
  /** Downlink ring indices [startIndex, endIndex) that hold this sentence. Equal when nothing was written. */
  readonly startIndex: number;
  readonly endIndex: number;
  readonly queueMs: number;
  /** Task taken up to first samples in the ring, ms. */
  readonly firstAudioMs: number;
  readonly computeMs: number;
  readonly audioMs: number;
}

export type SpeakResult = Spoken | Failed;
