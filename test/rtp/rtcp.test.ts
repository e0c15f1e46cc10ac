/** RTCP and what it reports, RFC 3550 section 6, A.1, A.3 and A.8. */
import { describe, expect, test } from 'vitest';
import { ReceptionStatistics } from '../../src/rtp/reception-statistics.ts';
import { composeRtcp, ntpMiddle32, parseRtcp, type ReportBlock, roundTripMs } from '../../src/rtp/rtcp.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';

const REPORT: ReportBlock = {
  ssrc: 0xcafebabe,
  fractionLost256: 64,
  cumulativeLostPackets: -3,
  extendedHighestSequence: 0x00012345,
  jitterTimestampUnits: 17,
  lastSenderReport: 0x11223344,
  delaySinceLastSenderReport: 65_536,
};
const SENDER = {
  ntpUnixMs: 1_700_000_000_500,
  rtpTimestamp: 0xfffffff0,
  packetsSent: 100,
  payloadBytesSent: 16_000,
};
const BASE = { ssrc: 0x01020304, sender: SENDER, report: REPORT, cname: 'abcd', isGoodbye: true };

describe('RTCP', () => {
  test('6.4.1: SR with one block, SDES and BYE are parsed back', () => {
    const content = parseRtcp(composeRtcp(BASE));
    expect(content).toEqual({
      verdict: 'ok',
      senderSsrc: BASE.ssrc,
      senderReportNtpMiddle: ntpMiddle32(SENDER.ntpUnixMs),
      reports: [REPORT],
      goodbyes: [BASE.ssrc],
    });
  });

  test('6.4.2: RR without blocks', () => {
    const packet = composeRtcp({ ...BASE, sender: null, report: null, isGoodbye: false });
    expect([...packet.subarray(0, 8)]).toEqual([0x80, 201, 0, 1, 1, 2, 3, 4]);
    expect(parseRtcp(packet)).toMatchObject({
      verdict: 'ok',
      senderReportNtpMiddle: null,
      reports: [],
      goodbyes: [],
    });
  });

  test.each([0, 1, 2, 3, 4, 5, 254, 255, 400])(
    '6.5: SDES of a CNAME of %i characters ends on a word',
    (length) => {
      const packet = composeRtcp({ ...BASE, cname: 'x'.repeat(length) });
      expect(packet.length % 4).toBe(0);
      expect(parseRtcp(packet).verdict).toBe('ok');
    },
  );

  test('6.4.1: the NTP time is seconds since 1900 and a fraction', () => {
    const packet = composeRtcp(BASE);
    const view = new DataView(packet.buffer);
    expect(view.getUint32(8)).toBe(1_700_000_000 + 2_208_988_800);
    expect(view.getUint32(12)).toBe(2 ** 31);
  });

  test('6.4.1 figure 2: round trip is arrival - LSR - DLSR', () => {
    const sentMs = 1_700_000_000_000;
    const block = {
      ...REPORT,
      lastSenderReport: ntpMiddle32(sentMs),
      delaySinceLastSenderReport: 65_536 / 2,
    };
    expect(roundTripMs(block, sentMs + 500 + 40)).toBeCloseTo(40, 0);
    expect(roundTripMs({ ...block, lastSenderReport: 0 }, sentMs)).toBeNull();
    expect(roundTripMs(block, sentMs)).toBeNull();
  });

  test('A.2: anything that does not add up is refused', () => {
    const good = composeRtcp(BASE);
    const change = (at: number, value: number): string => {
      const bad = Uint8Array.from(good);
      bad[at] = value;
      return parseRtcp(bad).verdict;
    };
    expect(parseRtcp(good.subarray(0, 7)).verdict).toBe('tooShort');
    expect(parseRtcp(good.subarray(0, good.length - 1)).verdict).toBe('badLength');
    expect(change(0, 0x41)).toBe('badVersion');
    expect(change(1, 202)).toBe('badFirstType');
    expect(change(0, 0x9f)).toBe('badCount');
    expect(change(3, 200)).toBe('badLength');
    expect(change(0, 0xa1)).toBe('badPadding');
  });

  test('A.2: padding in the last packet is taken off, elsewhere refused', () => {
    const padded = Uint8Array.of(0xa0, 201, 0, 2, 1, 2, 3, 4, 0, 0, 0, 4);
    expect(parseRtcp(padded)).toMatchObject({ verdict: 'ok', senderSsrc: 0x01020304 });
    padded[11] = 3;
    expect(parseRtcp(padded).verdict).toBe('badPadding');
    padded[11] = 200;
    expect(parseRtcp(padded).verdict).toBe('badPadding');
  });

  test('every cut of a good packet is survived', () => {
    const good = composeRtcp(BASE);
    for (let length = 0; length < good.length; length += 1) parseRtcp(good.subarray(0, length));
  });

  test('fuzz: changed and random packets never throw; a refused one yields nothing', () => {
    const random = new SeededRandom(printedSeed('RTCP fuzz'));
    const good = composeRtcp(BASE);
    for (let round = 0; round < 30_000; round += 1) {
      const bytes = random.isTrue(0.7)
        ? Uint8Array.from(good)
        : Uint8Array.from({ length: random.integer(0, 64) }, () => random.integer(0, 255));
      for (let change = 0; change < 3; change += 1)
        bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
      const content = parseRtcp(bytes);
      expect(content.reports.length).toBeLessThanOrEqual(31 * 16);
      if (content.verdict !== 'ok') expect([...content.reports, ...content.goodbyes]).toEqual([]);
    }
  });
});

describe('reception statistics', () => {
  test('A.3: expected, lost and fraction since the last report, across the wrap', () => {
    const statistics = new ReceptionStatistics(8000);
    for (let n = 0; n < 100; n += 1) {
      if (n % 4 !== 3) statistics.received((65_500 + n) & 0xffff, n * 160, n * 20);
    }
    expect(statistics.receivedPackets).toBe(75);
    expect(statistics.expectedPackets).toBe(99);
    const report = statistics.takeReport();
    expect(report).toMatchObject({ cumulativeLostPackets: 24, extendedHighestSequence: 65_500 + 98 });
    expect(report.fractionLost256).toBe(Math.floor((24 * 256) / 99));
    expect(statistics.takeReport().fractionLost256).toBe(0);
  });

  test('A.8: an even stream has no jitter, an alternating one converges to its deviation', () => {
    const even = new ReceptionStatistics(8000);
    const uneven = new ReceptionStatistics(8000);
    for (let n = 0; n < 500; n += 1) {
      even.received(n, n * 160, 1000 + n * 20);
      uneven.received(n, n * 160, 1000 + n * 20 + (n % 2) * 5);
    }
    expect(even.jitterMs).toBeCloseTo(0, 6);
    expect(uneven.jitterMs).toBeCloseTo(5, 3);
  });

  test('A.1: a restart of the sender starts the counts over', () => {
    const statistics = new ReceptionStatistics(8000);
    for (let n = 0; n < 10; n += 1) statistics.received(n, n * 160, n * 20);
    for (let n = 0; n < 10; n += 1) statistics.received(30_000 + n, n * 160, 200 + n * 20);
    expect(statistics.expectedPackets).toBe(10);
    expect(statistics.lostPackets).toBe(0);
  });

  test('the sums over all streams go on', () => {
    const statistics = new ReceptionStatistics(8000);
    for (const n of [0, 1, 3]) statistics.received(n, n * 160, n * 20);
    statistics.reset();
    for (const n of [500, 501, 504, 30_000]) statistics.received(n, n * 160, 200 + n * 20);
    expect([statistics.receivedOfAllStreams, statistics.lostOfAllStreams]).toEqual([7, 3]);
  });
});
