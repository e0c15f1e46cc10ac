/**
 * G.711 against the tables of the standard. The formulas here are those of the decision and output values
 * (ITU-T G.711 tables 1a/1b and 2a/2b); the code under test works on the bits instead.
 */
import { describe, expect, it } from 'vitest';
import {
  ALAW_SILENCE,
  decodeAlaw,
  decodeUlaw,
  encodeAlaw,
  encodeUlaw,
  type G711Law,
  g711Codec,
  ULAW_SILENCE,
} from '../../src/audio/g711.ts';

interface LawTable {
  /** 16-bit units per unit of the standard's tables. */
  readonly scale: number;
  /** Magnitudes from which on the quantiser answers 0, 1, 2 ... 127. */
  readonly decisions: readonly number[];
  /** What each of the 128 steps is decoded to. */
  readonly outputs: readonly number[];
  readonly codeOf: (step: number, isNegative: boolean) => number;
}

const steps = Array.from({ length: 128 }, (_, step) => ({ segment: step >> 4, within: step & 15 }));

const tables: Record<G711Law, LawTable> = {
  ulaw: {
    scale: 4,
    decisions: steps.map(({ segment, within }) => Math.max(0, 2 ** segment * (2 * within + 32) - 33)),
    outputs: steps.map(({ segment, within }) => 2 ** segment * (2 * within + 33) - 33),
    codeOf: (step, isNegative) => (isNegative ? 127 : 255) - step,
  },
  alaw: {
    scale: 8,
    decisions: steps.map(({ segment, within }) =>
      segment === 0 ? 2 * within : 2 ** segment * (within + 16),
    ),
    outputs: steps.map(({ segment, within }) =>
      segment === 0 ? 2 * within + 1 : 2 ** (segment - 1) * (2 * within + 33),
    ),
    codeOf: (step, isNegative) => (step + (isNegative ? 0 : 128)) ^ 0x55,
  },
};

const laws = ['ulaw', 'alaw'] as const;
const allSamples = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);
const allCodes = Uint8Array.from({ length: 256 }, (_, i) => i);

function encodeAll(law: G711Law): Uint8Array {
  const codes = new Uint8Array(allSamples.length);
  g711Codec(law).encode(allSamples, codes, allSamples.length);
  return codes;
}

function decodeAll(law: G711Law): Int16Array {
  const samples = new Int16Array(256);
  g711Codec(law).decode(allCodes, samples, 256);
  return samples;
}

/** The step whose decision interval holds the magnitude; negatives mirror by ones' complement (G.191). */
function expectedCode(table: LawTable, sample: number): number {
  const magnitude = Math.floor((sample < 0 ? -1 - sample : sample) / table.scale);
  let step = 0;
  while (step < 127 && magnitude >= table.decisions[step + 1]!) step++;
  return table.codeOf(step, sample < 0);
}

describe.each(laws)('G.711 %s', (law) => {
  const table = tables[law];

  it('encodes all 65,536 samples as the decision values of the standard say', () => {
    expect(encodeAll(law)).toEqual(Uint8Array.from(allSamples, (sample) => expectedCode(table, sample)));
  });

  it('decodes all 256 codes to the output values of the standard', () => {
    const expected = new Int16Array(256);
    for (let step = 0; step < 128; step++) {
      expected[table.codeOf(step, false)] = table.outputs[step]! * table.scale;
      expected[table.codeOf(step, true)] = -table.outputs[step]! * table.scale;
    }
    expect(decodeAll(law)).toEqual(expected);
  });

  it('encodes what it decoded to the same code', () => {
    const samples = decodeAll(law);
    const codes = new Uint8Array(256);
    g711Codec(law).encode(samples, codes, 256);
    const expected = allCodes.map((code) => (law === 'ulaw' && code === 0x7f ? 0xff : code)); // -0 is 0
    expect(codes).toEqual(expected);
  });

  it('never strays further than half a step', () => {
    const codes = encodeAll(law);
    const outputs = decodeAll(law);
    for (let i = 0; i < allSamples.length; i++) {
      const sample = allSamples[i]!;
      const error = Math.abs(sample - outputs[codes[i]!]!);
      const clippedBy = Math.max(0, Math.abs(sample) - table.outputs[127]! * table.scale);
      // Steps are a sixteenth of their segment; mu-law's segments are offset by 33 * 4.
      const halfStep = (Math.abs(sample) + 132) / 32 + table.scale;
      expect(error - clippedBy, `sample ${sample}`).toBeLessThanOrEqual(halfStep);
    }
  });

  it('is monotonic', () => {
    const outputs = Array.from(encodeAll(law), (code) => decodeAll(law)[code]!);
    expect(outputs.every((output, i) => i === 0 || output >= outputs[i - 1]!)).toBe(true);
  });

  it('leaves everything after count alone', () => {
    const samples = new Int16Array(4).fill(99);
    const codes = new Uint8Array(4).fill(99);
    g711Codec(law).decode(allCodes, samples, 2);
    g711Codec(law).encode(allSamples, codes, 2);
    expect([...samples.subarray(2), ...codes.subarray(2)]).toEqual([99, 99, 99, 99]);
  });
});

describe('G.711', () => {
  it('agrees with values printed in the standard', () => {
    // Tables 2a and 1a: decision values x_n at the ends of the segments, and the largest outputs.
    expect([16, 32, 48, 64, 80, 96, 112].map((n) => tables.ulaw.decisions[n])).toEqual([
      31, 95, 223, 479, 991, 2015, 4063,
    ]);
    expect([32, 48, 64, 80, 96, 112].map((n) => tables.alaw.decisions[n])).toEqual([
      64, 128, 256, 512, 1024, 2048,
    ]);
    expect([tables.ulaw.outputs[127], tables.alaw.outputs[127]]).toEqual([8031, 4032]);
    expect([tables.ulaw.outputs[0], tables.ulaw.outputs[1], tables.alaw.outputs[0]]).toEqual([0, 2, 1]);
  });

  it('sends the codes of the standard for silence and full scale', () => {
    const codes = new Uint8Array(3);
    encodeUlaw(Int16Array.of(0, 32767, -32768), codes, 3);
    expect([...codes]).toEqual([ULAW_SILENCE, 0x80, 0x00]);
    encodeAlaw(Int16Array.of(0, 32767, -32768), codes, 3);
    expect([...codes]).toEqual([ALAW_SILENCE, 0xaa, 0x2a]);
  });

  it('decodes silence to (almost) nothing', () => {
    const sample = new Int16Array(1);
    decodeUlaw(Uint8Array.of(ULAW_SILENCE), sample, 1);
    expect(sample[0]).toBe(0);
    decodeAlaw(Uint8Array.of(ALAW_SILENCE), sample, 1);
    expect(sample[0]).toBe(8); // A-law has no zero
  });

  it('chooses the codec by law', () => {
    expect(g711Codec('ulaw').silenceByte).toBe(ULAW_SILENCE);
    expect(g711Codec('alaw').silenceByte).toBe(ALAW_SILENCE);
  });
});
