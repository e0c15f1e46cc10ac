/** The smallest models that still have every part: made and run in well under a second. */
import type { KokoroShape, LlamaShape, WhisperShape } from '../../../src/models/synthesis/shapes.ts';

export const TINY_WHISPER: WhisperShape = {
  width: 32,
  heads: 2,
  encoderLayers: 1,
  decoderLayers: 2,
  feedForward: 64,
  melBins: 80,
  audioPositions: 100,
  textPositions: 32,
  textTokens: 600,
  hasCantonese: true,
};

export const TINY_LLAMA: LlamaShape = {
  width: 64,
  layers: 2,
  heads: 2,
  keyValueHeads: 1,
  feedForward: 128,
  textTokens: 700,
  contextTokens: 512,
  isTied: false,
};

export const TINY_KOKORO: KokoroShape = {
  hidden: 32,
  style: 128,
  tokens: 178,
  layers: 2,
  textKernel: 5,
  bert: { width: 24, embedding: 16, heads: 2, feedForward: 32, repeats: 2 },
  decoderWidth: 32,
  generatorWidth: 16,
};
