/** A leg that echoes, with a fake clock and sockets: what goes in comes out, through tape and ring, without growing delay. */
import { describe, expect, test } from 'vitest';
import { renewRing, renewTape } from '../../src/ring-buffers/renew.ts';
import { LegBench } from './leg-bench.ts';

function echoBench(): LegBench {
  return new LegBench({ isEcho: true });
}

/** First byte of each packet that was sent. */
function sentBytes(bench: LegBench): number[] {
  return bench.ports.sent.map(({ payload }) => payload[0]!);
}

describe('an echo leg', () => {
  test('sends back what it hears, byte for byte, in the same tick in which it is played', () => {
    const bench = echoBench().start();
    for (const byte of [0x81, 0x82, 0x83, 0x84]) {
      bench.packet(byte);
      bench.tick();
    }
    expect(sentBytes(bench)).toEqual([0x81, 0x82, 0x83, 0x84]);
    expect(bench.leg.uplink.jitter.lostPackets).toBe(0);
  });

  test('is silent while nothing comes, and no frame of it is an underrun', async () => {
    const bench = echoBench().start();
    bench.tick(5);
    expect(sentBytes(bench).every((byte) => byte === 0xff)).toBe(true);
    expect((await bench.leg.close()).underrunFrames).toBe(0);
  });

  test('does not lag behind after ticks that were skipped or made up for', () => {
    const bench = echoBench().start();
    bench.packet(0x81);
    bench.tick();
    for (const byte of [0x82, 0x83, 0x84, 0x85, 0x86]) bench.packet(byte);
    bench.nowMs += 100;
    bench.leg.tick({ dueMs: bench.nowMs, ticks: 5, sends: 1 });
    bench.packet(0x87);
    bench.tick();
    expect(sentBytes(bench)).toEqual([0x81, 0x86, 0x87]);
  });

  test('does not pile up what it hears on hold', () => {
    const bench = echoBench().start({ direction: 'recvonly' });
    for (const byte of [0x81, 0x82, 0x83]) {
      bench.packet(byte);
      bench.tick();
    }
    expect(bench.ports.sent).toEqual([]);
    bench.start({ direction: 'sendrecv' });
    bench.packet(0x84);
    bench.tick();
    expect(sentBytes(bench)).toEqual([0x84]);
  });

  test('works on a tape and a ring that an earlier call has used', () => {
    const first = echoBench().start();
    first.packet(0x81);
    first.tick(3);
    renewTape(first.tape);
    renewRing(first.ring);
    const second = new LegBench({ isEcho: true, tape: first.tape, ring: first.ring }).start();
    second.packet(0x91);
    second.tick();
    expect(sentBytes(second)).toEqual([0x91]);
  });
});
