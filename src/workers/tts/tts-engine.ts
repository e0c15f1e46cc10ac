/**
 * What every voice engine offers: text pieces in, samples out. Kokoro and Piper stand behind it.
 * Thread: TTS worker only. Not hot (once per piece), but it decides when the caller hears us.
 */
import type { SpeechWindows } from './speech-windows.ts';

export interface EngineOptions {
  /** Folder of the stage in the model pack, absolute. */
  readonly folder: string;
  /** Kokoro: fp32, fp16, q8, q4, q4f16. Piper has one file; ignored. */
  readonly dtype: string;
  /** Threads inside one inference run. */
  readonly intraOpThreads: number;
}

export interface SpeechStyle {
  readonly voice: string;
  /** 1 is the voice's own pace; 0.5..2. */
  readonly speed: number;
}

/** Some of the speech of a piece, in order. */
export interface SpeechChunk {
  /** float32 about -1..1 (louder is possible), mono. Whoever takes the chunk may write into it, and frees its memory. */
  readonly samples: Float32Array;
  /** What follows it, if anything, is an utterance of its own, with its own silence at the edges. */
  readonly isLast: boolean;
}

export interface TtsEngine {
  /** Rate of the samples it gives. */
  readonly rateHz: number;
  /** Names that `SpeechStyle.voice` may have; the first is the default. */
  readonly voices: readonly string[];
  /**
   * Speaks one piece of spoken text (see spoken-text.ts), at most LONGEST_PIECE_CHARACTERS long.
   * @param windows how a model that can makes the beginning first, for someone who waits; null: all at once. The
   *   samples are the same.
   * @returns chunks at rateHz; one as a rule, more with windows, and when the model's input limit forces it. An empty
   *   list when the piece has no phonemes.
   * @throws WildfireError CONFIG_INVALID for an unknown voice, INFERENCE_FAILED when the model fails.
   */
  synthesize(piece: string, style: SpeechStyle, windows: SpeechWindows | null): AsyncIterable<SpeechChunk>;
  /** Frees the native session. No synthesize() may be running. */
  close(): Promise<void>;
}
