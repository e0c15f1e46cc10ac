/**
 * One utterance from samples to a judged transcript: level, resample, cut to windows, features, encoder,
 * decoder, guards. Walk: turn step 4. Thread: whisper worker; one instance per thread, one utterance at a time.
 */
import { createResampler, type Resampler } from '../../native/resampler.ts';
import type { Transcript } from '../protocol.ts';
import type { WhisperSearch } from './beam-search.ts';
import { createFeatureExtractor, type FeatureExtractor } from './features/feature-extractor.ts';
import { HOP_SAMPLES, WHISPER_RATE_HZ } from './features/log-mel.ts';
import { type DecodedEvidence, judge, loudestDbfs, rejectionOf, type WhisperGuards } from './guards.ts';
import { loadWhisperConfig, type WhisperConfig } from './whisper-config.ts';
import { decode } from './whisper-decoder.ts';
import { WhisperModel, type WhisperModelOptions } from './whisper-model.ts';
import { cutIntoWindows, trimQuietEnds } from './windows.ts';

/** How the model is run: the whole window every time, or only as long as what was said. */
export type WindowPolicy = 'full' | 'utterance';

export interface TranscriberOptions extends Omit<WhisperModelOptions, 'decoderHeads' | 'headSize'> {
  readonly language: string;
  /** 'utterance' only for weights trained on short windows, whose encoder file has a free frame axis. */
  readonly window: WindowPolicy;
  readonly guards: WhisperGuards;
  readonly search: WhisperSearch;
}

/** What the transcriber says; its caller adds the times. */
export type Heard = Pick<
  Transcript,
  'text' | 'rejectedBy' | 'noSpeechProbability' | 'meanLogProbability' | 'tokens' | 'audioMs'
>;

/** With 'utterance' windows this much silence follows the words, and frames come in such steps. */
const TRAILING_FRAMES = 20;
const FRAME_STEP = 50;
/** The rate of the telephone: what most utterances come in. */
const WARM_UP_RATE_HZ = 8_000;
/** A long sentence. */
const WARM_UP_TOKENS = 60;
/** Nothing was said, as the guards see it before any model ran. */
const SILENT: DecodedEvidence = {
  tokens: [],
  noSpeechProbability: 1,
  meanLogProbability: 0,
  hasLooped: false,
};

export class Transcriber {
  readonly config: WhisperConfig;
  readonly model: WhisperModel;
  readonly #options: TranscriberOptions;
  readonly #features: FeatureExtractor;
  readonly #resamplers = new Map<number, Resampler>();

  private constructor(config: WhisperConfig, model: WhisperModel, options: TranscriberOptions) {
    this.config = config;
    this.model = model;
    this.#options = options;
    this.#features = createFeatureExtractor({ melBins: config.melBins });
  }

  /** @throws WildfireError MODEL_MISSING, MODEL_DAMAGED or CONFIG_INVALID. */
  static async load(options: TranscriberOptions): Promise<Transcriber> {
    const config = await loadWhisperConfig(options.folder, options.language);
    const model = await WhisperModel.load({
      ...options,
      decoderHeads: config.decoderHeads,
      headSize: config.headSize,
    });
    return new Transcriber(config, model, options);
  }

  /**
   * @param samples int16 mono at `rateHz`, any length; longer than the window is cut at its quietest places.
   * @param isCancelled asked between model runs.
   * @returns null when cancelled.
   */
  async transcribe(samples: Int16Array, rateHz: number, isCancelled: () => boolean): Promise<Heard | null> {
    const audio = this.#at16kHz(samples, rateHz);
    const parts: DecodedEvidence[] = [];
    for (const window of cutIntoWindows(trimQuietEnds(audio), this.config.windowSamples)) {
      const evidence = await this.#decodeWindow(trimQuietEnds(window), isCancelled);
      if (evidence === null) return null;
      parts.push(evidence);
    }
    return this.#judgeAll(parts, (samples.length * 1000) / rateHz);
  }

  /** Whether the encoder runs on as many frames as were said instead of the whole window. */
  get trimsWindow(): boolean {
    return this.#options.window === 'utterance' && this.model.fixedFrames === null;
  }

  /**
   * Runs the whole path once, on noise as long as the window, so that the first caller does not pay for it; and a search
   * as wide and long as any, which is rare and needs the most memory: onnxruntime keeps that for good.
   */
  async warmUp(): Promise<void> {
    const rateHz = WARM_UP_RATE_HZ;
    const lengthSamples = Math.floor((this.config.windowSamples * rateHz) / WHISPER_RATE_HZ);
    const noise = Int16Array.from({ length: lengthSamples }, (_, i) => 3000 * Math.sin(i * i));
    await this.transcribe(noise, rateHz, () => false);
    if (this.#options.search.beams > 1) await this.#warmUpSearch(this.#options.search.beams);
  }

  // Encodes anew though transcribe() did: onnxruntime takes the memory of a shape, 16 MiB here, when it meets it again.
  async #warmUpSearch(beams: number): Promise<void> {
    const { melBins, windowFrames, maxTokens, promptTokens } = this.config;
    const features = Float32Array.from({ length: melBins * windowFrames }, (_, i) => Math.sin(i * i));
    const encoded = await this.model.encode(features, melBins);
    const decoding = this.model.decoding(encoded);
    await decoding.start(promptTokens);
    const search = decoding.beams();
    const tokens = new Array<number>(beams).fill(promptTokens[0]!);
    const steps = Math.min(WARM_UP_TOKENS, maxTokens - promptTokens.length);
    for (let step = 0; step < steps; step++) {
      await search.advance(
        tokens,
        tokens.map((_, row) => (step === 0 ? 0 : row)),
      );
    }
    decoding.free();
    this.model.free(encoded);
  }

  async #decodeWindow(window: Float32Array, isCancelled: () => boolean): Promise<DecodedEvidence | null> {
    const { guards, search } = this.#options;
    if (loudestDbfs(window, WHISPER_RATE_HZ) < guards.silenceDbfs) return SILENT;
    if (isCancelled()) return null;
    const frames = this.#framesFor(window.length);
    const features = new Float32Array(this.config.melBins * frames);
    this.#features.extract(window, frames, features);
    const encoded = await this.model.encode(features, this.config.melBins);
    const request = { audioMs: (window.length * 1000) / WHISPER_RATE_HZ, guards, search, isCancelled };
    const decoding = this.model.decoding(encoded);
    const evidence = await decode(decoding, this.config, request);
    decoding.free();
    this.model.free(encoded);
    return evidence;
  }

  #framesFor(windowSamples: number): number {
    const { windowFrames } = this.config;
    if (!this.trimsWindow) return windowFrames;
    const needed = Math.ceil(windowSamples / HOP_SAMPLES) + TRAILING_FRAMES;
    return Math.min(windowFrames, Math.ceil(needed / FRAME_STEP) * FRAME_STEP);
  }

  #judgeAll(parts: readonly DecodedEvidence[], audioMs: number): Heard {
    const { guards } = this.#options;
    const verdicts = parts.map((part) => judge(part, guards));
    const accepted = parts.filter((_, i) => verdicts[i] === 'none');
    const text = accepted
      .map((part) => this.config.tokenizer.decode(part.tokens).trim())
      .filter(Boolean)
      .join(' ');
    const judged = accepted.length > 0 ? accepted : parts;
    const tokens = sum(judged, (part) => part.tokens.length);
    const weight = sum(judged, (part) => part.tokens.length + 1);
    return {
      text,
      rejectedBy: rejectionOf(verdicts, text !== ''),
      noSpeechProbability: Math.min(1, ...judged.map((part) => part.noSpeechProbability)),
      meanLogProbability: weight === 0 ? 0 : sum(judged, logProbabilityOf) / weight,
      tokens,
      audioMs,
    };
  }

  #at16kHz(samples: Int16Array, rateHz: number): Float32Array {
    const resampler = this.#resamplerFrom(rateHz);
    resampler.reset();
    const { delaySamples } = resampler;
    const output = new Float32Array(resampler.maxOutputSamples(samples.length) + delaySamples);
    const body = resampler.process(samples, output);
    const tail = resampler.flush(output.subarray(body));
    return output.subarray(delaySamples, body + tail);
  }

  #resamplerFrom(rateHz: number): Resampler {
    const known = this.#resamplers.get(rateHz);
    if (known !== undefined) return known;
    const made = createResampler({ fromHz: rateHz, toHz: WHISPER_RATE_HZ });
    this.#resamplers.set(rateHz, made);
    return made;
  }
}

function logProbabilityOf(part: DecodedEvidence): number {
  return part.meanLogProbability * (part.tokens.length + 1);
}

function sum(parts: readonly DecodedEvidence[], of: (part: DecodedEvidence) => number): number {
  return parts.reduce((total, part) => total + of(part), 0);
}
