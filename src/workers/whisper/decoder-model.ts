/**
 * Decoder runs of one utterance, each with its key/value cache: one text at a time, or several side by side.
 * Thread: whisper worker. `run` blocks its thread for the whole inference.
 */
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { asFloat32, feedable, freeTensor, gatherRows } from './tensor-model.ts';

/** The encoder's output for one window, for any number of decodings. */
export interface EncodedAudio {
  readonly hiddenStates: Tensor;
}

/** Scores of the next token after each position given, row by row. Those of an `advance` are good until the next. */
export interface Logits {
  readonly scores: Float32Array;
  readonly rows: number;
  readonly vocabularyTokens: number;
}

/** One decoding: the cache grows by one position with each token. Whoever made it frees it. */
export class Decoding {
  readonly #first: DecoderSession;
  readonly #next: DecoderSession;
  readonly #audio: EncodedAudio;
  /** After the prompt: every search begins with it. */
  readonly #promptCache = new DecoderCache({});
  #cache = new DecoderCache({});
  #search: BeamDecoding | null = null;

  constructor(first: DecoderSession, next: DecoderSession, audio: EncodedAudio) {
    this.#first = first;
    this.#next = next;
    this.#audio = audio;
  }

  /** Runs the prompt without a cache; all of `present.*` becomes the cache. Scores after each prompt token. Once. */
  async start(prompt: readonly number[]): Promise<Logits> {
    const feeds = this.#first.feeds(prompt, this.#audio, this.#first.emptyPast);
    const outputs = await this.#first.session.run(feeds, this.#first.allOutputs);
    const logits = this.#promptCache.keep(outputs);
    this.#cache = new DecoderCache(this.#promptCache.past);
    return logits;
  }

  /** Scores after `token`. The cross-attention cache stays as the first step made it. */
  async advance(token: number): Promise<Logits> {
    const feeds = this.#next.feeds([token], this.#audio, this.#cache.past);
    return this.#cache.keep(await this.#next.session.run(feeds, this.#next.selfAttentionOutputs));
  }

  /** Several continuations of the prompt side by side. Call after `start`, whatever was advanced since. */
  beams(): BeamDecoding {
    this.#search = new BeamDecoding(this.#next, this.#audio, this.#promptCache.past);
    return this.#search;
  }

  /** Gives the memory of all that was decoded back: no scores and no search of it may be read after. */
  free(): void {
    this.#search?.free();
    this.#cache.free();
    this.#promptCache.free();
  }
}

/** Continuations of one prompt as the rows of a batch; rows end, and others are continued twice, as the search goes on. */
export class BeamDecoding {
  readonly #next: DecoderSession;
  readonly #audio: EncodedAudio;
  readonly #cache: DecoderCache;
  #audioOfRows: EncodedAudio;

  constructor(next: DecoderSession, audio: EncodedAudio, pastOfPrompt: Readonly<Record<string, Tensor>>) {
    this.#next = next;
    this.#audio = audio;
    this.#audioOfRows = audio;
    this.#cache = new DecoderCache(pastOfPrompt);
  }

  /**
   * @param tokens the token that continues each row. @param parents which row of the step before each continues.
   * @returns scores after each token, a row for each.
   */
  async advance(tokens: readonly number[], parents: readonly number[]): Promise<Logits> {
    this.#arrange(parents);
    const feeds = this.#next.feeds(tokens, this.#audioOfRows, this.#cache.past, tokens.length);
    return this.#cache.keep(await this.#next.session.run(feeds, this.#next.selfAttentionOutputs));
  }

  /** Gives the memory of the search back; what it began with stays. */
  free(): void {
    this.#freeAudioOfRows();
    this.#cache.free();
  }

  /** What every row hears is the same, so that only the number of rows matters to it. */
  #arrange(parents: readonly number[]): void {
    const rows = this.#audioOfRows.hiddenStates.dims[0]!;
    const same = parents.map(() => 0);
    if (rows !== parents.length) {
      this.#freeAudioOfRows();
      this.#audioOfRows = { hiddenStates: gatherRows(this.#audio.hiddenStates, same) };
    }
    for (const [name, value] of Object.entries(this.#cache.past)) {
      const isAudio = name.includes('.encoder.');
      if (isAudio && rows === parents.length) continue;
      this.#cache.replace(name, gatherRows(value, isAudio ? same : parents));
    }
  }

  #freeAudioOfRows(): void {
    const { hiddenStates } = this.#audioOfRows;
    if (hiddenStates !== this.#audio.hiddenStates) freeTensor(hiddenStates);
  }
}

/** past_key_values.* as the next step wants them. What is replaced is freed, unless another cache lent it. */
class DecoderCache {
  readonly past: Record<string, Tensor>;
  readonly #lent: Readonly<Record<string, Tensor>>;
  #logits: Tensor | null = null;

  constructor(lent: Readonly<Record<string, Tensor>>) {
    this.#lent = lent;
    this.past = { ...lent };
  }

  /** All of `present.*` becomes the cache. @returns the scores, a row for each position of each batch row. */
  keep(outputs: InferenceSession.OnnxValueMapType): Logits {
    for (const [name, value] of Object.entries(outputs)) {
      if (name.startsWith('present.')) this.replace(pastNameOf(name), feedable(value as Tensor));
    }
    if (this.#logits !== null) freeTensor(this.#logits);
    this.#logits = outputs.logits as Tensor;
    const [batch = 1, rows = 1, vocabularyTokens = 0] = this.#logits.dims;
    return { scores: asFloat32(this.#logits), rows: batch * rows, vocabularyTokens };
  }

  replace(name: string, value: Tensor): void {
    const old = this.past[name];
    this.past[name] = value;
    if (old !== undefined && old !== value && old !== this.#lent[name]) freeTensor(old);
  }

  free(): void {
    for (const [name, value] of Object.entries(this.past)) {
      if (value !== this.#lent[name]) freeTensor(value);
    }
    if (this.#logits !== null) freeTensor(this.#logits);
  }
}

/** A decoder session with what its own metadata says about how to feed it. */
export class DecoderSession {
  readonly session: InferenceSession;
  readonly allOutputs: readonly string[];
  /** Without the cross-attention outputs: those do not change, and asking for them would copy them. */
  readonly selfAttentionOutputs: readonly string[];
  readonly emptyPast: Readonly<Record<string, Tensor>>;
  readonly #usesCache: boolean;

  constructor(session: InferenceSession, usesCache: boolean, emptyPast: Readonly<Record<string, Tensor>>) {
    this.session = session;
    this.#usesCache = usesCache;
    this.emptyPast = emptyPast;
    this.allOutputs = session.outputNames;
    this.selfAttentionOutputs = session.outputNames.filter((name) => !name.includes('.encoder.'));
  }

  /** The same session seen as the step that has a cache. */
  withCache(): DecoderSession {
    return new DecoderSession(this.session, true, {});
  }

  feeds(
    tokens: readonly number[],
    audio: EncodedAudio,
    past: Readonly<Record<string, Tensor>>,
    batch = 1,
  ): Record<string, Tensor> {
    const feeds: Record<string, Tensor> = {};
    for (const name of this.session.inputNames) {
      if (name === 'input_ids')
        feeds[name] = new Tensor('int64', BigInt64Array.from(tokens, BigInt), [batch, tokens.length / batch]);
      else if (name === 'encoder_hidden_states') feeds[name] = audio.hiddenStates;
      else if (name === 'use_cache_branch') feeds[name] = new Tensor('bool', [this.#usesCache], [1]);
      else feeds[name] = past[name]!;
    }
    return feeds;
  }
}

function pastNameOf(presentName: string): string {
  return presentName.replace('present', 'past_key_values');
}
