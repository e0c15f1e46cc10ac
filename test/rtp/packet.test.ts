/** RTP packets, RFC 3550 section 5.1 and 5.3.1. */
import { describe, expect, test } from 'vitest';
import {
  looksLikeRtcp,
  parseRtpPacket,
  RTP_HEADER_BYTES,
  RtpPacketView,
  writeRtpHeader,
} from '../../src/rtp/packet.ts';
import {
  addToSequence,
  addToTimestamp,
  sequenceDistance,
  timestampDistance,
} from '../../src/rtp/sequence-number.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

const HEADER = { marker: true, payloadType: 96, sequence: 0xfffe, timestamp: 0xfffffff0, ssrc: 0xdeadbeef };

function packetOf(firstByte: number, rest: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(RTP_HEADER_BYTES + rest.length);
  writeRtpHeader(HEADER, bytes);
  bytes[0] = firstByte;
  bytes.set(rest, RTP_HEADER_BYTES);
  return bytes;
}

describe('RTP packet', () => {
  test('what is written is parsed back', () => {
    const view = new RtpPacketView();
    expect(parseRtpPacket(packetOf(0x80, [1, 2, 3]), view)).toBe('ok');
    expect(view).toMatchObject({ ...HEADER, payloadStart: 12, payloadEnd: 15, payloadBytes: 3 });
  });

  test.each([
    ['no payload', 0x80, [], 'ok', 12, 12],
    ['two contributing sources', 0x82, [0, 0, 0, 1, 0, 0, 0, 2, 9], 'ok', 20, 21],
    ['an extension of one word', 0x90, [0xbe, 0xde, 0, 1, 1, 2, 3, 4, 9], 'ok', 20, 21],
    ['an extension without words', 0x90, [0xbe, 0xde, 0, 0, 9], 'ok', 16, 17],
    ['padding of two', 0xa0, [7, 8, 0, 2], 'ok', 12, 14],
    ['padding that is the whole payload', 0xa0, [0, 0, 0, 4], 'ok', 12, 12],
    ['everything at once', 0xb1, [0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 9, 9, 1], 'ok', 24, 26],
  ] as const)('%s', (_, first, rest, verdict, start, end) => {
    const view = new RtpPacketView();
    expect(parseRtpPacket(packetOf(first, rest), view)).toBe(verdict);
    expect([view.payloadStart, view.payloadEnd]).toEqual([start, end]);
  });

  test.each([
    ['version 1', 0x40, [1], 'badVersion'],
    ['fewer sources than counted', 0x8f, [0, 0, 0, 1], 'badCsrc'],
    ['a cut extension header', 0x90, [0xbe, 0xde], 'badExtension'],
    ['an extension longer than the packet', 0x90, [0xbe, 0xde, 0xff, 0xff, 1], 'badExtension'],
    ['padding of zero bytes', 0xa0, [1, 0], 'badPadding'],
    ['padding into the header', 0xa0, [1, 200], 'badPadding'],
    ['padding without a payload', 0xa0, [], 'badPadding'],
  ] as const)('%s is refused', (_, first, rest, verdict) => {
    expect(parseRtpPacket(packetOf(first, rest), new RtpPacketView())).toBe(verdict);
  });

  test('every length below a header is too short', () => {
    const bytes = packetOf(0x80, []);
    for (let length = 0; length < RTP_HEADER_BYTES; length += 1) {
      expect(parseRtpPacket(bytes.subarray(0, length), new RtpPacketView())).toBe('tooShort');
    }
  });

  test('RFC 5761 section 4: second bytes 192 to 223 are RTCP', () => {
    const found = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) =>
      looksLikeRtcp(Uint8Array.of(0x80, byte)),
    );
    expect([found[0], found.at(-1), found.length]).toEqual([192, 223, 32]);
  });

  test('fuzz: any bytes give a verdict, and an accepted payload lies inside the datagram', () => {
    const random = new SeededRandom(printedSeed('RTP packet fuzz'));
    const view = new RtpPacketView();
    let accepted = 0;
    for (let round = 0; round < 50_000; round += 1) {
      const bytes = Uint8Array.from({ length: random.integer(0, 80) }, () => random.integer(0, 255));
      if (bytes.length > 0 && random.isTrue(0.8)) bytes[0] = 0x80 | (bytes[0]! & 0x3f);
      if (parseRtpPacket(bytes, view) !== 'ok') continue;
      accepted += 1;
      expect(view.payloadStart).toBeGreaterThanOrEqual(RTP_HEADER_BYTES);
      expect(view.payloadEnd).toBeLessThanOrEqual(bytes.length);
      expect(view.payloadBytes).toBeGreaterThanOrEqual(0);
    }
    expect(accepted).toBeGreaterThan(1000);
  });
});

describe('serial arithmetic, RFC 1982', () => {
  test.each([
    [0, 1, 1],
    [65_535, 0, 1],
    [0, 65_535, -1],
    [65_000, 100, 636],
    [100, 65_000, -636],
    [0, 32_767, 32_767],
  ])('sequence %i to %i is %i', (from, to, distance) => {
    expect(sequenceDistance(from, to)).toBe(distance);
    expect(addToSequence(from, distance)).toBe(to);
  });

  test.each([
    [0, 160, 160],
    [0xffffff60, 0, 160],
    [160, 0, -160],
    [0x7fffffff, 0x80000000, 1],
  ])('timestamp %i to %i is %i', (from, to, distance) => {
    expect(timestampDistance(from, to)).toBe(distance);
    expect(addToTimestamp(from, distance)).toBe(to);
  });
});
