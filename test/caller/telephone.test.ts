/** The caller's telephone on loopback: what it sends, when, and what it makes of what it gets. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodeUlaw } from '../../src/audio/g711.ts';
import { Telephone } from '../../src/caller/telephone.ts';
import { RtpPeer, until } from '../media/rtp-peer.ts';
import { tone } from './tones.ts';

const PCMU = 0;
const EVENTS = 101;
const FRAME_MS = 20;

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function connected(telephoneEventPayloadType: number | null = EVENTS): Promise<[Telephone, RtpPeer]> {
  const [telephone, peer] = [await Telephone.open('127.0.0.1'), await RtpPeer.open()];
  open.push(telephone, peer);
  telephone.connect({
    remote: { address: '127.0.0.1', port: peer.port },
    codec: 'PCMU',
    payloadType: PCMU,
    telephoneEventPayloadType,
  });
  return [telephone, peer];
}

/** Frames leave when the test lets time pass; packets travel as ever. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ['hrtime', 'setTimeout', 'clearTimeout'] });
}

describe('telephone', () => {
  it('sends a frame every 20 ms by the clock, gapless in sequence and timestamp', async () => {
    stopClock();
    const [telephone, peer] = await connected();
    for (let frames = 1; frames <= 50; frames++) {
      await vi.advanceTimersByTimeAsync(frames === 1 ? 0 : FRAME_MS);
      expect(telephone.counters.sent).toBe(frames);
    }
    vi.useRealTimers();
    await until(() => peer.received.length === 50, 5000);
    for (const [i, packet] of peer.received.slice(1).entries()) {
      const before = peer.received[i];
      expect((packet.sequence - (before?.sequence ?? 0)) & 0xffff).toBe(1);
      expect((packet.timestamp - (before?.timestamp ?? 0)) >>> 0).toBe(160);
      expect(packet.ssrc).toBe(before?.ssrc);
      expect(packet.payloadType).toBe(PCMU);
    }
  });

  it('marks where speech begins, and speaks it as it was given', async () => {
    stopClock();
    const [telephone, peer] = await connected();
    const speech = tone(100);
    const spoken = telephone.say(speech);
    await vi.advanceTimersByTimeAsync(200);
    vi.useRealTimers();
    const span = await spoken;
    expect(span.lastSpeechSentAtMs - span.firstSentAtMs).toBeCloseTo(80, 3); // five frames
    await until(() => peer.received.filter(({ marker }) => marker).length === 1, 10_000);
    const start = peer.received.findIndex(({ marker }) => marker);
    await until(() => peer.received.length >= start + 5, 10_000);
    const heard = peer.received.slice(start, start + 5).flatMap(({ payload }) => {
      const samples = new Int16Array(payload.length);
      decodeUlaw(payload, samples, samples.length);
      return [...samples];
    });
    const worst = Math.max(...heard.map((sample, i) => Math.abs(sample - (speech[i] ?? 0))));
    expect(worst).toBeLessThan(300); // the coarsest step of the law at this level
  });

  it('RFC 4733 2.5.1.2: all packets of a key carry the timestamp of its start, time goes on after it', async () => {
    const [telephone, peer] = await connected();
    await telephone.key('5');
    await until(() => peer.received.filter(({ payloadType }) => payloadType === EVENTS).length === 7, 10_000);
    const keys = peer.received.filter(({ payloadType }) => payloadType === EVENTS);
    await until(() => (peer.received.at(-1)?.sequence ?? 0) !== keys.at(-1)?.sequence, 10_000);
    expect(new Set(keys.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(keys.map(({ marker }) => marker)).toEqual([true, ...Array(6).fill(false)]);
    expect(keys.map(({ payload }) => payload[0])).toEqual(Array(7).fill(5));
    expect(keys.map(({ payload }) => (payload[1] ?? 0) >>> 7)).toEqual([0, 0, 0, 0, 1, 1, 1]);
    const sequences = peer.received.map(({ sequence }) => sequence);
    expect(sequences.slice(1).every((sequence, i) => ((sequence - (sequences[i] ?? 0)) & 0xffff) === 1)).toBe(
      true,
    );
    const after = peer.received[peer.received.indexOf(keys[6] as (typeof keys)[0]) + 1];
    expect(((after?.timestamp ?? 0) - (keys[0]?.timestamp ?? 0)) >>> 0).toBe(7 * 160);
  });

  it('sends no key to a side that takes none', async () => {
    const [telephone, peer] = await connected(null);
    await telephone.key('5');
    expect(peer.received.every(({ payloadType }) => payloadType === PCMU)).toBe(true);
  });

  it('hears what comes, counts what is missing, late or not RTP', async () => {
    const [telephone, peer] = await connected();
    const loud = new Uint8Array(160).fill(0x00);
    for (let i = 0; i < 5; i++) peer.send(telephone.rtpPort, PCMU, loud);
    peer.packetizer.next(PCMU, false, 160);
    peer.packetizer.advance(160); // one packet that never comes
    peer.send(telephone.rtpPort, PCMU, loud);
    peer.send(telephone.rtpPort, 97, loud);
    peer.sendRaw(telephone.rtpPort, Uint8Array.of(1, 2, 3));
    peer.sendRaw(telephone.rtpPort, new Uint8Array(0));
    await until(() => telephone.counters.received === 6, 10_000);
    expect(telephone.counters).toMatchObject({ lost: 1, late: 0 });
    expect(telephone.heard.samples.length).toBe(7 * 160);
    expect(telephone.heard.firstVoicedAtMs(0)).not.toBeNull();
  });

  it('frees its port', async () => {
    const telephone = await Telephone.open('127.0.0.1');
    await telephone.close();
    const sent = telephone.counters.sent;
    expect(sent).toBe(0);
  });
});
