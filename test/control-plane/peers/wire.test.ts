/** The bytes of the earlier system's frames, spelled out. */
import { describe, expect, it } from 'vitest';
import { frequencyOf, sentencesOf, tone, transcriptOf, voiceOf } from './script.ts';
import {
  audioInFrame,
  audioOutFrame,
  BYE_WORD,
  helloFrame,
  textFrame,
  toBytes,
  toSamples,
  word,
} from './wire.ts';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

describe('a frame of the earlier system', () => {
  it('HELLO is a big-endian length and the id in ASCII', () => {
    expect(helloFrame(112)).toEqual(bytes('00000003 31 31 32'));
  });

  it('text is a length in bytes, not characters, and UTF-8', () => {
    expect(textFrame('né')).toEqual(bytes('00000003 6e c3 a9'));
  });

  it('goodbye is a length of all ones, or of zero from the inbound processor', () => {
    expect(word(BYE_WORD)).toEqual(bytes('ffffffff'));
    expect(word(0)).toEqual(bytes('00000000'));
  });

  it('audio in is a big-endian byte count and little-endian float32', () => {
    expect(audioInFrame(Float32Array.of(1, -0.5))).toEqual(bytes('00000008 0000803f 000000bf'));
  });

  it('audio out has byte count, rate and chunk id before its samples', () => {
    const frame = audioOutFrame(24_000, 7, Float32Array.of(0.25));
    expect(frame).toEqual(bytes('00000004 00005dc0 00000007 0000803e'));
  });

  it('samples survive their bytes', () => {
    const samples = tone(440, 100, 16_000);
    expect(toSamples(toBytes(samples))).toEqual(samples);
  });
});

describe('the script of the peers', () => {
  it.each([
    [200, 16_000],
    [440, 16_000],
    [1190, 22_050],
    [990, 24_000],
  ])('hears %d Hz in a tone at %d Hz', (frequencyHz, rateHz) => {
    expect(frequencyOf(tone(frequencyHz, rateHz / 2, rateHz), rateHz)).toBe(frequencyHz);
  });

  it('hears nothing in silence', () => {
    expect(frequencyOf(new Float32Array(1000), 16_000)).toBe(0);
    expect(transcriptOf(new Float32Array(1000), 16_000)).toBe('a tone of 0 hertz for 1000 samples');
  });

  it('voices different texts differently, the same text the same', () => {
    expect(voiceOf('Yes.', 24_000)).toEqual(voiceOf('Yes.', 24_000));
    expect(voiceOf('Yes.', 24_000)).not.toEqual(voiceOf('Yeb.', 24_000));
    expect(sentencesOf('One. Two? Three')).toEqual(['One.', 'Two?', 'Three']);
  });
});
