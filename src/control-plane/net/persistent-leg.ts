/**
 * A leg that we dial and that comes back: connects, says HELLO, and when the connection is lost connects again by
 * the retry policy, for as long as it is wanted. Thread: main. The states are a table.
 *
 *   idle --wanted--> dialling --connected--> up --lost--> dialling      up --peerBye--> idle (until wanted again)
 *   dialling --failed--> waiting --retryDue--> dialling                 up --lostAtOnce--> waiting
 */
import { monotonicMs } from '../../observability/clock.ts';
import type { LegRules } from '../wire/frames.ts';
import { delayAfterMs, type RetryPolicy } from '../wire/retry-policy.ts';
import type { Dial, DialFailure } from './dialler.ts';
import { FramedSocket, type LegHandlers, type LegHealth } from './framed-socket.ts';
import type { Endpoint } from './transport.ts';

export type LinkState = 'idle' | 'dialling' | 'waiting' | 'up' | 'closed';
export type LinkEvent =
  | 'wanted'
  | 'connected'
  | 'failed'
  | 'exhausted'
  | 'retryDue'
  | 'lost'
  | 'lostAtOnce'
  | 'peerBye'
  | 'close';
type LinkAction = 'dial' | 'schedule' | 'none';

interface LinkCell {
  readonly next: LinkState;
  readonly action: LinkAction;
}

/** State x event -> next state and what to do; an event without a cell changes nothing. */
export const LINK_TABLE: Readonly<Record<LinkState, Readonly<Partial<Record<LinkEvent, LinkCell>>>>> = {
  idle: { wanted: { next: 'dialling', action: 'dial' }, close: { next: 'closed', action: 'none' } },
  dialling: {
    connected: { next: 'up', action: 'none' },
    failed: { next: 'waiting', action: 'schedule' },
    close: { next: 'closed', action: 'none' },
  },
  waiting: {
    retryDue: { next: 'dialling', action: 'dial' },
    exhausted: { next: 'idle', action: 'none' },
    close: { next: 'closed', action: 'none' },
  },
  up: {
    lost: { next: 'dialling', action: 'dial' },
    // A peer that hangs up at once would be dialled without a pause.
    lostAtOnce: { next: 'waiting', action: 'schedule' },
    peerBye: { next: 'idle', action: 'none' },
    close: { next: 'closed', action: 'none' },
  },
  closed: {},
};

export interface PersistentLegOptions {
  /** Asked before each attempt: a peer may have moved. */
  readonly endpoint: () => Endpoint;
  readonly dial: Dial;
  readonly rules: LegRules;
  readonly health: LegHealth;
  readonly retry: RetryPolicy;
  /** 0..1; tests pass their own. */
  readonly random: () => number;
  /** The first bytes of each connection. */
  readonly hello: () => Uint8Array;
  /** Connected and HELLO said. `tookMs` of this attempt; `misses`: attempts before it that met nobody. */
  readonly onUp: (tookMs: number, misses: number) => void;
  readonly onFrame: LegHandlers['onFrame'];
  readonly onDown: () => void;
  readonly count: (reason: string) => void;
}

/** A connection that did not stand this long is no success: its peer may refuse everything after the HELLO. */
const STEADY_MS = 1_000;

export class PersistentLeg {
  readonly #options: PersistentLegOptions;
  #state: LinkState = 'idle';
  #leg: FramedSocket | null = null;
  #giveUp: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  /** Attempts since it was last up that met nobody. */
  #misses = 0;
  #upSinceMs = 0;

  constructor(options: PersistentLegOptions) {
    this.#options = options;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Bytes that the peer has not taken yet. */
  get unsentBytes(): number {
    return this.#leg?.unsentBytes ?? 0;
  }

  /** Connects unless it does, or is. */
  want(): void {
    this.#step('wanted');
  }

  /** The peer has shown signs of life: a wait is cut short. */
  retryNow(): void {
    if (this.#state !== 'waiting') return;
    this.#clearTimer();
    this.#step('retryDue');
  }

  /** The peer gives no answer: this connection is given up, and another one made at once. */
  renew(): void {
    if (this.#state !== 'up') return;
    this.#options.count('peerSilent');
    this.#leg?.close();
    this.#step('lost');
  }

  /** @returns whether the bytes went to a connected peer; if not, they are the caller's to keep */
  send(...pieces: readonly Uint8Array[]): boolean {
    if (this.#state !== 'up' || this.#leg === null) return false;
    this.#leg.send(...pieces);
    return true;
  }

  /** Ends it for good, with `lastBytes` (a BYE) when it stands. */
  close(lastBytes?: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#step('close');
    this.#clearTimer();
    this.#giveUp?.();
    this.#giveUp = null;
    this.#leg?.close(lastBytes);
    this.#leg = null;
  }

  #step(event: LinkEvent): void {
    const cell = LINK_TABLE[this.#state][event];
    if (cell === undefined) return;
    this.#state = cell.next;
    if (cell.action === 'dial') this.#dial();
    else if (cell.action === 'schedule') this.#schedule();
  }

  #dial(): void {
    const { dial, endpoint } = this.#options;
    this.#giveUp = dial(endpoint(), {
      onConnected: (socket, tookMs) => {
        this.#giveUp = null;
        const { rules, health, hello, onFrame, onUp } = this.#options;
        const leg = new FramedSocket(socket, rules, health, {
          onFrame,
          onClosed: (reason) => this.#onClosed(leg, reason),
        });
        this.#leg = leg;
        this.#upSinceMs = monotonicMs();
        leg.send(hello());
        this.#step('connected');
        const misses = this.#misses;
        this.#misses = 0;
        onUp(tookMs, misses);
      },
      onFailed: (reason) => this.#onFailed(reason),
    });
  }

  #onFailed(reason: DialFailure): void {
    this.#giveUp = null;
    this.#failures += 1;
    this.#misses += 1;
    this.#options.count(reason);
    this.#step('failed');
  }

  #schedule(): void {
    const { retry, random } = this.#options;
    const delayMs = delayAfterMs(retry, this.#failures, random());
    if (delayMs === null) {
      this.#failures = 0;
      this.#options.count('attemptsExhausted');
      return this.#step('exhausted');
    }
    this.#timer = setTimeout(() => this.#step('retryDue'), delayMs);
  }

  #onClosed(leg: FramedSocket, reason: string): void {
    if (this.#leg !== leg) return;
    this.#leg = null;
    const wasSteady = monotonicMs() - this.#upSinceMs >= STEADY_MS;
    if (wasSteady) this.#failures = 0;
    this.#options.onDown();
    if (reason === 'closedHere') return;
    this.#options.count(reason);
    if (reason === 'peerBye') return this.#step('peerBye');
    if (wasSteady) return this.#step('lost');
    this.#failures += 1;
    this.#step('lostAtOnce');
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
