/**
 * Telephone events (DTMF digits in RTP): receiver and encoder.
 * Thread: media (receiver), built-in caller (encoder). Hot: `receive` and `expire` do not allocate. Pure.
 * Source: RFC 4733 section 2.3 (payload), 2.5.1 (sender), 2.5.2 (receiver).
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |     event     |E|R| volume    |          duration             |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
import { readUint16 } from './packet.ts';
import { addToTimestamp, timestampDistance } from './sequence-number.ts';

export const DTMF_PAYLOAD_BYTES = 4;
const DIGITS = '0123456789*#ABCD';
/** An event without news for this long has ended, its end packets being lost: two and a half update intervals of 50 ms. */
const LOST_END_MS = 120;
const LONGEST_DURATION = 0xffff;

export type DtmfVerdict = 'ok' | 'repeated' | 'tooShort' | 'unknownEvent';

/** The receiving half of one telephone-event stream. At most one digit is ready after each call. */
export class DtmfReceiver {
  readonly #clockRateHz: number;
  #event = -1;
  #startTimestamp = 0;
  /** Units of segments already closed: a press longer than 0xffff units comes in several (RFC 4733 2.5.1.3). */
  #segmentUnits = 0;
  #durationUnits = 0;
  #lastNewsMs = 0;
  #hasSeenAny = false;
  #lastFinishedTimestamp = 0;
  #readyDigit = '';
  #readyDurationMs = 0;

  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz;
  }

  /** How long the digit that was given last was held. */
  get durationMs(): number {
    return this.#readyDurationMs;
  }

  /**
   * Takes one telephone-event payload out of `bytes[start, end)`.
   * @throws never; 'ok' and 'repeated' were understood, the others dropped for that reason
   */
  receive(bytes: Uint8Array, start: number, end: number, timestamp: number, arrivalMs: number): DtmfVerdict {
    if (end - start < DTMF_PAYLOAD_BYTES) return 'tooShort';
    const event = bytes[start]!;
    if (event >= DIGITS.length) return 'unknownEvent';
    if (this.#isOld(timestamp)) return 'repeated';
    const isNew = this.#event < 0 || timestamp !== this.#startTimestamp;
    if (isNew) this.#begin(event, timestamp);
    this.#lastNewsMs = arrivalMs;
    this.#durationUnits = Math.max(this.#durationUnits, readUint16(bytes, start + 2));
    if ((bytes[start + 1]! & 0x80) !== 0) this.#finish();
    return isNew ? 'ok' : 'repeated';
  }

  /** Ends an event whose end packets were all lost. Call it once per tick. @throws never */
  expire(nowMs: number): void {
    if (this.#event >= 0 && nowMs - this.#lastNewsMs >= LOST_END_MS) this.#finish();
  }

  /** The sender starts anew and its timestamps are of another series; a press under way has ended. @throws never */
  restart(): void {
    if (this.#event >= 0) this.#finish();
    this.#hasSeenAny = false;
  }

  /** The digit that just ended, once; '' when there is none. */
  takeDigit(): string {
    const digit = this.#readyDigit;
    this.#readyDigit = '';
    return digit;
  }

  #isOld(timestamp: number): boolean {
    if (this.#event >= 0 && timestampDistance(this.#startTimestamp, timestamp) < 0) return true;
    return this.#hasSeenAny && timestampDistance(this.#lastFinishedTimestamp, timestamp) <= 0;
  }

  #begin(event: number, timestamp: number): void {
    const isContinued =
      this.#event === event &&
      this.#durationUnits === LONGEST_DURATION &&
      timestamp === addToTimestamp(this.#startTimestamp, LONGEST_DURATION);
    if (isContinued) {
      this.#segmentUnits += LONGEST_DURATION;
    } else {
      if (this.#event >= 0) this.#finish();
      this.#segmentUnits = 0;
    }
    this.#event = event;
    this.#startTimestamp = timestamp;
    this.#durationUnits = 0;
  }

  #finish(): void {
    this.#readyDigit = DIGITS[this.#event]!;
    this.#readyDurationMs = ((this.#segmentUnits + this.#durationUnits) / this.#clockRateHz) * 1000;
    this.#lastFinishedTimestamp = this.#startTimestamp;
    this.#hasSeenAny = true;
    this.#event = -1;
  }
}

/** One packet of a press: all carry the timestamp of the press's start (RFC 4733 2.5.1.2). */
export interface DtmfPacketContent {
  readonly digit: string;
  readonly isEnd: boolean;
  readonly durationUnits: number;
}

/** Whether `digit` is one of 0-9 * # A-D. */
export function isDtmfDigit(digit: string): boolean {
  return digit.length === 1 && DIGITS.includes(digit);
}

/**
 * Writes one telephone-event payload at `offset`; the sender repeats the end packet three times.
 * @throws RangeError for anything but 0-9 * # A-D
 */
export function writeDtmfPayload(content: DtmfPacketContent, target: Uint8Array, offset: number): void {
  if (!isDtmfDigit(content.digit)) throw new RangeError(`not a DTMF digit: ${JSON.stringify(content.digit)}`);
  const volumeMinusDbm0 = 10;
  const duration = Math.min(LONGEST_DURATION, content.durationUnits);
  target[offset] = DIGITS.indexOf(content.digit);
  target[offset + 1] = (content.isEnd ? 0x80 : 0) | volumeMinusDbm0;
  target[offset + 2] = duration >>> 8;
  target[offset + 3] = duration;
}

/**
 * The packets of one press, one per 20 ms, the end packet three times in a row (RFC 4733 2.5.1.4).
 * @param clockRateHz of the telephone-event payload type
 */
export function dtmfPress(digit: string, durationMs: number, clockRateHz: number): DtmfPacketContent[] {
  const stepUnits = clockRateHz / 50;
  const totalUnits = Math.max(stepUnits, Math.round((durationMs * clockRateHz) / 1000));
  const packets: DtmfPacketContent[] = [];
  for (let units = stepUnits; units < totalUnits; units += stepUnits) {
    packets.push({ digit, isEnd: false, durationUnits: units });
  }
  const end = { digit, isEnd: true, durationUnits: totalUnits };
  return [...packets, end, end, end];
}
