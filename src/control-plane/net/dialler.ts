/**
 * Connects without ever being waited for: each attempt has its own time limit, and no number of addresses that
 * swallow packets keeps a reachable one from its turn: when too many are under way, the oldest is given up.
 * Thread: main.
 */
import type { Socket } from 'node:net';
import { monotonicMs } from '../../observability/clock.ts';
import type { Endpoint, Transport } from './transport.ts';

export type DialFailure = 'connectTimeout' | 'connectRefused' | 'connectFailed' | 'connectEvicted';

export interface DialHandlers {
  /** The socket may be used and is the receiver's to close. */
  readonly onConnected: (socket: Socket, tookMs: number) => void;
  readonly onFailed: (reason: DialFailure) => void;
}

/** Begins one connection. @returns gives it up; then neither handler is called */
export type Dial = (endpoint: Endpoint, handlers: DialHandlers) => () => void;

export interface DiallerOptions {
  readonly transport: Transport;
  readonly timeoutMs: number;
  /** Attempts under way at once. */
  readonly maxPending: number;
}

export class Dialler {
  readonly #options: DiallerOptions;
  /** Attempts under way, oldest first, each with what gives it up. */
  readonly #pending = new Set<Attempt>();

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#pending.size;
  }

  readonly dial: Dial = (endpoint, handlers) => {
    const oldest = this.#pending.values().next().value;
    if (this.#pending.size >= this.#options.maxPending) oldest?.fail('connectEvicted');
    const attempt: Attempt = new Attempt(endpoint, this.#options, {
      onConnected: (socket, tookMs) => {
        this.#pending.delete(attempt);
        handlers.onConnected(socket, tookMs);
      },
      onFailed: (reason) => {
        this.#pending.delete(attempt);
        handlers.onFailed(reason);
      },
    });
    this.#pending.add(attempt);
    return () => {
      this.#pending.delete(attempt);
      attempt.giveUp();
    };
  };

  close(): void {
    for (const attempt of this.#pending) attempt.giveUp();
    this.#pending.clear();
  }
}

class Attempt {
  readonly #socket: Socket;
  readonly #handlers: DialHandlers;
  readonly #timer: NodeJS.Timeout;
  #isOver = false;

  constructor(endpoint: Endpoint, { transport, timeoutMs }: DiallerOptions, handlers: DialHandlers) {
    const startedAtMs = monotonicMs();
    const { socket, readyEvent } = transport.dial(endpoint);
    this.#socket = socket;
    this.#handlers = handlers;
    this.#timer = setTimeout(() => this.fail('connectTimeout'), timeoutMs);
    const onError = (error: NodeJS.ErrnoException): void => {
      this.fail(error.code === 'ECONNREFUSED' ? 'connectRefused' : 'connectFailed');
    };
    const onClose = (): void => this.fail('connectFailed');
    socket.on('error', onError).once('close', onClose);
    socket.once(readyEvent, () => {
      if (!this.#settle()) return;
      socket.off('error', onError).off('close', onClose);
      handlers.onConnected(socket, monotonicMs() - startedAtMs);
    });
  }

  /** A socket given up may still report an error: nobody is left to hear it. */
  fail(reason: DialFailure): void {
    if (!this.#settle()) return;
    this.#socket.on('error', () => {}).destroy();
    this.#handlers.onFailed(reason);
  }

  giveUp(): void {
    if (this.#settle()) this.#socket.on('error', () => {}).destroy();
  }

  #settle(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearTimeout(this.#timer);
    return true;
  }
}
