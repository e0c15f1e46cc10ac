/** What the caller heard and when, from frames that arrive in any order. */
import { describe, expect, it } from 'vitest';
import { HeardLine } from '../../src/caller/heard-line.ts';
import { silence, tone } from './tones.ts';

const FRAME_MS = 20;
const FRAME_SAMPLES = 160;

/** A line of frames, one per 20 ms from 1000 ms on: 'x' is voiced, '.' is silent. */
function lineOf(pattern: string): HeardLine {
  const line = new HeardLine();
  for (const [i, mark] of [...pattern].entries()) {
    line.add(mark === 'x' ? tone(FRAME_MS) : silence(FRAME_MS), i * FRAME_SAMPLES, 1000 + i * FRAME_MS);
  }
  return line;
}

describe('heard line', () => {
  it('knows when the first voiced frame since a moment arrived', () => {
    const line = lineOf('..xx..x');
    expect(line.firstVoicedAtMs(0)).toBe(1040);
    expect(line.firstVoicedAtMs(1041)).toBe(1060);
    expect(line.firstVoicedAtMs(1061)).toBe(1120);
    expect(line.firstVoicedAtMs(1121)).toBeNull();
  });

  it('knows the last voiced frame of a stretch', () => {
    const line = lineOf('..xx..x');
    expect(line.lastVoicedAtMs(0)).toBe(1120);
    expect(line.lastVoicedAtMs(0, 1120)).toBe(1060);
    expect(line.lastVoicedAtMs(1061, 1120)).toBeNull();
  });

  it('finds where a silence that is long enough began', () => {
    const line = lineOf('xx.xx......x');
    expect(line.silenceStartMs(0, 60)).toBe(1100);
    expect(line.silenceStartMs(0, 20)).toBe(1100);
    expect(line.silenceStartMs(0, 0)).toBe(1040);
    expect(line.silenceStartMs(0, 200)).toBeNull();
    expect(line.silenceStartMs(1140, 40)).toBe(1140);
  });

  it('takes quiet noise for silence', () => {
    const line = new HeardLine();
    line.add(tone(FRAME_MS, 40), 0, 1000);
    expect(line.firstVoicedAtMs(0)).toBeNull();
  });

  it('keeps samples at their place, whatever order they came in, gaps silent', () => {
    const line = new HeardLine();
    line.add(tone(FRAME_MS), 3 * FRAME_SAMPLES, 1060);
    line.add(tone(FRAME_MS), 0, 1070);
    expect(line.samples.length).toBe(4 * FRAME_SAMPLES);
    expect(line.samples.subarray(FRAME_SAMPLES, 3 * FRAME_SAMPLES)).toEqual(silence(40));
    expect(line.samples.subarray(3 * FRAME_SAMPLES)).toEqual(tone(FRAME_MS));
  });

  it('slices by arrival, as a copy', () => {
    const line = lineOf('.xx.');
    const slice = line.slice(1020, 1060);
    expect(slice.length).toBe(2 * FRAME_SAMPLES);
    slice.fill(0);
    expect(line.slice(1020, 1060)).not.toEqual(slice);
    expect(line.slice(5000, 6000).length).toBe(0);
  });

  it('grows beyond a minute, and ignores what lies before its start or absurdly far ahead', () => {
    const line = new HeardLine();
    line.add(tone(FRAME_MS), 59 * 8000, 1000);
    line.add(tone(FRAME_MS), 61 * 8000, 1020);
    expect(line.samples.length).toBe(61 * 8000 + FRAME_SAMPLES);
    line.add(tone(FRAME_MS), -1, 1040);
    line.add(tone(FRAME_MS), 2 ** 32 - FRAME_SAMPLES, 1060);
    expect(line.samples.length).toBe(61 * 8000 + FRAME_SAMPLES);
  });
});
