/** A link that comes back: every row of its table, on a fake clock and with a dialler that does as it is told. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DialHandlers } from '../../../src/control-plane/net/dialler.ts';
import { LINK_TABLE, type LinkEvent, PersistentLeg } from '../../../src/control-plane/net/persistent-leg.ts';
import { byeFrame, LEG_RULES, lengthPrefixed } from '../../../src/control-plane/wire/frames.ts';

const RETRY = {
  fastAttempts: 2,
  fastMs: 200,
  slowAttempts: 1,
  slowMs: 1000,
  backoffFactor: 2,
  maxMs: 4000,
  jitter: 0,
  maxAttempts: 0,
};

/** As much of a socket as a leg touches. */
class FakeSocket extends EventEmitter {
  written: string[] = [];
  writableLength = 0;
  destroyed = false;
  setKeepAlive(): this {
    return this;
  }
  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes).toString('latin1'));
    return true;
  }
  end(bytes?: Uint8Array): this {
    if (bytes !== undefined) this.write(bytes);
    return this;
  }
  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
  destroySoon(): void {}
  destroy(): void {
    this.destroyed = true;
  }
}

class Bed {
  readonly dials: DialHandlers[] = [];
  readonly counted: string[] = [];
  readonly ups: number[] = [];
  givenUp = 0;
  downs = 0;
  readonly leg: PersistentLeg;

  constructor(maxAttempts = 0) {
    this.leg = new PersistentLeg({
      endpoint: () => ({ host: '127.0.0.1', port: 8083 }),
      dial: (_endpoint, handlers) => {
        this.dials.push(handlers);
        return () => {
          this.givenUp += 1;
        };
      },
      rules: LEG_RULES.textBack,
      health: { keepAliveMs: 5000, stallTimeoutMs: 10_000 },
      retry: { ...RETRY, maxAttempts },
      random: () => 0.5,
      hello: () => lengthPrefixed('112'),
      onUp: (_tookMs, misses) => this.ups.push(misses),
      onFrame: () => {},
      onDown: () => {
        this.downs += 1;
      },
      count: (reason) => this.counted.push(reason),
    });
  }

  connect(): FakeSocket {
    const socket = new FakeSocket();
    this.dials.at(-1)?.onConnected(socket as unknown as Socket, 1);
    return socket;
  }

  fail(): void {
    this.dials.at(-1)?.onFailed('connectRefused');
  }
}

describe('a persistent leg', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('says HELLO first and then what it is given', () => {
    const bed = new Bed();
    expect(bed.leg.send(Uint8Array.of(1))).toBe(false);
    bed.leg.want();
    bed.leg.want();
    expect(bed.dials).toHaveLength(1);
    const socket = bed.connect();
    expect(bed.leg.send(lengthPrefixed('hi'))).toBe(true);
    expect(socket.written).toEqual(['\0\0\0\x03112', '\0\0\0\x02hi']);
  });

  it('tries again at its pace until somebody is there', async () => {
    const bed = new Bed();
    bed.leg.want();
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 6; attempt++) {
      bed.fail();
      let ms = 0;
      for (; bed.dials.length === attempt; ms += 100) await vi.advanceTimersByTimeAsync(100);
      pauses.push(ms);
    }
    expect(pauses).toEqual([200, 200, 1000, 2000, 4000, 4000]);
    bed.connect();
    expect(bed.ups).toEqual([6]);
  });

  it('connects again at once when a steady connection is lost, and slower when it was lost at once', async () => {
    const bed = new Bed();
    bed.leg.want();
    let socket = bed.connect();
    await vi.advanceTimersByTimeAsync(1500);
    socket.emit('end');
    expect(bed.dials).toHaveLength(2);
    expect(socket.destroyed).toBe(true);
    socket = bed.connect();
    socket.emit('end');
    expect(bed.dials).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(bed.dials).toHaveLength(3);
    expect(bed.downs).toBe(2);
    expect(bed.ups).toEqual([0, 0]);
  });

  it('rests after the peer has said BYE, until it is wanted', () => {
    const bed = new Bed();
    bed.leg.want();
    bed.connect().emit('data', byeFrame());
    expect(bed.leg.state).toBe('idle');
    expect(bed.dials).toHaveLength(1);
    bed.leg.want();
    expect(bed.dials).toHaveLength(2);
  });

  it('cuts a wait short when the peer shows itself', () => {
    const bed = new Bed();
    bed.leg.want();
    bed.fail();
    bed.leg.retryNow();
    expect(bed.dials).toHaveLength(2);
    bed.leg.retryNow();
    expect(bed.dials).toHaveLength(2);
  });

  it('gives up after so many attempts, and begins anew when it is wanted', async () => {
    const bed = new Bed(2);
    bed.leg.want();
    bed.fail();
    await vi.advanceTimersByTimeAsync(200);
    bed.fail();
    expect(bed.leg.state).toBe('idle');
    expect(bed.counted).toEqual(['connectRefused', 'connectRefused', 'attemptsExhausted']);
    bed.leg.want();
    expect(bed.dials).toHaveLength(3);
  });

  it('leaves nothing behind, in whatever state it is closed', async () => {
    const dialling = new Bed();
    dialling.leg.want();
    dialling.leg.close(byeFrame());
    expect(dialling.givenUp).toBe(1);
    const waiting = new Bed();
    waiting.leg.want();
    waiting.fail();
    waiting.leg.close();
    const up = new Bed();
    up.leg.want();
    const socket = up.connect();
    up.leg.close(byeFrame());
    up.leg.close(byeFrame());
    expect(socket.written.filter((bytes) => bytes === '\xff\xff\xff\xff')).toHaveLength(1);
    socket.emit('close');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vi.getTimerCount()).toBe(0);
    expect([dialling, waiting, up].map(({ dials }) => dials.length)).toEqual([1, 1, 1]);
  });

  it('has a cell for closing in every state, and none that leaves "closed"', () => {
    for (const [state, row] of Object.entries(LINK_TABLE)) {
      expect(row.close?.next ?? state).toBe('closed');
      const events: readonly LinkEvent[] = ['wanted', 'connected', 'failed', 'retryDue', 'lost', 'peerBye'];
      for (const event of events) if (state === 'closed') expect(LINK_TABLE.closed[event]).toBeUndefined();
    }
  });
});
