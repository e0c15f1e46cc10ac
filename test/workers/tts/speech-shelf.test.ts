/** Places in one block: random puts and gives against a plain model of which sample is whose. */
import { describe, expect, it } from 'vitest';
import { SpeechShelf } from '../../../src/workers/tts/speech-shelf.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

const LENGTH_SAMPLES = 1000;

describe('a shelf', () => {
  it('gives no sample to two, keeps what is put there and gets whole again', () => {
    const random = new SeededRandom(printedSeed('speech shelf'));
    const shelf = new SpeechShelf(2 * LENGTH_SAMPLES + 1);
    const taken = new Map<number, Int16Array>();
    for (let step = 1; step <= 5000; step++) {
      const [name] = [...taken.keys()].slice(Math.floor(random.next() * taken.size));
      if (name !== undefined && random.next() < 0.5) {
        const place = taken.get(name) as Int16Array;
        expect(place.every((sample) => sample === name)).toBe(true);
        shelf.give(place);
        taken.delete(name);
        continue;
      }
      const length = 1 + Math.floor(random.next() * 300);
      const place = shelf.put(new Int16Array(length).fill(step));
      if (place !== null) taken.set(step, place);
      else expect(longestGap([...taken.values()])).toBeLessThan(length);
    }
    for (const [name, place] of taken) {
      expect(place.every((sample) => sample === name)).toBe(true);
      shelf.give(place);
    }
    expect(shelf.put(new Int16Array(LENGTH_SAMPLES))).not.toBeNull();
  });

  it('of nothing has no place', () => {
    expect(new SpeechShelf(0).put(new Int16Array(1))).toBeNull();
    expect(new SpeechShelf(1).put(new Int16Array(1))).toBeNull();
  });
});

function longestGap(places: readonly Int16Array[]): number {
  const isTaken = new Uint8Array(LENGTH_SAMPLES);
  for (const { byteOffset, length } of places) isTaken.fill(1, byteOffset / 2, byteOffset / 2 + length);
  let [longest, run] = [0, 0];
  for (const taken of isTaken) {
    run = taken === 1 ? 0 : run + 1;
    longest = Math.max(longest, run);
  }
  return longest;
}
