/**
 * What the built-in caller hears: every received frame in the order of the RTP clock, with its arrival time, and
 * when the other side was talking. Thread: the caller process's main thread. Pure: times are passed in.
 */
import { rmsDbfs } from '../audio/level.ts';

/** A frame above this level carries speech; our own silence is digital zero, line noise is below. */
const VOICED_DBFS = -50;
const RATE_HZ = 8000;
/** It doubles when it is full. */
const FIRST_CAPACITY_S = 16;

interface HeardFrame {
  readonly arrivedAtMs: number;
  /** Sample position on the line, 0 at the first packet. */
  readonly position: number;
  readonly lengthSamples: number;
  readonly isVoiced: boolean;
}

export class HeardLine {
  readonly #frames: HeardFrame[] = [];
  #samples = new Int16Array(RATE_HZ * FIRST_CAPACITY_S);
  #lengthSamples = 0;

  /** Adds one decoded frame. @param position samples after the first packet, by the RTP timestamp */
  add(frame: Int16Array, position: number, arrivedAtMs: number): void {
    if (position < 0 || position > this.#lengthSamples + RATE_HZ * 60) return;
    this.#ensureCapacity(position + frame.length);
    this.#samples.set(frame, position);
    this.#lengthSamples = Math.max(this.#lengthSamples, position + frame.length);
    const isVoiced = rmsDbfs(frame) > VOICED_DBFS;
    this.#frames.push({ arrivedAtMs, position, lengthSamples: frame.length, isVoiced });
  }

  /** Everything heard, 8 kHz. */
  get samples(): Int16Array {
    return this.#samples.subarray(0, this.#lengthSamples);
  }

  /** Arrival of the first voiced frame at or after `sinceMs`; null when there was none. */
  firstVoicedAtMs(sinceMs: number): number | null {
    for (let i = this.#firstAt(sinceMs); i < this.#frames.length; i++) {
      if (this.#frames[i]!.isVoiced) return this.#frames[i]!.arrivedAtMs;
    }
    return null;
  }

  /** Arrival of the last voiced frame in [sinceMs, beforeMs); null when there was none. */
  lastVoicedAtMs(sinceMs: number, beforeMs = Number.POSITIVE_INFINITY): number | null {
    const frame = this.#frames.findLast(
      ({ isVoiced, arrivedAtMs }) => isVoiced && arrivedAtMs >= sinceMs && arrivedAtMs < beforeMs,
    );
    return frame?.arrivedAtMs ?? null;
  }

  /** First silent frame after `sinceMs` that starts a silence of at least `silenceMs`; null when there is none yet. */
  silenceStartMs(sinceMs: number, silenceMs: number): number | null {
    let startedAtMs: number | null = null;
    for (let i = this.#firstAt(sinceMs); i < this.#frames.length; i++) {
      const frame = this.#frames[i]!;
      if (frame.isVoiced) startedAtMs = null;
      else startedAtMs ??= frame.arrivedAtMs;
      if (startedAtMs !== null && frame.arrivedAtMs - startedAtMs >= silenceMs) return startedAtMs;
    }
    return null;
  }

  /** The audio that arrived in [fromMs, toMs), as a copy. */
  slice(fromMs: number, toMs: number): Int16Array {
    const frames = this.#frames.slice(this.#firstAt(fromMs), this.#firstAt(toMs));
    if (frames.length === 0) return new Int16Array(0);
    const from = Math.min(...frames.map(({ position }) => position));
    const to = Math.max(...frames.map(({ position, lengthSamples }) => position + lengthSamples));
    return this.#samples.slice(from, to);
  }

  /** Index of the first frame that arrived at or after `atMs`; they stand in the order of their arrival. */
  #firstAt(atMs: number): number {
    let low = 0;
    let high = this.#frames.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#frames[middle]!.arrivedAtMs < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #ensureCapacity(lengthSamples: number): void {
    if (lengthSamples <= this.#samples.length) return;
    const grown = new Int16Array(Math.max(lengthSamples, this.#samples.length * 2));
    grown.set(this.#samples);
    this.#samples = grown;
  }
}
