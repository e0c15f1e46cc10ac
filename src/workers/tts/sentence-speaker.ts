/**
 * One voice engine at work: text -> pieces -> samples at the ring's rate -> ring, first samples first.
 * Thread: TTS worker, one sentence at a time. Walk: turn step 8. What a thread remembers beside its model:
 * the gain of each voice, one shaper per rate, and first pieces that were asked for twice ("Certainly,").
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { toWireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import { freeArray } from '../free-array.ts';
import type { Failed } from '../protocol.ts';
import { joined, RingSentence } from './ring-sentence.ts';
import { SpeechCache, type SpeechKey } from './speech-cache.ts';
import { cutIntoPieces, pieceLimits, type SpeechPiece } from './speech-pieces.ts';
import { SpeechShaper, voiceGain } from './speech-shaper.ts';
import { type SpeechWindows, speechWindows } from './speech-windows.ts';
import { spokenText } from './spoken-text.ts';
import type { SpeechStyle, TtsEngine } from './tts-engine.ts';
import type { Rendered, RenderTask, SpeakAttempt, SpeakProgress } from './tts-task.ts';

export interface SpeakerOptions {
  /** '' is the engine's first. */
  readonly voice: string;
  readonly sentencePauseMs: number;
  /** Bound of the memory of openings; 0 turns it off. */
  readonly openingsBytes: number;
}

/** A piece or, of a longer one, its beginning or the rest of it. */
interface ShapedPiece {
  readonly speech: Int16Array;
  /** Silence behind it; 0 behind a beginning. */
  readonly restSamples: number;
  readonly endsPiece: boolean;
  /** Was not made now. */
  readonly isKnown: boolean;
}

/** Someone who waits for the first samples, and may lose interest. */
interface Listener {
  isUnwanted(): boolean;
}

type SpokenTask = Pick<RenderTask, 'text' | 'voice' | 'speed' | 'realTimeFactor'>;

/** A piece shorter than this says too little about the level of its voice. */
const SHORTEST_FOR_LEVEL_MS = 400;
/**
 * After a flush the ring may be full of what was thrown away until the reader's next frame (20 ms): worth waiting
 * for. A ring full of this reply is not: the thread is needed by other calls, the sentence is parked.
 */
const FLUSH_PATIENCE_MS = 45;
const FLUSH_LOOK_MS = 3;

export class SentenceSpeaker {
  readonly #engine: TtsEngine;
  readonly #options: SpeakerOptions;
  readonly #shapers = new Map<number, SpeechShaper>();
  readonly #gains = new Map<string, number>();
  readonly #openings: SpeechCache;

  constructor(engine: TtsEngine, options: SpeakerOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#openings = new SpeechCache(options.openingsBytes);
  }

  /** The voice of tasks that name none. */
  get defaultVoice(): string {
    return this.#options.voice || (this.#engine.voices[0] ?? '');
  }

  /**
   * Speaks a sentence, or what an earlier attempt left of it, into its ring. Never throws.
   * @param afterPiece called after each piece was written; tests make the thread die there.
   */
  async speak(attempt: SpeakAttempt, afterPiece: () => void = () => {}): Promise<SpeakProgress | Failed> {
    try {
      return await this.#speak(attempt, afterPiece);
    } catch (error) {
      return { kind: 'failed', error: toWireError(error, 'INFERENCE_FAILED') };
    }
  }

  /** Makes a whole text without a ring. Never throws. */
  async render(task: RenderTask): Promise<Rendered | Failed> {
    const takenAtMs = monotonicMs();
    try {
      const parts: Int16Array[] = [];
      let lengthSamples = 0;
      let speechSamples = 0;
      for await (const { speech, restSamples } of this.#pieces(task, task.rateHz, null)) {
        parts.push(speech, new Int16Array(restSamples));
        speechSamples = lengthSamples + speech.length;
        lengthSamples = speechSamples + restSamples;
      }
      return {
        kind: 'rendered',
        rendered: { pcm: joined(parts, lengthSamples), speechSamples },
        rateHz: task.rateHz,
        computeMs: monotonicMs() - takenAtMs,
        audioMs: (1000 * speechSamples) / task.rateHz,
      };
    } catch (error) {
      return { kind: 'failed', error: toWireError(error, 'INFERENCE_FAILED') };
    }
  }

  async #speak(attempt: SpeakAttempt, afterPiece: () => void): Promise<SpeakProgress> {
    const takenAtMs = monotonicMs();
    const sentence = new RingSentence(attempt);
    let firstAudioAtMs: number | null = null;
    let knownSamples = 0;
    const note = (hasWritten: boolean): void => {
      if (hasWritten) firstAudioAtMs ??= monotonicMs();
    };
    if (attempt.rendered !== null) note(sentence.addRendered(attempt.rendered));
    else {
      const task = { ...attempt, text: attempt.sentence };
      const listener = { isUnwanted: () => sentence.isUnwanted };
      for await (const piece of this.#pieces(task, sentence.rateHz, listener)) {
        note(sentence.add(piece.speech, piece.restSamples));
        if (piece.isKnown) knownSamples += piece.speech.length;
        if (piece.endsPiece) afterPiece();
      }
    }
    sentence.finish();
    const computeMs = monotonicMs() - takenAtMs;
    if (sentence.isStuck) note(await outwaitFlush(sentence));
    const knownMs = (1000 * knownSamples) / sentence.rateHz;
    return { ...outcomeOf(sentence, attempt), takenAtMs, firstAudioAtMs, computeMs, knownMs };
  }

  /** @param listener null: nobody waits, so all is made, and each piece at once. */
  async *#pieces(task: SpokenTask, rateHz: number, listener: Listener | null): AsyncGenerator<ShapedPiece> {
    const style = { voice: task.voice || this.defaultVoice, speed: task.speed };
    const pieces = cutIntoPieces(spokenText(task.text), pieceLimits(task.realTimeFactor));
    for (const [index, piece] of pieces.entries()) {
      if (listener?.isUnwanted()) return;
      const made = this.#made(piece, style, rateHz, listener && this.#windowsFor(style.voice, task));
      const isOpening = index === 0 && pieces.length > 1;
      const key = { text: piece.text, ...style, rateHz };
      for await (const part of isOpening && listener ? remembered(key, made, this.#openings) : made) {
        if (listener?.isUnwanted()) return;
        yield part;
      }
    }
  }

  async *#made(
    piece: SpeechPiece,
    style: SpeechStyle,
    rateHz: number,
    windows: SpeechWindows | null,
  ): AsyncGenerator<ShapedPiece> {
    const restSamples = Math.round((this.#restMs(piece) * rateHz) / 1000);
    const shaper = this.#shaperFor(rateHz);
    let isBegin = true;
    for await (const { samples, isLast } of this.#engine.synthesize(piece.text, style, windows)) {
      if (isBegin) shaper.begin(this.#gainOf(style.voice, samples));
      isBegin = isLast;
      for (const part of shaper.add(samples, isLast)) {
        const isEnd = part.isLast;
        yield { speech: part.pcm, restSamples: isEnd ? restSamples : 0, endsPiece: isEnd, isKnown: false };
      }
      freeArray(samples);
    }
  }

  // The level of a voice is measured on a whole piece.
  #windowsFor(voice: string, { realTimeFactor }: SpokenTask): SpeechWindows | null {
    return this.#gains.has(voice) ? speechWindows(realTimeFactor) : null;
  }

  #shaperFor(rateHz: number): SpeechShaper {
    const known = this.#shapers.get(rateHz);
    if (known !== undefined) return known;
    const made = new SpeechShaper({ fromHz: this.#engine.rateHz, toHz: rateHz });
    this.#shapers.set(rateHz, made);
    return made;
  }

  // Measured once per voice and then kept: sentences of one voice must not jump in level against each other.
  #gainOf(voice: string, samples: Float32Array): number {
    const known = this.#gains.get(voice);
    if (known !== undefined) return known;
    const gain = voiceGain(samples, this.#engine.rateHz);
    if (samples.length >= (SHORTEST_FOR_LEVEL_MS * this.#engine.rateHz) / 1000) this.#gains.set(voice, gain);
    return gain;
  }

  #restMs(piece: SpeechPiece): number {
    const { sentencePauseMs } = this.#options;
    return { sentence: sentencePauseMs, clause: sentencePauseMs / 2, none: 0 }[piece.ending];
  }
}

/** The piece as it was kept, else as it is made; kept when it was asked for before. */
async function* remembered(
  key: SpeechKey,
  made: AsyncIterable<ShapedPiece>,
  openings: SpeechCache,
): AsyncGenerator<ShapedPiece> {
  const known = openings.get(key);
  if (known !== null) {
    const { pcm, speechSamples } = known.sentence;
    const restSamples = pcm.length - speechSamples;
    yield { speech: pcm.slice(0, speechSamples), restSamples, endsPiece: true, isKnown: true };
    return;
  }
  const isKept = openings.isRepeated(key);
  const parts: Int16Array[] = [];
  let [lengthSamples, restSamples] = [0, 0];
  for await (const part of made) {
    if (isKept) parts.push(part.speech.slice(), new Int16Array(part.restSamples));
    lengthSamples += part.speech.length + part.restSamples;
    restSamples = part.restSamples;
    yield part;
  }
  if (!isKept || lengthSamples === 0) return;
  openings.put(key, { pcm: joined(parts, lengthSamples), speechSamples: lengthSamples - restSamples });
}

async function outwaitFlush(sentence: RingSentence): Promise<boolean> {
  const until = monotonicMs() + FLUSH_PATIENCE_MS;
  while (sentence.isStuck && monotonicMs() < until) {
    await sleep(FLUSH_LOOK_MS);
    if (sentence.writePending()) return true;
  }
  return false;
}

function outcomeOf(sentence: RingSentence, attempt: SpeakAttempt) {
  const isWhole = sentence.isWhole;
  const kind = isWhole ? 'spoken' : sentence.isUnwanted ? 'cancelled' : 'parked';
  const carriesRendered = kind === 'parked' || (kind === 'spoken' && attempt.wantsRendered);
  return {
    kind,
    startIndex: sentence.startIndex,
    endIndex: sentence.endIndex,
    audioMs: (1000 * sentence.speechSamples) / sentence.rateHz,
    leadInMs: sentence.leadInMs,
    rendered: carriesRendered ? (attempt.rendered ?? sentence.rendered()) : null,
  } as const;
}
