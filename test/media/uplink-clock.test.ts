/** Where samples of the tape are on the wire: across left-out packets, pauses, restarts and wraps. */
import { describe, expect, test } from 'vitest';
import { placeBefore, UplinkClock } from '../../src/media/uplink-clock.ts';

const FRAME_SAMPLES = 160;

interface Place {
  readonly sample: number;
  readonly timestamp: number;
}

/** Notes `frames` packets from `sample` and `timestamp` on, one each 20 ms, held 1 ms longer. @returns where the next goes */
function run(clock: UplinkClock, frames: number, { sample, timestamp }: Place): Place {
  const at = (first: number, frame: number): number => (first + frame * FRAME_SAMPLES) >>> 0;
  for (let frame = 0; frame < frames; frame += 1)
    clock.note(at(sample, frame), at(timestamp, frame), 19 * frame, 20 * frame);
  return { sample: at(sample, frames), timestamp: at(timestamp, frames) };
}

describe('the clock of an uplink', () => {
  test('knows nothing before the first packet, and nothing of samples before it', () => {
    const clock = new UplinkClock();
    expect(placeBefore(clock.recent(), 100)).toBeNull();
    clock.note(320, 9000, 93, 100);
    expect(placeBefore(clock.recent(), 320)).toBeNull();
    expect(placeBefore(clock.recent(), 321)).toEqual({
      timestamp: 9001,
      heldMs: 7,
      writtenAtMs: 100,
    });
  });

  test('tells of each sample its timestamp, and what its own packet was held for', () => {
    const clock = new UplinkClock();
    run(clock, 100, { sample: 0, timestamp: 70_000 });
    expect(placeBefore(clock.recent(), 1600)).toEqual({
      timestamp: 71_600,
      heldMs: 9,
      writtenAtMs: 180,
    });
    expect(placeBefore(clock.recent(), 1601)).toEqual({
      timestamp: 71_601,
      heldMs: 10,
      writtenAtMs: 200,
    });
  });

  test('goes on through samples that no packet brought', () => {
    const clock = new UplinkClock();
    const { sample, timestamp } = run(clock, 3, { sample: 0, timestamp: 1000 });
    expect(placeBefore(clock.recent(), sample + 400)).toMatchObject({
      timestamp: timestamp + 400,
      writtenAtMs: 40 + 60,
    });
  });

  test('a stretch ends where its last sample was, whatever is left out behind it', () => {
    const clock = new UplinkClock();
    const { sample, timestamp } = run(clock, 3, { sample: 0, timestamp: 1000 });
    run(clock, 3, { sample, timestamp: timestamp + FRAME_SAMPLES }); // one packet was left out
    expect(placeBefore(clock.recent(), sample)?.timestamp).toBe(timestamp);
    expect(placeBefore(clock.recent(), sample + 1)?.timestamp).toBe(timestamp + FRAME_SAMPLES + 1);
  });

  test('follows both counters over their wraps', () => {
    const clock = new UplinkClock();
    const near = 2 ** 32 - FRAME_SAMPLES;
    const { sample } = run(clock, 4, { sample: near, timestamp: near - FRAME_SAMPLES });
    expect(placeBefore(clock.recent(), sample)?.timestamp).toBe(2 * FRAME_SAMPLES);
    expect(placeBefore(clock.recent(), near)).toBeNull();
  });

  test('forgets packets of more than 5 s ago, and says so', () => {
    const clock = new UplinkClock();
    const { sample, timestamp } = run(clock, 1000, { sample: 0, timestamp: 0 });
    expect(clock.recent().timestamps).toHaveLength(256);
    expect(placeBefore(clock.recent(), sample - 257 * FRAME_SAMPLES)).toBeNull();
    expect(placeBefore(clock.recent(), sample)?.timestamp).toBe(timestamp);
  });
});
