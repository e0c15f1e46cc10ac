/**
 * The shared audio memory of calls: one tape and one ring each, used again for later calls. A SharedArrayBuffer is
 * freed only when every thread that saw it has collected its garbage, which idle threads hardly ever do: without
 * reuse a process grew by 1.5 MiB a call. Thread: main.
 */
import { createRing, createTape, type RingHandle, type TapeHandle } from '../ring-buffers/layout.ts';
import { renewRing, renewTape } from '../ring-buffers/renew.ts';

const LEG_RATE_HZ = 8000;
/** 65 s: the longest turn and the time its transcription may wait, with room to spare. */
const UPLINK_CAPACITY_SAMPLES = 2 ** 19;
/** 33 s: more than any sentence, so that a writer hardly ever waits. */
const DOWNLINK_CAPACITY_SAMPLES = 2 ** 18;

/** What one call hears and says. */
export interface CallAudio {
  readonly uplink: TapeHandle;
  readonly downlink: RingHandle;
}

export class CallAudioStore {
  readonly #spare: CallAudio[] = [];
  #inUse = 0;

  /** Audio memory that holds nothing of any other call. */
  take(): CallAudio {
    this.#inUse += 1;
    const spare = this.#spare.pop();
    if (spare === undefined) return makeAudio();
    renewTape(spare.uplink);
    renewRing(spare.downlink);
    return spare;
  }

  /** The call is over and nobody reads or writes its audio any more. */
  giveBack(audio: CallAudio): void {
    this.#inUse -= 1;
    this.#spare.push(audio);
  }

  /** The call is over, but a thread may still hold its audio (it could not be told): never used again. */
  abandon(): void {
    this.#inUse -= 1;
  }

  get inUse(): number {
    return this.#inUse;
  }

  /** Kept for later calls; never more than were in use at once. */
  get spare(): number {
    return this.#spare.length;
  }
}

function makeAudio(): CallAudio {
  return {
    uplink: createTape({ rateHz: LEG_RATE_HZ, capacitySamples: UPLINK_CAPACITY_SAMPLES }),
    downlink: createRing({ rateHz: LEG_RATE_HZ, capacitySamples: DOWNLINK_CAPACITY_SAMPLES }),
  };
}
