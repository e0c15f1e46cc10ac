/** One media leg with a fake clock and fake sockets: reports, goodbyes, timeouts. */
import { describe, expect, test } from 'vitest';
import { composeRtcp, parseRtcp } from '../../src/rtp/rtcp.ts';
import { LegBench, MEDIA_TIMEOUT_MS, PEER } from './leg-bench.ts';

describe('media leg, RTCP and timeouts', () => {
  function peerReport(isGoodbye: boolean, ssrc = 77): Uint8Array {
    return composeRtcp({ ssrc, sender: null, report: null, cname: 'peer', isGoodbye });
  }

  test('RFC 3550 6.2: a report about every five seconds, to the port above the RTP port', async () => {
    const bench = new LegBench().start();
    for (let n = 0; n < 1500; n += 1) {
      if (n % 10 !== 9) bench.packet(0x10);
      else bench.peer.next(0, false, 160);
      if (n % 10 === 9) bench.peer.advance(160);
      bench.tick();
    }
    const { reports } = bench.ports;
    expect(reports.length).toBeGreaterThanOrEqual(4);
    expect(reports.length).toBeLessThanOrEqual(10);
    expect(reports[0]!.port).toBe(PEER.port + 1);
    const content = parseRtcp(reports[0]!.bytes);
    expect(content).toMatchObject({ verdict: 'ok', reports: [{ ssrc: 77 }], goodbyes: [] });
    expect(content.reports[0]!.fractionLost256).toBeGreaterThan(15);
    await bench.leg.close();
    expect(parseRtcp(bench.ports.reports.at(-1)!.bytes).goodbyes).toHaveLength(1);
    expect(bench.ports.isClosed).toBe(true);
  });

  test('BYE of the locked source is told; of anyone else it is foreign', async () => {
    const bench = new LegBench().start();
    bench.packet(0x10);
    bench.leg.onRtcp(peerReport(true), '198.51.100.1', 9);
    bench.leg.onRtcp(peerReport(true, 78), PEER.address, 4001);
    expect(bench.kinds()).toBe('firstPacket');
    bench.leg.onRtcp(peerReport(true), PEER.address, 4001);
    expect(bench.kinds()).toBe('firstPacket remoteBye');
    expect((await bench.leg.close()).drops).toMatchObject({ foreignRtcp: 2, badRtcp: 0 });
  });

  test('RFC 5761: RTCP on the RTP port is understood', () => {
    const bench = new LegBench().start();
    bench.packet(0x10);
    bench.leg.onRtp(peerReport(true), PEER.address, PEER.port);
    expect(bench.kinds()).toBe('firstPacket remoteBye');
  });

  test("the peer's view of our stream is in the leg's report", async () => {
    const bench = new LegBench().start();
    bench.packet(0x10);
    bench.tick();
    const closing = bench.leg.close();
    const ours = parseRtcp(bench.ports.reports.at(-1)!.bytes);
    const report = {
      fractionLost256: 128,
      cumulativeLostPackets: 5,
      extendedHighestSequence: 1,
      jitterTimestampUnits: 0,
    };
    const block = { ssrc: ours.senderSsrc, lastSenderReport: 0, delaySinceLastSenderReport: 0, ...report };
    await closing;
    bench.leg.onRtcp(
      composeRtcp({ ssrc: 77, sender: null, report: block, cname: 'peer', isGoodbye: false }),
      PEER.address,
      4001,
    );
    expect(await bench.leg.close()).toMatchObject({ remoteFractionLost: 0.5, roundTripMs: null });
  });

  test('media timeout: told once, again after the next silence, never on hold', () => {
    const bench = new LegBench().start();
    bench.tick(MEDIA_TIMEOUT_MS / 20 + 50);
    expect(bench.kinds()).toBe('mediaTimeout');
    bench.packet(0x10);
    bench.tick(MEDIA_TIMEOUT_MS / 20 - 1);
    expect(bench.kinds()).toBe('mediaTimeout firstPacket');
    bench.tick();
    expect(bench.kinds()).toBe('mediaTimeout firstPacket mediaTimeout');
    const held = new LegBench().start({ direction: 'inactive' });
    held.tick(MEDIA_TIMEOUT_MS / 10);
    expect(held.kinds()).toBe('');
  });

  test('strangers do not keep a call alive', () => {
    const bench = new LegBench().start();
    for (let n = 0; n < MEDIA_TIMEOUT_MS / 20; n += 1) {
      bench.packet(0x10, { from: { address: '198.51.100.1', port: 9 } });
      bench.tick();
    }
    expect(bench.kinds()).toBe('mediaTimeout');
  });
});
