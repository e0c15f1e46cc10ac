/** The RTP timestamps of tape samples: across left-out packets, pauses, restarts and wraps. */
import { describe, expect, test } from 'vitest';
import { timestampAfter, UplinkClock } from '../../src/media/uplink-clock.ts';

const FRAME_SAMPLES = 160;

/** Notes `frames` frames from `sample` and `timestamp` on. @returns where the next ones go */
function run(
  clock: UplinkClock,
  frames: number,
  { sample, timestamp }: { readonly sample: number; readonly timestamp: number },
): { sample: number; timestamp: number } {
  for (let frame = 0; frame < frames; frame += 1)
    clock.note((sample + frame * FRAME_SAMPLES) >>> 0, (timestamp + frame * FRAME_SAMPLES) >>> 0);
  const passed = frames * FRAME_SAMPLES;
  return { sample: (sample + passed) >>> 0, timestamp: (timestamp + passed) >>> 0 };
}

describe('the clock of an uplink', () => {
  test('knows nothing before the first packet, and nothing of samples before it', () => {
    const clock = new UplinkClock();
    expect(timestampAfter(clock.marks(), 100)).toBeNull();
    clock.note(320, 9000);
    expect(timestampAfter(clock.marks(), 320)).toBeNull();
    expect(timestampAfter(clock.marks(), 321)).toBe(9001);
  });

  test('is one mark while both run alike', () => {
    const clock = new UplinkClock();
    run(clock, 500, { sample: 0, timestamp: 70_000 });
    expect(clock.marks()).toEqual([{ fromSample: 0, timestamp: 70_000 }]);
    expect(timestampAfter(clock.marks(), 16_000)).toBe(86_000);
  });

  test('a stretch ends where its last sample was, whatever is left out behind it', () => {
    const clock = new UplinkClock();
    const { sample, timestamp } = run(clock, 3, { sample: 0, timestamp: 1000 });
    run(clock, 3, { sample, timestamp: timestamp + FRAME_SAMPLES }); // one packet was left out
    expect(timestampAfter(clock.marks(), sample)).toBe(1000 + 3 * FRAME_SAMPLES);
    expect(timestampAfter(clock.marks(), sample + 1)).toBe(1000 + 4 * FRAME_SAMPLES + 1);
  });

  test('follows both counters over their wraps', () => {
    const clock = new UplinkClock();
    const near = 2 ** 32 - FRAME_SAMPLES;
    const { sample } = run(clock, 4, { sample: near, timestamp: near - FRAME_SAMPLES });
    expect(clock.marks()).toHaveLength(1);
    expect(timestampAfter(clock.marks(), sample)).toBe(2 * FRAME_SAMPLES);
  });

  test('forgets the oldest shifts, and says so', () => {
    const clock = new UplinkClock();
    for (let shift = 0; shift < 40; shift += 1) clock.note(shift * FRAME_SAMPLES, shift * 2 * FRAME_SAMPLES);
    expect(clock.marks()).toHaveLength(16);
    expect(timestampAfter(clock.marks(), FRAME_SAMPLES)).toBeNull();
    expect(timestampAfter(clock.marks(), 39 * FRAME_SAMPLES + 1)).toBe(78 * FRAME_SAMPLES + 1);
  });
});
