/**
 * Which RTP timestamp stands at which place of the uplink tape: the two run alike until a packet is left out, a pause is
 * waited for or the sender starts anew. It lets both ends of a line speak of the same sample without a common clock.
 * Thread: media (`UplinkClock`), any (`timestampAfter`). Hot: `note` runs per packet; it does not allocate.
 */
import { signedDistance } from '../ring-buffers/position.ts';
import { addToTimestamp, timestampDistance } from '../rtp/sequence-number.ts';

/** From `fromSample` of the tape on, up to the next mark, timestamps count up with the samples. */
export interface UplinkMark {
  readonly fromSample: number;
  readonly timestamp: number;
}

/** Marks that are kept: far more than there are shifts within a turn's end and its reply. */
const KEPT_MARKS = 16;

export class UplinkClock {
  readonly #fromSamples = new Uint32Array(KEPT_MARKS);
  readonly #timestamps = new Uint32Array(KEPT_MARKS);
  #marks = 0;

  /** A packet's first sample goes to `sample` of the tape. */
  note(sample: number, timestamp: number): void {
    const newest = (this.#marks - 1) % KEPT_MARKS;
    if (this.#marks > 0) {
      const passedSamples = signedDistance(this.#fromSamples[newest]!, sample);
      if (timestampDistance(this.#timestamps[newest]!, timestamp) === passedSamples) return;
    }
    const next = this.#marks % KEPT_MARKS;
    this.#fromSamples[next] = sample;
    this.#timestamps[next] = timestamp;
    this.#marks += 1;
  }

  /** The kept marks, oldest first. Allocates: for events, not for packets. */
  marks(): UplinkMark[] {
    const kept = Math.min(this.#marks, KEPT_MARKS);
    return Array.from({ length: kept }, (_, index) => {
      const at = (this.#marks - kept + index) % KEPT_MARKS;
      return { fromSample: this.#fromSamples[at]!, timestamp: this.#timestamps[at]! };
    });
  }
}

/**
 * The RTP timestamp after the sample before `endSample` of the tape: where a stretch ends, even if a shift follows.
 * @param marks oldest first
 * @returns null when that sample is older than all marks
 */
export function timestampAfter(marks: readonly UplinkMark[], endSample: number): number | null {
  const mark = marks.findLast(({ fromSample }) => signedDistance(fromSample, endSample) > 0);
  if (mark === undefined) return null;
  return addToTimestamp(mark.timestamp, signedDistance(mark.fromSample, endSample));
}
