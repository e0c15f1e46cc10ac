/** Frames come out of a stream as they went in, however it is cut, and garbage ends the leg without harm. */
import { describe, expect, it } from 'vitest';
import { type Frame, FrameReader } from '../../../src/control-plane/wire/frame-reader.ts';
import {
  byeFrame,
  chunkHeader,
  endOfAudio,
  LEG_RULES,
  type LegRules,
  lengthPrefixed,
} from '../../../src/control-plane/wire/frames.ts';
import { printedSeed, SeededRandom } from '../../seeded-random.ts';

const SEED = printedSeed('frames');

function read(rules: LegRules, bytes: Uint8Array, pieces: readonly number[] = []): Frame[] {
  const reader = new FrameReader(rules);
  const frames: Frame[] = [];
  let at = 0;
  for (const length of [...pieces, bytes.length]) {
    frames.push(...reader.push(bytes.subarray(at, at + length)));
    at += length;
  }
  return frames;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function chunk(chunkId: number, bytes: Uint8Array, rateHz = 24_000): Uint8Array {
  return joined(chunkHeader({ payloadBytes: bytes.length, rateHz, chunkId }), bytes);
}

describe('frames of the earlier system', () => {
  it('writes lengths big-endian, as on its wire', () => {
    expect([...lengthPrefixed('112')]).toEqual([0, 0, 0, 3, 0x31, 0x31, 0x32]);
    expect([...byeFrame()]).toEqual([255, 255, 255, 255]);
    expect([...chunkHeader({ payloadBytes: 3840, rateHz: 24_000, chunkId: 1 })]).toEqual([
      0, 0, 15, 0, 0, 0, 93, 192, 0, 0, 0, 1,
    ]);
    expect(endOfAudio(24_000, 9)).toHaveLength(12);
  });

  it('reads HELLO and audio', () => {
    const samples = new Uint8Array(new Float32Array([0.5, -0.25]).buffer);
    expect(read(LEG_RULES.audioIn, joined(lengthPrefixed('112'), lengthPrefixed(samples)))).toEqual([
      { kind: 'hello', payload: '112' },
      { kind: 'audio', bytes: samples },
    ]);
  });

  it('reads HELLO and texts, umlauts and all', () => {
    const bytes = joined(lengthPrefixed('7'), lengthPrefixed('Grüße'), lengthPrefixed(' '));
    expect(read(LEG_RULES.textIn, bytes)).toEqual([
      { kind: 'hello', payload: '7' },
      { kind: 'text', text: 'Grüße' },
      { kind: 'text', text: ' ' },
    ]);
  });

  it('reads chunks with their rate and number', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    expect(read(LEG_RULES.audioOut, joined(lengthPrefixed('7'), chunk(3, bytes)))).toEqual([
      { kind: 'hello', payload: '7' },
      { kind: 'chunk', rateHz: 24_000, chunkId: 3, bytes },
    ]);
  });

  it.each([
    ['FFFFFFFF', LEG_RULES.textIn, byeFrame()],
    ['zero', LEG_RULES.audioIn, Uint8Array.of(0, 0, 0, 0)],
    ['the text BYE', LEG_RULES.textIn, lengthPrefixed('BYE')],
    ['a header without audio', LEG_RULES.audioOut, endOfAudio(24_000, 5)],
    ['four zero bytes instead of a header', LEG_RULES.audioOut, Uint8Array.of(0, 0, 0, 0)],
  ] as const)('takes %s for goodbye, and nothing after it', (_name, rules, bye) => {
    const frames = read(rules, joined(lengthPrefixed('7'), bye, lengthPrefixed('more')));
    expect(frames.map(({ kind }) => kind)).toEqual(['hello', 'bye']);
  });

  it.each([
    ['an empty HELLO', LEG_RULES.textIn, Uint8Array.of(0, 0, 0, 0), 'helloLength'],
    ['a HELLO that is too long', LEG_RULES.audioIn, Uint8Array.of(0, 0, 3, 233), 'helloLength'],
    [
      'audio of more than 31 s',
      LEG_RULES.audioIn,
      joined(lengthPrefixed('7'), Uint8Array.of(0, 30, 132, 129)),
      'frameLength',
    ],
    [
      'a text of more than 10 MiB',
      LEG_RULES.textIn,
      joined(lengthPrefixed('7'), Uint8Array.of(0, 160, 0, 1)),
      'frameLength',
    ],
    [
      'an impossible rate',
      LEG_RULES.audioOut,
      joined(lengthPrefixed('7'), chunk(1, Uint8Array.of(1, 2, 3, 4), 11)),
      'rate',
    ],
  ] as const)('refuses %s before its bytes have come', (_name, rules, bytes, reason) => {
    expect(read(rules, bytes).at(-1)).toEqual({ kind: 'invalid', reason });
  });

  it('gives the same frames however the stream is cut', () => {
    const seeded = new SeededRandom(SEED);
    const random = (): number => seeded.next();
    const audio = new Uint8Array(4000).map(() => random() * 256);
    const streams: readonly (readonly [LegRules, Uint8Array])[] = [
      [
        LEG_RULES.audioIn,
        joined(lengthPrefixed('112'), lengthPrefixed(audio), lengthPrefixed(audio), byeFrame()),
      ],
      [
        LEG_RULES.textIn,
        joined(lengthPrefixed('112'), lengthPrefixed('hello'), lengthPrefixed('you'), byeFrame()),
      ],
      [
        LEG_RULES.audioOut,
        joined(
          lengthPrefixed('112'),
          chunk(1, audio),
          chunk(2, audio.subarray(0, 161)),
          endOfAudio(24_000, 3),
        ),
      ],
    ];
    for (const [rules, bytes] of streams) {
      const whole = read(rules, bytes);
      for (let round = 0; round < 200; round++) {
        const pieces = Array.from({ length: 60 }, () => Math.floor(random() ** 3 * 300));
        expect(read(rules, bytes, pieces)).toEqual(whole);
      }
    }
  });

  it('survives any bytes: no exception, no frame beyond its bounds, nothing behind the end', () => {
    const seeded = new SeededRandom(SEED);
    const random = (): number => seeded.next();
    for (let round = 0; round < 20_000; round++) {
      const rules = Object.values(LEG_RULES)[Math.floor(random() * 5)] as LegRules;
      const reader = new FrameReader(rules);
      let isOver = false;
      for (let push = 0; push < 5; push++) {
        // Small numbers in the length fields, so that frames are really completed.
        const bytes = Uint8Array.from({ length: Math.floor(random() * 40) }, (_, i) =>
          i % 4 < 3 && random() < 0.8 ? 0 : random() * 256,
        );
        const frames = reader.push(bytes);
        expect(isOver && frames.length > 0).toBe(false);
        for (const frame of frames) {
          isOver ||= frame.kind === 'bye' || frame.kind === 'invalid';
          if ('bytes' in frame) expect(frame.bytes.length).toBeLessThanOrEqual(rules.maxPayloadBytes);
        }
      }
    }
  });
});
