/** Random weights as bytes, and the made-up vocabulary. */
import { describe, expect, it } from 'vitest';
import { makeBytePairs } from '../../../src/models/synthesis/byte-pairs.ts';
import {
  bytesOf,
  fillFrom,
  type PatternBytes,
  RandomWeights,
  type WeightType,
} from '../../../src/models/synthesis/random-weights.ts';

function allBytes(tensor: PatternBytes, pieceBytes = tensor.bytes): Uint8Array {
  const all = new Uint8Array(tensor.bytes);
  for (let at = 0; at < all.length; at += pieceBytes) fillFrom(tensor, at, all.subarray(at, at + pieceBytes));
  return all;
}

function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

describe('random weights', () => {
  it('are the same for the same seed and name, and only then', () => {
    const of = (seed: number, name: string) =>
      Buffer.from(allBytes(new RandomWeights(seed).tensor(name, 'fp32', 64, 1))).toString('hex');
    expect(of(7, 'a')).toBe(of(7, 'a'));
    expect(of(7, 'b')).not.toBe(of(7, 'a'));
    expect(of(8, 'a')).not.toBe(of(7, 'a'));
  });

  it('have the spread that was asked for', () => {
    const values = floatsOf(allBytes(new RandomWeights(3).tensor('w', 'fp32', 200_000, 0.25)));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.005);
    expect(Math.sqrt(variance)).toBeCloseTo(0.25, 2);
  });

  it('do not depend on how many bytes are made at once, also past the end of the pattern', () => {
    const tensor = new RandomWeights(1).tensor('long', 'fp32', 1_200_000, 1);
    const whole = allBytes(tensor);
    expect(Buffer.compare(whole, allBytes(tensor, 1_000_003))).toBe(0);
    expect(whole.subarray(-4).some((byte) => byte !== 0)).toBe(true);
  });

  it('carry their patches, also across the border of two pieces', () => {
    const plain = new RandomWeights(1).tensor('w', 'fp32', 16, 1);
    const patch = { atByte: 6, bytes: Uint8Array.of(1, 2, 3, 4) };
    const patched = { ...plain, patches: [patch] };
    const expected = allBytes(plain);
    expected.set(patch.bytes, patch.atByte);
    for (const pieceBytes of [64, 8, 7, 1]) expect(allBytes(patched, pieceBytes)).toEqual(expected);
  });

  it.each<[WeightType, number]>([
    ['fp32', 128],
    ['fp16', 64],
    ['q8_0', 34],
    ['q4_0', 18],
  ])('of 32 values as %s are %d bytes', (type, bytes) => {
    expect(bytesOf(type, 32)).toBe(bytes);
    expect(new RandomWeights(1).tensor('w', type, 64, 1).bytes).toBe(2 * bytes);
  });

  it('as blocks have one finite step in front of each 32 values', () => {
    const tensor = new RandomWeights(5).tensor('w', 'q8_0', 32 * 50, 0.02);
    const all = allBytes(tensor);
    for (let at = 0; at < all.length; at += 34) {
      const [step] = new Float16Array(all.slice(at, at + 2).buffer);
      expect(step).toBeCloseTo(0.02 / 73.3, 6);
    }
  });
});

describe('the made-up vocabulary', () => {
  it.each([256, 1000, 50_257, 128_000])(
    'has %d tokens, none twice, each beyond the bytes by one merge',
    (size) => {
      const { tokens, merges } = makeBytePairs(size);
      expect(tokens.length).toBe(size);
      expect(new Set(tokens).size).toBe(size);
      expect(merges.map((pair) => pair.join(''))).toEqual(tokens.slice(256));
    },
  );

  it('merges only what is there already', () => {
    const { tokens, merges } = makeBytePairs(20_000);
    const idOf = new Map(tokens.map((token, id) => [token, id]));
    merges.forEach(([one, other], rank) => {
      expect(idOf.get(one)).toBeLessThan(256 + rank);
      expect(idOf.get(other)).toBeLessThan(256 + rank);
    });
  });

  it('is not endless', () => {
    expect(() => makeBytePairs(5_000_000)).toThrow(RangeError);
  });
});
