/**
 * Tells of outside ids of one box that claim one port: whoever bound it first has it, and the other call stays silent and
 * registers again and again. A pair is told of once for as long as that goes on. Thread: main.
 */
import { monotonicMs } from '../../observability/clock.ts';
import type { ControlContext } from '../control-context.ts';
import { isLoopback, plainAddress } from '../net/access.ts';
import { collisionsOf } from '../wire/call-ids.ts';

/** A pair that has not been seen for this long is news again. */
const REMEMBERED_MS = 600_000;

export class IdCollisions {
  readonly #context: Pick<ControlContext, 'settings' | 'count' | 'log'>;
  /** Where each live id has registered from. */
  readonly #boxes = new Map<number, string>();
  /** When each pair was seen last; the longest ago first. */
  readonly #seenAtMs = new Map<string, number>();

  constructor(context: Pick<ControlContext, 'settings' | 'count' | 'log'>) {
    this.#context = context;
  }

  /** An id begins to live. @param address where its REGISTER came from */
  begin(callId: number, address: string): void {
    const box = boxOf(address);
    for (const { neighbour, port } of collisionsOf(callId, this.#context.settings)) {
      if (this.#boxes.get(neighbour) === box) this.#tell(callId, neighbour, port);
    }
    this.#boxes.set(callId, box);
  }

  /** It lives no more. Unknown ids are ignored. */
  end(callId: number): void {
    this.#boxes.delete(callId);
  }

  #tell(callId: number, neighbour: number, port: number): void {
    const nowMs = monotonicMs();
    for (const [pair, seenAtMs] of this.#seenAtMs) {
      if (nowMs - seenAtMs <= REMEMBERED_MS) break;
      this.#seenAtMs.delete(pair);
    }
    const pair = `${Math.min(callId, neighbour)} ${Math.max(callId, neighbour)}`;
    const isKnown = this.#seenAtMs.delete(pair);
    this.#seenAtMs.set(pair, nowMs);
    if (isKnown) return;
    this.#context.count('idCollision');
    this.#context.log.error(
      { callId, neighbour, port },
      `calls ${neighbour} and ${callId} claim one port, ${port}: give calls of one box ids in steps of two`,
    );
  }
}

/** All addresses of the loopback are this box. */
function boxOf(address: string): string {
  const plain = plainAddress(address);
  return isLoopback(plain) ? 'loopback' : plain;
}
