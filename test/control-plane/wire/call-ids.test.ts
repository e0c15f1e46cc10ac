/** Ids of calls never share a port, rest after use, and run out with a clear error. */
import { describe, expect, it } from 'vitest';
import {
  type CallIdOptions,
  CallIds,
  collisionsOf,
  maxCallId,
} from '../../../src/control-plane/wire/call-ids.ts';

const BASES = { inboundPortBase: 9001, outboundPortBase: 9002 };

function ids(options: Partial<CallIdOptions> = {}): CallIds {
  return new CallIds({ ...BASES, reservedPorts: [], firstId: 100, restMs: 1000, nowMs: () => 0, ...options });
}

describe('ids of calls', () => {
  it('have ports that overlap no other', () => {
    const made = ids();
    const ports = Array.from({ length: 1000 }, () => made.take()).flatMap((id) => [9001 + id, 9002 + id]);
    expect(new Set(ports).size).toBe(2000);
  });

  it('collide when they follow each other, as the earlier system let them', () => {
    expect(collisionsOf(112, BASES)).toEqual([
      { neighbour: 111, port: 9113 },
      { neighbour: 113, port: 9114 },
    ]);
    const apart = { inboundPortBase: 9006, outboundPortBase: 9001 };
    expect(collisionsOf(112, apart)).toEqual([
      { neighbour: 117, port: 9118 },
      { neighbour: 107, port: 9113 },
    ]);
  });

  it('leave out reserved ports', () => {
    const made = ids({ reservedPorts: [9002 + 104, 9001 + 108] });
    expect([made.take(), made.take(), made.take(), made.take()]).toEqual([100, 102, 106, 110]);
  });

  it('end where ports end, and begin again', () => {
    expect(maxCallId(9001, 9002)).toBe(56_533);
    const made = ids({ firstId: 56_532 });
    expect([made.take(), made.take()]).toEqual([56_532, 0]);
  });

  it('rest after use', () => {
    let nowMs = 0;
    const made = ids({ nowMs: () => nowMs, inboundPortBase: 65_531, outboundPortBase: 65_532, firstId: 0 });
    expect([made.take(), made.take()]).toEqual([0, 2]);
    made.giveBack(2);
    made.giveBack(2);
    expect(() => made.take()).toThrow(expect.objectContaining({ code: 'PORT_POOL_EMPTY', retryable: true }));
    nowMs = 1001;
    expect(made.take()).toBe(2);
    expect(made.inUse).toBe(2);
  });
});
