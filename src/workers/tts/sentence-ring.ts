/**
 * The downlink ring of a sentence as main sees it: how urgent the sentence is, whether it is still wanted, when
 * there is room for the rest of it. Thread: main. Never touches a sample.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openShared } from '../../ring-buffers/layout.ts';
import { RingController } from '../../ring-buffers/ring.ts';
import type { SpeakTask, Spoken } from '../protocol.ts';
import type { SpeakProgress } from './tts-task.ts';

/** A parked sentence looks for room at least this often, so that a barge-in or hang-up ends it soon. */
const LONGEST_SLEEP_MS = 100;
const SHORTEST_SLEEP_MS = 5;

type Wanted = Pick<SpeakTask, 'downlink' | 'epoch' | 'cancel' | 'turnId'>;

export class SentenceRing {
  readonly rateHz: number;
  readonly #capacitySamples: number;
  readonly #controller: RingController;
  readonly #wanted: Wanted;

  /** @throws WildfireError INVALID_STATE when the handle is no ring. */
  constructor(wanted: Wanted) {
    const { rateHz, capacitySamples } = openShared('ring', wanted.downlink);
    this.rateHz = rateHz;
    this.#capacitySamples = capacitySamples;
    this.#controller = new RingController(wanted.downlink);
    this.#wanted = wanted;
  }

  /** Barged in on, or its turn cancelled. */
  get isUnwanted(): boolean {
    const { cancel, turnId, epoch } = this.#wanted;
    return Atomics.load(cancel, 0) >= turnId || this.#controller.epoch !== epoch;
  }

  /** Playing time until the ring runs dry, ms. */
  get slackMs(): number {
    return (1000 * this.#controller.playableSamples) / this.rateHz;
  }

  /** Resolves when half the ring, or room for `neededSamples`, is free, or the wait has become pointless. */
  async waitForRoom(neededSamples: number, isOver: () => boolean): Promise<void> {
    const wantedSamples = Math.min(neededSamples, this.#capacitySamples / 2);
    while (!isOver() && !this.isUnwanted) {
      const missingSamples = wantedSamples - (this.#capacitySamples - this.#controller.fillSamples);
      if (missingSamples <= 0) return;
      const playingMs = (1000 * missingSamples) / this.rateHz;
      await sleep(Math.min(Math.max(playingMs, SHORTEST_SLEEP_MS), LONGEST_SLEEP_MS));
    }
  }

  /** The result of a sentence that was not, or not wholly, written. `made`: its attempts so far. */
  cancelled(made: readonly SpeakProgress[], queuedAtMs: number): Spoken {
    if (made.length > 0) return { ...spokenOf(made, queuedAtMs), kind: 'cancelled' };
    const { writeIndex } = this.#controller;
    const nothing = { queueMs: 0, firstAudioMs: 0, leadInMs: 0, computeMs: 0, audioMs: 0 };
    return { kind: 'cancelled', startIndex: writeIndex, endIndex: writeIndex, ...nothing };
  }
}

/** All attempts of one sentence, at least one, as one result. */
export function spokenOf(made: readonly SpeakProgress[], queuedAtMs: number): Spoken {
  const first = made[0] as SpeakProgress;
  const last = made.at(-1) as SpeakProgress;
  const firstAudioAtMs = made.find((progress) => progress.firstAudioAtMs !== null)?.firstAudioAtMs;
  return {
    kind: last.kind === 'spoken' ? 'spoken' : 'cancelled',
    startIndex: first.startIndex,
    endIndex: last.endIndex,
    queueMs: first.takenAtMs - queuedAtMs,
    firstAudioMs: (firstAudioAtMs ?? first.takenAtMs) - first.takenAtMs,
    leadInMs: first.leadInMs,
    computeMs: made.reduce((sum, progress) => sum + progress.computeMs, 0),
    audioMs: last.audioMs,
  };
}
