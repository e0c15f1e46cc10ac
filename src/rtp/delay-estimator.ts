/**
 * Delay estimator: how much buffering this network path needs, from how late packets arrive.
 * Thread: media. Hot: `note` does not allocate. Pure. Idea: a forgetting histogram of relative delay and its quantile,
 * as in NetEQ. Walk: step 3.
 */
import { timestampDistance } from './sequence-number.ts';

const BUCKET_MS = 5;
const BUCKETS = 40;
/** The share of packets that must arrive in time; the rest is left to concealment. */
const QUANTILE = 0.96;
/** Packets between two looks at the histogram: about a second. */
const UPDATE_PACKETS = 50;
/** Weight kept at each look: half is forgotten in about seven seconds. */
const KEEP = 0.9;
/** The fastest packet of the last 5..10 s is the reference, so that clock drift and route changes are followed. */
const BASE_WINDOW_PACKETS = 250;
/** A relative delay further off than this is a restarted timestamp, not a slow network. */
const RESTART_MS = 10_000;

export class DelayEstimator {
  readonly #unitsPerMs: number;
  readonly #histogram = new Float64Array(BUCKETS);
  #hasStarted = false;
  #lastArrivalMs = 0;
  #lastTimestamp = 0;
  #transitMs = 0;
  #fastestMs = 0;
  #fastestBeforeMs = 0;
  #packetsInWindow = 0;
  #packetsSinceUpdate = 0;
  #spreadMs = 0;

  constructor(clockRateHz: number) {
    this.#unitsPerMs = clockRateHz / 1000;
  }

  /** Delay above the fastest packets that QUANTILE of the packets stay under, ms. 0 until known. */
  get spreadMs(): number {
    return this.#spreadMs;
  }

  /** Starts over; for a new stream. */
  reset(): void {
    this.#hasStarted = false;
    this.#histogram.fill(0);
    this.#spreadMs = 0;
  }

  /** Notes the arrival of one audio packet, late ones included. @throws never */
  note(timestamp: number, arrivalMs: number): void {
    const stepMs =
      arrivalMs - this.#lastArrivalMs - timestampDistance(this.#lastTimestamp, timestamp) / this.#unitsPerMs;
    if (!this.#hasStarted || Math.abs(stepMs) > RESTART_MS) this.#start();
    else this.#transitMs += stepMs;
    this.#lastArrivalMs = arrivalMs;
    this.#lastTimestamp = timestamp;
    this.#noteTransit();
  }

  #start(): void {
    this.#hasStarted = true;
    this.#transitMs = 0;
    this.#fastestMs = 0;
    this.#fastestBeforeMs = 0;
    this.#packetsInWindow = 0;
    this.#packetsSinceUpdate = 0;
  }

  #noteTransit(): void {
    this.#fastestMs = Math.min(this.#fastestMs, this.#transitMs);
    const excessMs = this.#transitMs - Math.min(this.#fastestMs, this.#fastestBeforeMs);
    const bucket = Math.min(BUCKETS - 1, Math.floor(excessMs / BUCKET_MS));
    this.#histogram[bucket]! += 1;
    this.#packetsInWindow += 1;
    this.#packetsSinceUpdate += 1;
    if (this.#packetsInWindow >= BASE_WINDOW_PACKETS) this.#turnWindow();
    if (this.#packetsSinceUpdate >= UPDATE_PACKETS) this.#update();
  }

  #turnWindow(): void {
    this.#fastestBeforeMs = this.#fastestMs;
    this.#fastestMs = this.#transitMs;
    this.#packetsInWindow = 0;
  }

  #update(): void {
    this.#packetsSinceUpdate = 0;
    let total = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) total += this.#histogram[bucket]!;
    let below = 0;
    let bucket = 0;
    while (bucket < BUCKETS - 1 && below + this.#histogram[bucket]! < total * QUANTILE) {
      below += this.#histogram[bucket]!;
      bucket += 1;
    }
    this.#spreadMs = bucket * BUCKET_MS;
    for (let index = 0; index < BUCKETS; index += 1) this.#histogram[index]! *= KEEP;
  }
}
