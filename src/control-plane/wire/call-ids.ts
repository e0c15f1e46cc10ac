/**
 * Ids of calls on the wire, and so their ports: 9001+id and 9002+id. Two ids that follow each other share a port
 * (9001+(n+1) = 9002+n), so ids go in steps of two, never over a port that means something else, and rest after
 * use: what is still on its way to an ended call does not reach the next one. Thread: main. Pure.
 */
import { WildfireError } from '../../errors.ts';

export interface CallIdOptions {
  readonly inboundPortBase: number;
  readonly outboundPortBase: number;
  /** Ports that no call may take. */
  readonly reservedPorts: readonly number[];
  /** The first id to try. */
  readonly firstId: number;
  /** How long an id rests after use, ms. */
  readonly restMs: number;
  readonly nowMs: () => number;
}

const STEP = 2;
const MAX_PORT = 65_535;

/** The greatest id whose ports exist. */
export function maxCallId(inboundPortBase: number, outboundPortBase: number): number {
  return MAX_PORT - Math.max(inboundPortBase, outboundPortBase);
}

export interface IdCollision {
  readonly neighbour: number;
  /** What both claim. */
  readonly port: number;
}

/** The two ids whose ports overlap those of `id`: they cannot live beside it on one box. */
export function collisionsOf(id: number, portBases: PortBases): IdCollision[] {
  const { inboundPortBase, outboundPortBase } = portBases;
  const apart = outboundPortBase - inboundPortBase;
  return [
    { neighbour: id - apart, port: inboundPortBase + id },
    { neighbour: id + apart, port: outboundPortBase + id },
  ];
}

export type PortBases = Pick<CallIdOptions, 'inboundPortBase' | 'outboundPortBase'>;

export class CallIds {
  readonly #options: CallIdOptions;
  readonly #maxId: number;
  readonly #used = new Set<number>();
  /** Id -> when it may be used again; oldest first. */
  readonly #resting = new Map<number, number>();
  #next: number;

  constructor(options: CallIdOptions) {
    this.#options = options;
    this.#maxId = maxCallId(options.inboundPortBase, options.outboundPortBase);
    this.#next = options.firstId;
  }

  /** @throws WildfireError PORT_POOL_EMPTY (retryable) when every id is in use or rests */
  take(): number {
    this.#wakeRested();
    for (let tries = 0; tries <= this.#maxId / STEP; tries++) {
      const id = this.#next;
      this.#next = id + STEP > this.#maxId ? id % STEP : id + STEP;
      if (this.#used.has(id) || this.#resting.has(id) || this.#isReserved(id)) continue;
      this.#used.add(id);
      return id;
    }
    throw new WildfireError('PORT_POOL_EMPTY', 'every call id of the control plane is in use or rests', {
      retryable: true,
      context: { used: this.#used.size, resting: this.#resting.size },
    });
  }

  /** Unknown ids are ignored. */
  giveBack(id: number): void {
    if (this.#used.delete(id)) this.#resting.set(id, this.#options.nowMs() + this.#options.restMs);
  }

  get inUse(): number {
    return this.#used.size;
  }

  #isReserved(id: number): boolean {
    const { inboundPortBase, outboundPortBase, reservedPorts } = this.#options;
    return reservedPorts.includes(inboundPortBase + id) || reservedPorts.includes(outboundPortBase + id);
  }

  #wakeRested(): void {
    const nowMs = this.#options.nowMs();
    for (const [id, untilMs] of this.#resting) {
      if (untilMs > nowMs) return;
      this.#resting.delete(id);
    }
  }
}
