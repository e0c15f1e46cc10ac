/**
 * Every message and task that crosses a thread border between the main thread and the model workers.
 * Only plain data and ring handles cross. Thread: any.
 */
import type { MessagePort } from 'node:worker_threads';
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
  /** Why `text` is empty or lacks a window: the guard that fired. */
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

/** How the next token is drawn. */
export interface TokenSampling {
  /** 0 = always the most likely token. */
  readonly temperature: number;
  /** 0 = no limit. */
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  /** 1 = off. */
  readonly repeatPenalty: number;
  /** How many of the reply's last tokens are penalised. */
  readonly repeatPenaltyTokens: number;
  /** null = another one each time. */
  readonly seed: number | null;
}

/** The Piscina task that runs one model replica from load to shutdown. */
export interface LlamaServeTask {
  readonly port: MessagePort;
  readonly niceIncrement: number;
  readonly modelPath: string;
  /** Calls that can hold their conversation in the KV cache at once. */
  readonly sequences: number;
  /** Tokens of conversation per call; lowered to what the model was trained for. */
  readonly contextTokens: number;
  /** CPU threads of one decode. */
  readonly threads: number;
  readonly gpu: false | 'auto' | 'cuda' | 'vulkan' | 'metal';
  /** Tokens the backend takes in one decode, over all calls. */
  readonly batchTokens: number;
  /** How long a piece of one call's prompt may keep other calls' tokens waiting, ms. */
  readonly prefillPieceMs: number;
  /** Longest reply. */
  readonly maxTokens: number;
  readonly sampling: TokenSampling;
}

export interface GenerateRequest {
  readonly kind: 'generate';
  readonly callId: number;
  readonly turnId: number;
  /** The whole conversation, oldest first, ending with the caller's turn. The worker reuses the KV prefix. */
  readonly messages: readonly ChatMessage[];
  /** How the reply begins, said before or delivered by a thread that died: generation goes on behind it. Else empty. */
  readonly replyPrefix: string;
  readonly cancel: CancelWord;
  /** monotonicMs() when main queued it: start of the queue time. */
  readonly queuedAtMs: number;
  /** Tests only: the thread exits after this many tokens, when the pool was started with allowFaults. */
  readonly exitAfterTokens?: number;
}

/** Evaluates a conversation ahead of its reply: what every call begins with, before calls come. */
export interface PrepareRequest {
  readonly kind: 'prepare';
  readonly callId: number;
  readonly messages: readonly ChatMessage[];
}

/** Main to the LLaMA worker, over the replica's MessagePort. */
export type LlamaRequest =
  | GenerateRequest
  | PrepareRequest
  | { readonly kind: 'closeConversation'; readonly callId: number }
  | { readonly kind: 'shutDown' };

/** What the LLaMA worker really runs on; `doctor` prints it. */
export interface LlamaBackend {
  /** The GPU layer in use: cuda, vulkan, metal; none = CPU only. */
  readonly gpu: string;
  readonly gpuDevices: readonly string[];
  /** Model layers that live on the GPU. */
  readonly gpuLayers: number;
  readonly cpuThreads: number;
  /** How prompts are laid out: the name of the chat template. */
  readonly chatTemplate: string;
}

export interface LlamaReady {
  readonly kind: 'ready';
  readonly sequences: number;
  readonly contextTokens: number;
  readonly backend: LlamaBackend;
}

export interface LlamaFinished {
  readonly kind: 'finished';
  readonly callId: number;
  readonly turnId: number;
  readonly reason: 'stop' | 'maxTokens' | 'cancelled';
  /** Queued by main up to taken by a free sequence, ms. */
  readonly queueMs: number;
  /** Request taken up to first token, ms; 0 when there was none. */
  readonly firstTokenMs: number;
  readonly computeMs: number;
  readonly promptTokens: number;
  /** Prompt tokens found in the KV cache and not evaluated again. */
  readonly reusedTokens: number;
  readonly generatedTokens: number;
}

export interface LlamaPrepared {
  readonly kind: 'prepared';
  readonly callId: number;
  readonly promptTokens: number;
  readonly reusedTokens: number;
  readonly computeMs: number;
}

/** The LLaMA worker to main, over the same port. */
export type LlamaEvent =
  | LlamaReady
  | { readonly kind: 'text'; readonly callId: number; readonly turnId: number; readonly text: string }
  | LlamaFinished
  | { readonly kind: 'failed'; readonly callId: number; readonly turnId: number; readonly error: WireError }
  | LlamaPrepared
  | { readonly kind: 'conversationClosed'; readonly callId: number }
  | { readonly kind: 'log'; readonly level: 'warn' | 'error'; readonly message: string };

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
  /** Whole frames at its start that are too quiet to hear, ms. */
  readonly leadInMs: number;
  readonly computeMs: number;
  readonly audioMs: number;
}

export type SpeakResult = Spoken | Failed;
