/**
 * What every voice engine offers: text pieces in, samples out. Kokoro and Piper stand behind it.
 * Thread: TTS worker only. Not hot (once per piece), but it decides when the caller hears us.
 */

export interface EngineOptions {
  /** Folder of the stage in the model pack, absolute. */
  readonly folder: string;
  /** Kokoro: fp32, fp16, q8, q4, q4f16. Piper has one file; ignored. */
  readonly dtype: string;
  /** Threads inside one inference run. */
  readonly intraOpThreads: number;
}

/**
 * ONNX Runtime's options of every engine. Its threads sleep instead of spinning, which would take cores from other
 * threads between and within runs. A second one shortens runs that follow each other by 30 %, and a run after a rest by
 * nothing: waking it takes as long as it saves (spinning: 25 % sooner for up to twice the CPU).
 */
export function sessionOptions(intraOpThreads: number) {
  return {
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: 1,
    // Remembered memory plans grow with every new sentence length. The arena stays on: without it the process grew by
    // 27 MB in 900 sentences of mixed length, with it by nothing.
    enableMemPattern: false,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}

export interface SpeechStyle {
  readonly voice: string;
  /** 1 is the voice's own pace; 0.5..2. */
  readonly speed: number;
}

export interface TtsEngine {
  /** Rate of the samples it gives. */
  readonly rateHz: number;
  /** Names that `SpeechStyle.voice` may have; the first is the default. */
  readonly voices: readonly string[];
  /**
   * Speaks one piece of spoken text (see spoken-text.ts), at most LONGEST_PIECE_CHARACTERS long.
   * @returns float32 samples about -1..1 (louder is possible), mono, at rateHz; one array as a rule, more when
   *   the model's input limit forces it. An empty list when the piece has no phonemes.
   * @throws WildfireError CONFIG_INVALID for an unknown voice, INFERENCE_FAILED when the model fails.
   */
  synthesize(piece: string, style: SpeechStyle): AsyncIterable<Float32Array>;
  /** Frees the native session. No synthesize() may be running. */
  close(): Promise<void>;
}
