/** Source lock: who is believed, and who is sent to. */
import { describe, expect, test } from 'vitest';
import {
  canonicalAddress,
  isPrivateAddress,
  LATCH_WINDOW_MS,
  SourceLock,
} from '../../src/rtp/source-lock.ts';

const PEER = { address: '203.0.113.7', port: 4000 };
const ATTACKER = '198.51.100.66';

function lockFor(remote: typeof PEER | null, signallingAddress: string | null = null): SourceLock {
  const lock = new SourceLock();
  lock.expect({ remote, signallingAddress }, 0);
  return lock;
}

/** Verdicts of `count` packets in sequence. */
function stream(
  lock: SourceLock,
  { address = PEER.address, port = PEER.port, ssrc = 1, first = 65_534, count = 5, nowMs = 100 },
): string {
  return Array.from({ length: count }, (_, n) =>
    lock.judge(address, port, ssrc, (first + n) & 0xffff, nowMs),
  ).join(' ');
}

const LATCHED = 'probation probation probation newStream accepted';
const FOREIGN = 'foreign foreign foreign foreign foreign';

describe('source lock', () => {
  test('the address and port of the SDP are believed at once', () => {
    expect(stream(lockFor(PEER), { count: 3 })).toBe('newStream accepted accepted');
  });

  test('before anything came, the SDP address is sent to; without one, nobody', () => {
    expect([lockFor(PEER).sendAddress, lockFor(PEER).sendPort]).toEqual([PEER.address, PEER.port]);
    expect([lockFor(null).sendAddress, lockFor(null).sendPort]).toEqual(['', 0]);
  });

  test('another port of the SDP address is latched on to after four packets', () => {
    const lock = lockFor(PEER);
    expect(stream(lock, { port: 5000 })).toBe(LATCHED);
    expect(lock.sendPort).toBe(5000);
  });

  test('another address is foreign when the SDP address is public or loopback', () => {
    for (const remote of [PEER, { address: '127.0.0.1', port: 4000 }]) {
      const lock = lockFor(remote);
      expect(stream(lock, { address: ATTACKER })).toBe(FOREIGN);
      expect(lock.sendAddress).toBe(remote.address);
    }
  });

  test('an SDP without address, or with a private one: any source is latched on to, after four packets', () => {
    expect(stream(lockFor(null), {})).toBe(LATCHED);
    expect(stream(lockFor({ address: '192.168.1.9', port: 4000 }), {})).toBe(LATCHED);
  });

  test('with the signalling address known, only it is latched on to', () => {
    const lock = lockFor({ address: '10.0.0.9', port: 4000 }, PEER.address);
    expect(stream(lock, { address: ATTACKER })).toBe(FOREIGN);
    expect(stream(lock, { port: 61_000 })).toBe(LATCHED);
  });

  test('packets out of sequence are never latched on to', () => {
    const lock = lockFor(null);
    for (const sequence of [1, 2, 3, 5, 6, 7, 9, 10, 11]) {
      expect(lock.judge(PEER.address, PEER.port, 1, sequence, 100)).toBe('probation');
    }
  });

  test('two sources at once disturb each other, and neither is believed', () => {
    const lock = lockFor(null);
    for (let n = 0; n < 10; n += 1) {
      expect(lock.judge(PEER.address, PEER.port, 1, n, 100)).toBe('probation');
      expect(lock.judge(ATTACKER, 9, 1, n, 100)).toBe('probation');
    }
  });

  test('nothing is latched on to after the window; the SDP source is believed at any time', () => {
    const lock = lockFor(null);
    expect(stream(lock, { nowMs: LATCH_WINDOW_MS + 1 })).toBe(FOREIGN);
    expect(stream(lockFor(PEER), { nowMs: 60_000, count: 1 })).toBe('newStream');
  });

  test('once locked, everyone else is foreign', () => {
    const lock = lockFor(PEER);
    stream(lock, { count: 1 });
    expect(stream(lock, { address: ATTACKER })).toBe(FOREIGN);
    expect(stream(lock, { port: 5000 })).toBe(FOREIGN);
    expect(stream(lock, { first: 65_535, count: 2 })).toBe('accepted accepted');
  });

  test('the SDP source takes over from one that was latched on to, after four packets', () => {
    const lock = lockFor({ address: '10.0.0.9', port: 4000 });
    stream(lock, { address: ATTACKER });
    expect(stream(lock, { address: '10.0.0.9' })).toBe(LATCHED);
    expect(lock.sendAddress).toBe('10.0.0.9');
    expect(stream(lock, { address: ATTACKER })).toBe(FOREIGN);
  });

  test('a new SSRC of the locked source is believed after two packets in sequence', () => {
    const lock = lockFor(PEER);
    stream(lock, { count: 2 });
    expect(stream(lock, { ssrc: 2, first: 7, count: 3 })).toBe('probation newStream accepted');
    expect(lock.ssrc).toBe(2);
  });

  test('a re-INVITE to another address starts over; to the same one it changes nothing', () => {
    const lock = lockFor(PEER);
    stream(lock, { count: 1 });
    lock.expect({ remote: { ...PEER }, signallingAddress: null }, 1000);
    expect(stream(lock, { count: 1 })).toBe('accepted');
    lock.expect({ remote: { address: '203.0.113.8', port: 6000 }, signallingAddress: null }, 2000);
    expect(lock.isLocked).toBe(false);
    expect(stream(lock, { nowMs: 2100 })).toBe(FOREIGN);
    expect(lock.sendPort).toBe(6000);
  });

  test('RTCP is believed from the locked address and SSRC only', () => {
    const lock = lockFor(PEER);
    expect(lock.isBelievedRtcp(PEER.address, 1)).toBe(false);
    stream(lock, { count: 1 });
    expect(lock.isBelievedRtcp(PEER.address, 1)).toBe(true);
    expect(lock.isBelievedRtcp(PEER.address, 2)).toBe(false);
    expect(lock.isBelievedRtcp(ATTACKER, 1)).toBe(false);
  });

  test.each([
    ['10.1.2.3', true],
    ['172.15.0.1', false],
    ['172.16.0.1', true],
    ['172.31.255.1', true],
    ['172.32.0.1', false],
    ['192.168.0.1', true],
    ['100.63.0.1', false],
    ['100.64.0.1', true],
    ['100.127.0.1', true],
    ['169.254.1.1', true],
    ['127.0.0.1', false],
    ['203.0.113.1', false],
    ['fd00::1', true],
    ['fe80::1', true],
    ['2001:db8::1', false],
  ])('%s is private: %s', (address, isPrivate) => {
    expect(isPrivateAddress(address)).toBe(isPrivate);
  });

  test('RFC 5952: IPv6 addresses are compared in one spelling', () => {
    expect(canonicalAddress('2001:DB8:0:0:0:0:0:1')).toBe('2001:db8::1');
    expect(['192.0.2.1', 'example.org', ':::', ''].map(canonicalAddress)).toEqual([
      '192.0.2.1',
      'example.org',
      ':::',
      '',
    ]);
    const lock = lockFor({ address: '2001:0DB8::0001', port: 4000 });
    expect(stream(lock, { address: '2001:db8::1', count: 1 })).toBe('newStream');
  });
});
