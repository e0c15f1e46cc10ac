/** Noise that no training has: as loud as it says, pauses included, made of others than the speaker, repeatable. */
import { describe, expect, it } from 'vitest';
import { POST_ROLL_MS, PRE_ROLL_MS } from '../../../bench/models/telephone-line.ts';
import { type Crowd, crowdOf, heardUnder, UNSEEN_NOISES } from '../../../bench/models/unseen-noise.ts';
import { rmsDbfs } from '../../../src/audio/level.ts';
import { speechPower } from '../../../src/caller/impairment.ts';

const RATE_HZ = 8000;
const BEFORE = (PRE_ROLL_MS * RATE_HZ) / 1000;
const said = { samples: tone(500, RATE_HZ), voice: 'en-us+adam' };
/** Each voice hums at a pitch of its own. */
const crowd: Crowd = new Map(
  ['espeak adam', 'a', 'b', 'c', 'd', 'e'].map((voice, i) => [voice, [tone(700 + 300 * i, 3000)]]),
);

describe.each(UNSEEN_NOISES)('%s', (noise) => {
  it('lies 5 to 12 dB under all of the speech and depends on the seed alone', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const heard = heardUnder(noise, said, { crowd, seed });
      expect(heardUnder(noise, said, { crowd, seed })).toEqual(heard);
      expect(heard.length).toBe(said.samples.length + ((PRE_ROLL_MS + POST_ROLL_MS) * RATE_HZ) / 1000);
      const added = heard.map((sample, i) => sample - (said.samples[i - BEFORE] ?? 0));
      const noisePower = added.reduce((sum, sample) => sum + sample * sample, 0) / added.length;
      const snrDb = 10 * Math.log10(speechPower(said.samples) / noisePower);
      expect(snrDb).toBeGreaterThan(4.8);
      expect(snrDb).toBeLessThan(12.2);
      expect(rmsDbfs(heard.subarray(0, BEFORE))).toBeGreaterThan(-50);
    }
    expect(heardUnder(noise, said, { crowd, seed: 1 })).not.toEqual(
      heardUnder(noise, said, { crowd, seed: 2 }),
    );
  });
});

it('babble is of five others, never of the speaker', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const rest = heardUnder('unseenBabble', said, { crowd, seed }).subarray(0, BEFORE);
    const levels = [...crowd.values()].map(([sound]) => likeness(rest, sound!));
    expect(levels[0]).toBeLessThan(Math.min(...levels.slice(1)) / 2);
  }
});

it('a crowd has every voice once, whatever its accent', () => {
  const samples = new Int16Array(1);
  const utterance = { text: '', split: 'test', utterance: {} as never, samples } as const;
  const voices = ['en-us+adam', 'en+adam', 'flite rms'];
  const made = crowdOf(voices.map((voice) => ({ ...utterance, voice })));
  expect([...made].map(([voice, sounds]) => [voice, sounds.length])).toEqual([
    ['espeak adam', 2],
    ['flite rms', 1],
  ]);
});

function tone(hz: number, lengthSamples: number): Int16Array {
  return Int16Array.from(
    { length: lengthSamples },
    (_, i) => 8000 * Math.sin((2 * Math.PI * hz * i) / RATE_HZ),
  );
}

/** How much of a tone is in the samples, whatever its phase. */
function likeness(samples: Int16Array, sound: Int16Array): number {
  const shared = (lag: number): number =>
    samples.reduce((sum, sample, i) => sum + sample * (sound[i + lag] ?? 0), 0);
  return Math.max(...[0, 1, 2, 3, 4, 5].map((lag) => Math.abs(shared(lag))));
}
