/**
 * The calls of one rate: reads their tapes, has the model judge all of them at once, and says what changed.
 * Thread: vad. Hot: `tick` allocates only for events. Walk: packet step 9.
 */
import type { TapeHandle } from '../../ring-buffers/layout.ts';
import { advance, signedDistance } from '../../ring-buffers/position.ts';
import { TapeReader } from '../../ring-buffers/tape.ts';
import { type FrameVerdict, type SpeechChange, SpeechDetector } from './speech-detector.ts';
import type { SpeechDetectorOptions, VadEvent } from './vad-messages.ts';
import { createVadBatch, type VadBatch, type VadModel } from './vad-model.ts';

interface Watched {
  readonly callId: number;
  readonly reader: TapeReader;
  readonly detector: SpeechDetector;
  readonly stream: number;
  /** No longer watched: what the model run under way says of it is dropped. */
  isGone: boolean;
  /** Next sample to read. */
  positionSamples: number;
}

export interface VadStreamsOptions {
  readonly rateHz: number;
  readonly maxStreams: number;
  readonly detector: SpeechDetectorOptions;
  readonly nowMs: () => number;
}

/** A tape further behind than this is not caught up with: old speech would be reported as new. */
const MAX_BEHIND_MS = 2000;

export class VadStreams {
  readonly #model: VadModel;
  readonly #options: VadStreamsOptions;
  readonly #batch: VadBatch;
  readonly #watched: Watched[] = [];
  /** Call of each row of the batch. */
  readonly #rows: Watched[] = [];
  /** Streams of calls that went while the model ran: it still writes their state. */
  readonly #leaving: number[] = [];
  #isRunning = false;
  readonly #verdict: FrameVerdict = { speech: 0, isActive: false, levelDbfs: 0, endSample: 0 };
  #frames = 0;
  #laps = 0;
  /** Head of the first tape at the last tick. */
  #firstHead = -1;

  constructor(model: VadModel, options: VadStreamsOptions) {
    this.#model = model;
    this.#options = options;
    this.#batch = createVadBatch(options.rateHz, model.frameSamples, options.maxStreams);
  }

  get size(): number {
    return this.#watched.length;
  }

  get frames(): number {
    return this.#frames;
  }

  get laps(): number {
    return this.#laps;
  }

  /** Watches a tape from its present head on. @returns false when there is no room */
  watch(callId: number, uplink: TapeHandle): boolean {
    const stream = this.#model.openStream();
    if (stream < 0) return false;
    const reader = new TapeReader(uplink);
    const { rateHz, detector } = this.#options;
    this.#watched.push({
      callId,
      reader,
      stream,
      isGone: false,
      detector: new SpeechDetector({ ...detector, rateHz, model: this.#model }),
      positionSamples: reader.positionSamples,
    });
    return true;
  }

  /** Stops watching. @returns whether the call was watched here */
  unwatch(callId: number): boolean {
    const index = this.#watched.findIndex((watched) => watched.callId === callId);
    const [removed] = index < 0 ? [] : this.#watched.splice(index, 1);
    if (removed === undefined) return false;
    removed.isGone = true;
    if (this.#isRunning) this.#leaving.push(removed.stream);
    else this.#model.closeStream(removed.stream);
    return true;
  }

  /**
   * Judges everything that was written since the last tick. Adds what changed to `events`.
   * @returns whether the tapes have grown since, or there are none: all are written in one beat, so the first tells for all
   */
  async tick(events: VadEvent[]): Promise<boolean> {
    const head = this.#watched[0]?.reader.positionSamples ?? this.#firstHead;
    const hasGrown = this.#watched.length === 0 || head !== this.#firstHead;
    this.#firstHead = head;
    while (this.#fill() > 0) {
      await this.#run();
      this.#judge(events);
    }
    return hasGrown;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await this.#model.run(this.#batch);
    this.#isRunning = false;
    for (const stream of this.#leaving) this.#model.closeStream(stream);
    this.#leaving.length = 0;
  }

  /** One frame of every call that has one. @returns rows */
  #fill(): number {
    let rows = 0;
    for (const watched of this.#watched) {
      const frame = this.#batch.frames[rows];
      if (frame === undefined || !this.#read(watched, frame)) continue;
      this.#batch.streams[rows] = watched.stream;
      this.#rows[rows] = watched;
      rows += 1;
    }
    this.#batch.count = rows;
    this.#frames += rows;
    return rows;
  }

  #read(watched: Watched, frame: Int16Array): boolean {
    const head = watched.reader.positionSamples;
    const behindSamples = signedDistance(watched.positionSamples, head);
    if (behindSamples < frame.length) return false;
    const isTooFar = behindSamples > (MAX_BEHIND_MS * this.#options.rateHz) / 1000;
    if (isTooFar || watched.reader.read(watched.positionSamples, frame) !== 'ok') {
      this.#laps += 1;
      watched.positionSamples = head;
      return false;
    }
    watched.positionSamples = advance(watched.positionSamples, frame.length);
    return true;
  }

  #judge(events: VadEvent[]): void {
    const { count, speech, isActive, levelDbfs, noiseDbfs } = this.#batch;
    const verdict = this.#verdict;
    for (let row = 0; row < count; row += 1) {
      const watched = this.#rows[row]!;
      if (watched.isGone) continue;
      verdict.speech = speech[row]!;
      verdict.isActive = isActive[row] === 1;
      verdict.levelDbfs = levelDbfs[row]!;
      verdict.endSample = watched.positionSamples;
      const change = watched.detector.frame(verdict);
      if (change !== 'none') events.push(this.#describe(watched, change, noiseDbfs[row]!));
    }
  }

  #describe(watched: Watched, change: SpeechChange, noiseDbfs: number): VadEvent {
    return {
      kind: change === 'started' ? 'speechStarted' : 'speechStopped',
      callId: watched.callId,
      atSample: watched.detector.changedAtSample,
      decidedAtSample: watched.positionSamples,
      atMs: this.#options.nowMs(),
      levelDbfs: watched.detector.levelDbfs,
      noiseDbfs,
    };
  }
}
