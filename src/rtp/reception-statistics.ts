/**
 * Reception statistics of one remote stream: expected, lost, interarrival jitter, as a receiver report needs them.
 * Thread: media. Hot: `received` does not allocate. Source: RFC 3550 A.1, A.3, A.8. Pure.
 */
import { SEQUENCE_MODULUS, sequenceDistance, timestampDistance } from './sequence-number.ts';

/** Larger jumps are a restart of the sender, not loss (RFC 3550 A.1, MAX_DROPOUT). */
const MAX_DROPOUT_PACKETS = 3000;
const MAX_LOST_24_BIT = 0x7fffff;
const MIN_LOST_24_BIT = -0x800000;

/** The numbers of one report block, since the last call of `takeReport` where RFC 3550 says so. */
export interface ReceptionReport {
  readonly fractionLost256: number;
  readonly cumulativeLostPackets: number;
  readonly extendedHighestSequence: number;
  readonly jitterTimestampUnits: number;
}

export class ReceptionStatistics {
  readonly #clockRateHz: number;
  #hasStarted = false;
  #baseSequence = 0;
  #highestSequence = 0;
  #cycles = 0;
  #receivedPackets = 0;
  #expectedAtLastReport = 0;
  #receivedAtLastReport = 0;
  #lastArrivalUnits = 0;
  #lastTimestamp = 0;
  #jitterUnits = 0;
  /** Of the streams before this one. */
  #earlierReceivedPackets = 0;
  #earlierLostPackets = 0;

  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz;
  }

  /** A new stream, for a new SSRC or a restarted sender; only the sums over all streams go on. */
  reset(): void {
    this.#earlierReceivedPackets += this.#receivedPackets;
    this.#earlierLostPackets += this.lostPackets;
    this.#hasStarted = false;
    this.#cycles = 0;
    this.#receivedPackets = 0;
    this.#expectedAtLastReport = 0;
    this.#receivedAtLastReport = 0;
    this.#jitterUnits = 0;
  }

  get receivedPackets(): number {
    return this.#receivedPackets;
  }

  get expectedPackets(): number {
    return this.#hasStarted ? this.#extendedHighest() - this.#baseSequence + 1 : 0;
  }

  /** Expected minus received; duplicates can make it negative (RFC 3550 A.3). */
  get lostPackets(): number {
    return this.expectedPackets - this.#receivedPackets;
  }

  get receivedOfAllStreams(): number {
    return this.#earlierReceivedPackets + this.#receivedPackets;
  }

  get lostOfAllStreams(): number {
    return this.#earlierLostPackets + this.lostPackets;
  }

  get jitterMs(): number {
    return (this.#jitterUnits / this.#clockRateHz) * 1000;
  }

  /** Notes one packet of the stream. @param arrivalMs on any monotonic clock @throws never */
  received(sequence: number, timestamp: number, arrivalMs: number): void {
    const arrivalUnits = (arrivalMs * this.#clockRateHz) / 1000;
    if (!this.#hasStarted) this.#start(sequence);
    else this.#noteSequence(sequence);
    this.#receivedPackets += 1;
    this.#noteJitter(arrivalUnits, timestamp);
  }

  /** The block for the next report; starts a new interval for `fractionLost256`. */
  takeReport(): ReceptionReport {
    const expectedInterval = this.expectedPackets - this.#expectedAtLastReport;
    const lostInterval = expectedInterval - (this.#receivedPackets - this.#receivedAtLastReport);
    this.#expectedAtLastReport = this.expectedPackets;
    this.#receivedAtLastReport = this.#receivedPackets;
    const isLossy = expectedInterval > 0 && lostInterval > 0;
    return {
      fractionLost256: isLossy ? Math.min(255, Math.floor((lostInterval * 256) / expectedInterval)) : 0,
      cumulativeLostPackets: Math.max(MIN_LOST_24_BIT, Math.min(MAX_LOST_24_BIT, this.lostPackets)),
      extendedHighestSequence: this.#extendedHighest() >>> 0,
      jitterTimestampUnits: Math.floor(this.#jitterUnits),
    };
  }

  #start(sequence: number): void {
    this.#hasStarted = true;
    this.#baseSequence = sequence;
    this.#highestSequence = sequence;
    this.#receivedPackets = 0;
    this.#lastArrivalUnits = Number.NaN;
  }

  #noteSequence(sequence: number): void {
    const ahead = sequenceDistance(this.#highestSequence, sequence);
    if (Math.abs(ahead) > MAX_DROPOUT_PACKETS) {
      this.reset();
      this.#start(sequence);
    } else if (ahead > 0) {
      if (sequence < this.#highestSequence) this.#cycles += 1;
      this.#highestSequence = sequence;
    }
  }

  // A.8: D = change of relative transit time; J += (|D| - J) / 16. Packets of one frame (same timestamp) count too.
  #noteJitter(arrivalUnits: number, timestamp: number): void {
    const deviation =
      arrivalUnits - this.#lastArrivalUnits - timestampDistance(this.#lastTimestamp, timestamp);
    // NaN (first packet) and restarted timestamps (more than ten seconds off) say nothing about jitter.
    if (Math.abs(deviation) < this.#clockRateHz * 10) {
      this.#jitterUnits += (Math.abs(deviation) - this.#jitterUnits) / 16;
    }
    this.#lastArrivalUnits = arrivalUnits;
    this.#lastTimestamp = timestamp;
  }

  #extendedHighest(): number {
    return this.#cycles * SEQUENCE_MODULUS + this.#highestSequence;
  }
}
