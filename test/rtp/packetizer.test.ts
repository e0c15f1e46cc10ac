/** Packetizer and socket pair. */
import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import { parseRtpPacket, RtpPacketView } from '../../src/rtp/packet.ts';
import { Packetizer } from '../../src/rtp/packetizer.ts';
import { openRtpSockets } from '../../src/rtp/rtp-socket.ts';

const HANDLERS = { onRtp: () => {}, onRtcp: () => {}, onError: () => {} };

test('RFC 3550 section 5.1: numbers and times go on, across both wraps', () => {
  const packetizer = new Packetizer({ ssrc: 9, firstSequence: 65_534, firstTimestamp: 0xffffff60 });
  const view = new RtpPacketView();
  const seen: unknown[] = [];
  for (let n = 0; n < 4; n += 1) {
    parseRtpPacket(packetizer.next(0, n === 0, 160).bytes, view);
    packetizer.advance(160);
    seen.push([view.sequence, view.timestamp, view.marker, view.ssrc, view.payloadBytes]);
  }
  expect(seen).toEqual([
    [65_534, 0xffffff60, true, 9, 160],
    [65_535, 0, false, 9, 160],
    [0, 160, false, 9, 160],
    [1, 320, false, 9, 160],
  ]);
  expect([packetizer.packetsSent, packetizer.payloadBytesSent]).toEqual([4, 640]);
});

test('RFC 4733 2.5.1.2: packets share a timestamp until time is let pass; sizes may differ', () => {
  const packetizer = new Packetizer({ ssrc: 9, firstSequence: 0, firstTimestamp: 0 });
  expect(packetizer.next(101, true, 4).bytes.length).toBe(16);
  expect(packetizer.next(101, false, 4).payload.length).toBe(4);
  packetizer.advance(800);
  expect(packetizer.next(0, false, 160).bytes.length).toBe(172);
  expect(packetizer.nextTimestamp).toBe(800);
});

test('a datagram is not used again for three packets', () => {
  const packetizer = new Packetizer({ ssrc: 9, firstSequence: 0, firstTimestamp: 0 });
  const datagrams = Array.from({ length: 8 }, () => packetizer.next(0, false, 160));
  expect(new Set(datagrams.slice(0, 4)).size).toBe(4);
  expect(datagrams[4]).toBe(datagrams[0]);
});

test('a taken RTP or RTCP port is PORT_IN_USE, and nothing stays open', async () => {
  const blocker = createSocket('udp4');
  await new Promise<void>((resolve) => blocker.bind(0, '127.0.0.1', resolve));
  const { port } = blocker.address();
  await expect(openRtpSockets('127.0.0.1', port, HANDLERS)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  await expect(openRtpSockets('127.0.0.1', port - 1, HANDLERS)).rejects.toMatchObject({
    code: 'PORT_IN_USE',
  });
  const again = createSocket('udp4');
  await new Promise<void>((resolve) => again.bind(port - 1, '127.0.0.1', resolve));
  again.close();
  blocker.close();
});

test('an address that is not of this machine is INVALID_STATE', async () => {
  await expect(openRtpSockets('203.0.113.1', 41_900, HANDLERS)).rejects.toMatchObject({
    code: 'INVALID_STATE',
  });
});
