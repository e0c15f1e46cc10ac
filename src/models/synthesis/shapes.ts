/**
 * The sizes of the models whose weights can be made up, as their published configurations state them. One row each; the
 * builders know no names. Pure. Sources: config.json of openai/whisper-*, meta-llama/Llama-3.*, hexgrad/Kokoro-82M.
 */

export interface WhisperShape {
  readonly width: number;
  readonly heads: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly feedForward: number;
  readonly melBins: number;
  /** Encoder positions, two feature frames each: 1500 are 30 s. */
  readonly audioPositions: number;
  readonly textPositions: number;
  /** Tokens that stand for text; the special ones follow. */
  readonly textTokens: number;
  /** Version 3 added Cantonese. */
  readonly hasCantonese: boolean;
}

export interface LlamaShape {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly feedForward: number;
  /** Text tokens; 256 special ones follow. */
  readonly textTokens: number;
  readonly contextTokens: number;
  /** Whether the output layer is the embedding again. */
  readonly isTied: boolean;
}

export interface KokoroShape {
  readonly hidden: number;
  readonly style: number;
  readonly tokens: number;
  readonly layers: number;
  readonly textKernel: number;
  /** The ALBERT in front: one layer, run so many times. */
  readonly bert: {
    readonly width: number;
    readonly embedding: number;
    readonly heads: number;
    readonly feedForward: number;
    readonly repeats: number;
  };
  readonly decoderWidth: number;
  readonly generatorWidth: number;
}

const WHISPER = { audioPositions: 1500, textPositions: 448, textTokens: 50_257 } as const;
const LLAMA = { keyValueHeads: 8, heads: 32, textTokens: 128_000, contextTokens: 131_072 } as const;

export type NamedShape =
  | { readonly stage: 'whisper'; readonly shape: WhisperShape }
  | { readonly stage: 'llama'; readonly shape: LlamaShape }
  | { readonly stage: 'kokoro'; readonly shape: KokoroShape };

export const SHAPES: Readonly<Record<string, NamedShape>> = {
  'whisper-tiny': whisper({
    width: 384,
    heads: 6,
    encoderLayers: 4,
    decoderLayers: 4,
    feedForward: 1536,
    melBins: 80,
    hasCantonese: false,
  }),
  'whisper-base': whisper({
    width: 512,
    heads: 8,
    encoderLayers: 6,
    decoderLayers: 6,
    feedForward: 2048,
    melBins: 80,
    hasCantonese: false,
  }),
  'whisper-large-v3-turbo': whisper({
    width: 1280,
    heads: 20,
    encoderLayers: 32,
    decoderLayers: 4,
    feedForward: 5120,
    melBins: 128,
    hasCantonese: true,
  }),
  'llama-3.2-1b': {
    stage: 'llama',
    shape: { ...LLAMA, width: 2048, layers: 16, feedForward: 8192, isTied: true },
  },
  'llama-3.1-8b': {
    stage: 'llama',
    shape: { ...LLAMA, width: 4096, layers: 32, feedForward: 14_336, isTied: false },
  },
  'kokoro-82m': {
    stage: 'kokoro',
    shape: {
      hidden: 512,
      style: 128,
      tokens: 178,
      layers: 3,
      textKernel: 5,
      bert: { width: 768, embedding: 128, heads: 12, feedForward: 2048, repeats: 12 },
      decoderWidth: 1024,
      generatorWidth: 512,
    },
  },
};

function whisper(sizes: Omit<WhisperShape, keyof typeof WHISPER>): NamedShape {
  return { stage: 'whisper', shape: { ...WHISPER, ...sizes } };
}
