/**
 * Port pool: even RTP ports in random order, each resting for a while after use, so that the last packets of one
 * call are never heard in the next. Thread: main. Not hot. Pure: clock and randomness are passed in.
 * Source: RFC 3550 section 11 (even port for RTP, the next for RTCP); quarantine as LiveKit SIP does it.
 */
import { WildfireError } from '../errors.ts';

export interface PortPoolOptions {
  readonly portFirst: number;
  readonly portLast: number;
  /** How long a port rests after use, ms. */
  readonly quarantineMs: number;
  readonly nowMs: () => number;
  /** A whole number in 0..bound-1. */
  readonly randomBelow: (bound: number) => number;
}

export class PortPool {
  readonly #options: PortPoolOptions;
  readonly #free: number[] = [];
  readonly #used = new Set<number>();
  /** Oldest first: every port rests equally long. */
  readonly #resting: { readonly port: number; readonly untilMs: number }[] = [];

  /** @throws WildfireError CONFIG_INVALID when the range holds no even port with its odd neighbour. */
  constructor(options: PortPoolOptions) {
    this.#options = options;
    const first = options.portFirst + (options.portFirst % 2);
    for (let port = first; port + 1 <= options.portLast; port += 2) this.#free.push(port);
    if (this.#free.length > 0) return;
    throw new WildfireError(
      'CONFIG_INVALID',
      `no RTP port pair in ${options.portFirst}..${options.portLast}`,
    );
  }

  /** Ports in use now. */
  get usedPorts(): number {
    return this.#used.size;
  }

  /**
   * Takes one port at random.
   * @throws WildfireError PORT_POOL_EMPTY (retryable) when every port is in use or resting.
   */
  take(): number {
    this.#wakeRested();
    if (this.#free.length === 0) {
      throw new WildfireError('PORT_POOL_EMPTY', 'every RTP port is in use or in quarantine', {
        retryable: true,
        context: { usedPorts: this.#used.size, restingPorts: this.#resting.length },
      });
    }
    const index = this.#options.randomBelow(this.#free.length);
    const port = this.#free[index]!;
    this.#free[index] = this.#free[this.#free.length - 1]!;
    this.#free.pop();
    this.#used.add(port);
    return port;
  }

  /** Gives a port back; it rests before it is handed out again. Unknown ports are ignored. */
  giveBack(port: number): void {
    if (!this.#used.delete(port)) return;
    this.#resting.push({ port, untilMs: this.#options.nowMs() + this.#options.quarantineMs });
  }

  #wakeRested(): void {
    const nowMs = this.#options.nowMs();
    while (this.#resting.length > 0 && this.#resting[0]!.untilMs <= nowMs)
      this.#free.push(this.#resting.shift()!.port);
  }
}
