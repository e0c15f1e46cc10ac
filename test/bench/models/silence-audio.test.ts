/** The sounds without speech: as long as asked for, never nothing, the same for the same seed. */
import { describe, expect, it } from 'vitest';
import { clipOf, SILENCE_KINDS, silentClips } from '../../../bench/models/silence-audio.ts';
import { peak } from '../../../src/audio/level.ts';
import { seededRandom } from '../../../src/caller/seeded-random.ts';

const RATE_HZ = 8000;

describe('silent clips', () => {
  it('fill the time with clips of 1 to 11 s, of every kind', () => {
    const clips = silentClips(180, 5);
    expect(clips.reduce((sum, { samples }) => sum + samples.length, 0)).toBe(180 * RATE_HZ);
    for (const { samples } of clips) {
      expect(samples.length).toBeGreaterThanOrEqual(RATE_HZ);
      expect(samples.length).toBeLessThan(11 * RATE_HZ);
    }
    expect(new Set(clips.map(({ kind }) => kind))).toEqual(new Set(SILENCE_KINDS));
  });

  it('depend on the seed alone', () => {
    expect(silentClips(20, 7)).toEqual(silentClips(20, 7));
    expect(silentClips(20, 7)).not.toEqual(silentClips(20, 8));
  });

  it.each(SILENCE_KINDS)('%s has the level that it says', (kind) => {
    const { samples, peakDbfs } = clipOf(kind, 3 * RATE_HZ, seededRandom(11));
    const heard = 20 * Math.log10(Math.max(1, peak(samples)) / 32_768);
    if (kind === 'silence' || kind === 'idle') expect(heard).toBeLessThan(-70);
    else expect(Math.abs(heard - peakDbfs)).toBeLessThan(2);
  });
});
