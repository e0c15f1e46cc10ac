/** How much of a piece is made at a time. */
import { describe, expect, it } from 'vitest';
import { speechWindows, windowEndMs } from '../../../src/workers/tts/speech-windows.ts';

describe('windows', () => {
  it.each([0.19, 0.1, 0.05, 0.01])(
    'at a real-time factor of %f each is made while those before it play',
    (factor) => {
      const windows = speechWindows(factor);
      if (windows === null) throw new Error('there should be windows');
      let playedMs = windowEndMs(windows, 0);
      expect(playedMs * factor).toBeLessThan(60);
      for (let i = 0; i < 4; i++) {
        const endMs = windowEndMs(windows, playedMs);
        expect(endMs).toBeGreaterThan(2 * playedMs);
        expect((endMs - playedMs) * factor).toBeLessThan(playedMs);
        playedMs = endMs;
      }
    },
  );

  it.each([0.21, 0.5, 1, 30])(
    'an engine of %f makes all at once: a late part would be a gap in a word',
    (factor) => {
      expect(speechWindows(factor)).toBeNull();
    },
  );
});
