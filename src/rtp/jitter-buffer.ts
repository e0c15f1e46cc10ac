/**
 * Jitter buffer: puts RTP packets back in order and says, whenever audio is wanted, what comes next.
 * Thread: media. Hot: `insert` and `take` run 50 times a second per call; they do not allocate or throw.
 * Source: RFC 3550 A.1 (MAX_MISORDER 100, MIN_SEQUENTIAL 2). Walk: steps 3 and 5. Pure.
 *
 * Sequence numbers decide order and loss; timestamps decide how much time a loss or a pause stands for. A packet that
 * is missing while later ones are here is lost. When nothing is here the sender may be pausing (DTX) or the network
 * stalling: silence already played meanwhile is the *debt*, and is not played a second time for the missing packets.
 */
import { DelayEstimator } from './delay-estimator.ts';
import {
  eraseSlots,
  type JitterSlot,
  type JitterSlots,
  jitterSlots,
  MAX_PAYLOAD_BYTES,
  WINDOW_PACKETS,
} from './jitter-slots.ts';
import type { RtpPacketView } from './packet.ts';
import { addToSequence, addToTimestamp, sequenceDistance, timestampDistance } from './sequence-number.ts';

/** A sequence step further than this, either way, is a restarted sender (RFC 3550 A.1, MAX_MISORDER). */
const JUMP_PACKETS = 100;
/**
 * A stream's first packet is not played before it is this old: else the tick that it came just in time for would set
 * the delay of the whole call, and the next packet that is a little late would be concealed.
 */
const START_MARGIN_MS = 5;
/** Ticks over which the buffer must stay above its target before anything is taken out: one second. */
const FULLNESS_WINDOW_TICKS = 50;

export type InsertVerdict = 'ok' | 'late' | 'duplicate' | 'beyondWindow' | 'jump' | 'tooLarge';

/**
 * packet: `takenPayload` holds it. lost: conceal `takenSamples`. gap: the sender was silent for `takenSamples`.
 * empty: nothing to play now.
 */
export type TakeVerdict = 'packet' | 'lost' | 'gap' | 'empty';

export interface JitterBufferOptions {
  readonly clockRateHz: number;
  /** Playout starts when this much is buffered; the target adapts between the two, ms. */
  readonly targetMinMs: number;
  readonly targetMaxMs: number;
  /** More than this is never held; the oldest goes, ms. */
  readonly capMs: number;
}

export class JitterBuffer {
  readonly #slots: JitterSlots;
  readonly #estimator: DelayEstimator;
  readonly #samplesPerMs: number;
  readonly #targetMinSamples: number;
  readonly #targetMaxSamples: number;
  readonly #capSamples: number;
  #hasStarted = false;
  #hasTaken = false;
  #isFilling = true;
  /** Sequence number that is played next, and how many packets from there on may be here. */
  #cursor = 0;
  #spanPackets = 0;
  #silentPackets = 0;
  #packetSamples = 0;
  #expectedTimestamp = 0;
  #debtSamples = 0;
  #waitedSamples = 0;
  #jumpSequence = -1;
  #lowestSamples = Number.MAX_SAFE_INTEGER;
  #ticksWatched = 0;
  #isTooFull = false;
  #tickMs = 0;
  #laterSamples = 0;
  #takenSlot: JitterSlot;
  #takenSamples = 0;
  #lostPackets = 0;
  #overflowPackets = 0;
  #resyncs = 0;

  /** @param slots of a buffer that is not used any more; what they hold is erased */
  constructor(options: JitterBufferOptions, slots: JitterSlots = jitterSlots()) {
    eraseSlots(slots);
    this.#slots = slots;
    this.#takenSlot = this.#slots[0]!;
    this.#estimator = new DelayEstimator(options.clockRateHz);
    this.#samplesPerMs = options.clockRateHz / 1000;
    this.#targetMinSamples = options.targetMinMs * this.#samplesPerMs;
    this.#targetMaxSamples = options.targetMaxMs * this.#samplesPerMs;
    this.#capSamples = options.capMs * this.#samplesPerMs;
    this.#packetSamples = 20 * this.#samplesPerMs;
  }

  /** Payload of the packet that `take` gave last; valid until the next `insert`. */
  get takenPayload(): Uint8Array {
    return this.#takenSlot.payload;
  }

  /** When that packet came. */
  get takenArrivalMs(): number {
    return this.#takenSlot.arrivalMs;
  }

  /** RTP timestamp of its first sample. */
  get takenTimestamp(): number {
    return this.#takenSlot.timestamp;
  }

  get takenPayloadBytes(): number {
    return this.#takenSlot.payloadBytes;
  }

  /** What the last 'lost', 'gap' or 'packet' stands for. */
  get takenSamples(): number {
    return this.#takenSamples;
  }

  /** Packets given up as lost at playout time; some of them may still have arrived late. */
  get lostPackets(): number {
    return this.#lostPackets;
  }

  /** Packets thrown out because more than the cap was buffered. */
  get overflowPackets(): number {
    return this.#overflowPackets;
  }

  get resyncs(): number {
    return this.#resyncs;
  }

  /** Audio waiting, counting the places of missing packets. */
  get levelSamples(): number {
    return Math.max(0, this.#spanPackets - this.#silentPackets) * this.#packetSamples;
  }

  /** What should be waiting when playout starts: whole packets, adapted to the arrival jitter. */
  get targetSamples(): number {
    const spreadPackets = Math.round((this.#estimator.spreadMs * this.#samplesPerMs) / this.#packetSamples);
    const wanted = (1 + spreadPackets) * this.#packetSamples;
    return Math.min(this.#targetMaxSamples, Math.max(this.#targetMinSamples, wanted));
  }

  /** True after a second well above target: the next silent packet may be left out to give the delay back. */
  get isTooFull(): boolean {
    return this.#isTooFull;
  }

  /** Forgets the stream, keeps the counters; for a new SSRC. */
  reset(): void {
    for (const slot of this.#slots) {
      slot.isFilled = false;
      slot.sequence = -1;
    }
    this.#hasStarted = false;
    this.#estimator.reset();
    this.#jumpSequence = -1;
    this.#restartWatch();
  }

  /**
   * Keeps a copy of one packet's payload.
   * @param durationSamples of its audio; 0 when it holds a place in the sequence but no audio
   * @throws never; anything but 'ok' was dropped for that reason
   */
  insert(view: RtpPacketView, durationSamples: number, arrivalMs: number): InsertVerdict {
    if (view.payloadBytes > MAX_PAYLOAD_BYTES) return 'tooLarge';
    if (!this.#hasStarted) this.#start(view.sequence);
    const ahead = sequenceDistance(this.#cursor, view.sequence);
    if (Math.abs(ahead) > JUMP_PACKETS) return this.#considerJump(view, durationSamples, arrivalMs);
    this.#jumpSequence = -1;
    const slot = this.#slots[view.sequence & (WINDOW_PACKETS - 1)]!;
    if (slot.sequence === view.sequence) return 'duplicate';
    if (durationSamples > 0) this.#estimator.note(view.timestamp, arrivalMs);
    if (!this.#makePlace(ahead, view.sequence)) return ahead < 0 ? 'late' : 'beyondWindow';
    this.#fill(slot, view, durationSamples);
    slot.arrivalMs = arrivalMs;
    return 'ok';
  }

  /**
   * Called once per tick before `take`; notices a delay longer than needed.
   * @param pendingSamples taken before and not played yet
   * @param nowMs the clock of the arrival times
   * @param laterSamples of further ticks that are made up for at this moment: they may hold more than the cap
   * @throws never
   */
  beginTick(pendingSamples: number, nowMs: number, laterSamples: number): void {
    this.#tickMs = nowMs;
    this.#laterSamples = laterSamples;
    const level = this.levelSamples + pendingSamples;
    if (level < this.#lowestSamples) this.#lowestSamples = level;
    this.#ticksWatched += 1;
    if (this.#ticksWatched < FULLNESS_WINDOW_TICKS) return;
    this.#isTooFull = this.#lowestSamples - this.#packetSamples >= this.targetSamples;
    this.#lowestSamples = Number.MAX_SAFE_INTEGER;
    this.#ticksWatched = 0;
  }

  /** The player left out the packet it just took; watching starts again. */
  leftOut(): void {
    this.#restartWatch();
  }

  /**
   * What comes next. Called until the tick has its samples or the answer is 'empty'.
   * @param wantedSamples what the tick still needs; played as silence when the answer is 'empty'
   * @throws never
   */
  take(wantedSamples: number): TakeVerdict {
    if (!this.#hasStarted || this.#mustWait(wantedSamples)) return this.#noteEmpty(wantedSamples);
    this.#isFilling = false;
    this.#trimToCap();
    while (this.#spanPackets > 0) {
      const slot = this.#slots[this.#cursor & (WINDOW_PACKETS - 1)]!;
      if (!this.#holds(slot)) {
        if (this.#passLost()) return 'lost';
      } else if (slot.durationSamples === 0) {
        this.#release(slot);
      } else {
        return this.#takeAudio(slot);
      }
    }
    this.#isFilling = true;
    return this.#noteEmpty(wantedSamples);
  }

  #start(sequence: number): void {
    this.#hasStarted = true;
    this.#hasTaken = false;
    this.#isFilling = true;
    this.#cursor = sequence;
    this.#spanPackets = 0;
    this.#silentPackets = 0;
    this.#debtSamples = 0;
    this.#waitedSamples = 0;
  }

  // RFC 3550 A.1: after a large jump two packets in sequence are needed before the stream is believed.
  #considerJump(view: RtpPacketView, durationSamples: number, arrivalMs: number): InsertVerdict {
    if (view.sequence !== this.#jumpSequence) {
      this.#jumpSequence = addToSequence(view.sequence, 1);
      return 'jump';
    }
    this.reset();
    this.#resyncs += 1;
    return this.insert(view, durationSamples, arrivalMs);
  }

  #makePlace(ahead: number, sequence: number): boolean {
    if (ahead < 0) {
      // The first packets of a stream may arrive out of order too; until one was played the start can move back.
      if (this.#hasTaken || this.#spanPackets - ahead > WINDOW_PACKETS) return false;
      this.#cursor = sequence;
      this.#spanPackets -= ahead;
      return true;
    }
    if (ahead < WINDOW_PACKETS) {
      this.#spanPackets = Math.max(this.#spanPackets, ahead + 1);
      return true;
    }
    if (this.#spanPackets > 0) return false;
    this.#lostPackets += ahead;
    this.#cursor = sequence;
    this.#spanPackets = 1;
    return true;
  }

  #fill(slot: JitterSlot, view: RtpPacketView, durationSamples: number): void {
    slot.sequence = view.sequence;
    slot.isFilled = true;
    slot.timestamp = view.timestamp;
    slot.durationSamples = durationSamples;
    slot.payloadBytes = view.payloadBytes;
    for (let index = 0; index < slot.payloadBytes; index += 1) {
      slot.payload[index] = view.bytes[view.payloadStart + index]!;
    }
    if (durationSamples > 0) this.#packetSamples = durationSamples;
    else this.#silentPackets += 1;
  }

  #mustWait(wantedSamples: number): boolean {
    if (!this.#isFilling) return false;
    if (this.levelSamples >= this.targetSamples && (this.#hasTaken || this.#isRipe())) return false;
    if (this.levelSamples > 0) this.#waitedSamples += wantedSamples;
    return this.#waitedSamples <= this.targetSamples;
  }

  #isRipe(): boolean {
    const slot = this.#slots[this.#cursor & (WINDOW_PACKETS - 1)]!;
    return !this.#holds(slot) || this.#tickMs - slot.arrivalMs >= START_MARGIN_MS;
  }

  #noteEmpty(wantedSamples: number): TakeVerdict {
    this.#debtSamples += wantedSamples;
    return 'empty';
  }

  #holds(slot: JitterSlot): boolean {
    return slot.isFilled && slot.sequence === this.#cursor;
  }

  #takeAudio(slot: JitterSlot): TakeVerdict {
    const silentSamples = this.#hasTaken ? this.#samplesBefore(slot) : 0;
    this.#debtSamples = 0;
    this.#waitedSamples = 0;
    if (silentSamples > 0 && silentSamples <= this.#capSamples) {
      this.#expectedTimestamp = slot.timestamp;
      this.#takenSamples = silentSamples;
      return 'gap';
    }
    this.#hasTaken = true;
    this.#expectedTimestamp = addToTimestamp(slot.timestamp, slot.durationSamples);
    this.#takenSlot = slot;
    this.#takenSamples = slot.durationSamples;
    this.#release(slot);
    return 'packet';
  }

  #samplesBefore(slot: JitterSlot): number {
    return timestampDistance(this.#expectedTimestamp, slot.timestamp) - this.#debtSamples;
  }

  // Counts the packet at the cursor as lost. True when there is time to conceal for it: not when that time was
  // already played as silence, nor when the missing packet held no audio.
  #passLost(): boolean {
    this.#lostPackets += 1;
    this.#moveOn();
    const next = this.#nextAudio();
    if (next === undefined || !this.#hasTaken) return false;
    const samples = Math.min(this.#samplesBefore(next), this.#packetSamples);
    if (samples <= 0) return false;
    this.#expectedTimestamp = addToTimestamp(this.#expectedTimestamp, samples);
    this.#takenSamples = samples;
    return true;
  }

  #nextAudio(): JitterSlot | undefined {
    for (let ahead = 0; ahead < this.#spanPackets; ahead += 1) {
      const sequence = addToSequence(this.#cursor, ahead);
      const slot = this.#slots[sequence & (WINDOW_PACKETS - 1)]!;
      if (slot.isFilled && slot.sequence === sequence && slot.durationSamples > 0) return slot;
    }
    return undefined;
  }

  #trimToCap(): void {
    while (this.levelSamples > this.#capSamples + this.#laterSamples) {
      const slot = this.#slots[this.#cursor & (WINDOW_PACKETS - 1)]!;
      if (this.#holds(slot)) {
        this.#overflowPackets += 1;
        this.#expectedTimestamp = addToTimestamp(slot.timestamp, slot.durationSamples);
        this.#release(slot);
      } else {
        this.#lostPackets += 1;
        this.#expectedTimestamp = addToTimestamp(this.#expectedTimestamp, this.#packetSamples);
        this.#moveOn();
      }
    }
  }

  #release(slot: JitterSlot): void {
    slot.isFilled = false;
    if (slot.durationSamples === 0) this.#silentPackets -= 1;
    this.#moveOn();
  }

  #moveOn(): void {
    this.#cursor = addToSequence(this.#cursor, 1);
    this.#spanPackets -= 1;
  }

  #restartWatch(): void {
    this.#isTooFull = false;
    this.#lowestSamples = Number.MAX_SAFE_INTEGER;
    this.#ticksWatched = 0;
  }
}
