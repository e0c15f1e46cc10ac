/**
 * One connected leg: frames in, bytes out, closed in exactly one place and told of exactly once. Notices a peer that
 * is gone (keep-alive of the kernel) and one that takes nothing any more (stall). Thread: main.
 */
import type { Socket } from 'node:net';
import { type Frame, FrameReader } from '../wire/frame-reader.ts';
import type { LegRules } from '../wire/frames.ts';

/** Why a leg is over. `peerBye`: a frame said so; `peerClosed`: the stream ended without one. */
export type CloseReason = 'peerBye' | 'peerClosed' | 'peerLost' | 'stalled' | 'invalidFrame' | 'closedHere';

export interface LegHealth {
  /** Silence after which the kernel asks the peer, once a second, ten times, whether it is there; never with bytes on their way. */
  readonly keepAliveMs: number;
  /** Bytes that wait, and of which the peer takes none for this long, end the leg. */
  readonly stallTimeoutMs: number;
}

export interface LegHandlers {
  /** Every frame but the last one, which is a reason for onClosed. */
  readonly onFrame: (frame: Exclude<Frame, { kind: 'bye' | 'invalid' }>) => void;
  /** Once, whoever closed. `detail`: which rule an invalid frame broke, or the error of the system. */
  readonly onClosed: (reason: CloseReason, detail: string) => void;
}

/** Time for the last bytes to leave, and then for the peer to close its side, before the socket is destroyed. */
const FLUSH_LIMIT_MS = 5_000;
const LINGER_MS = 1_000;

export class FramedSocket {
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #stallTimeoutMs: number;
  #handlers: LegHandlers;
  #stallTimer: NodeJS.Timeout | null = null;
  #isClosed = false;
  /** What the system said before it closed the socket. */
  #systemError = '';

  constructor(socket: Socket, rules: LegRules, health: LegHealth, handlers: LegHandlers) {
    this.#socket = socket;
    this.#reader = new FrameReader(rules);
    this.#stallTimeoutMs = health.stallTimeoutMs;
    this.#handlers = handlers;
    socket.setKeepAlive(true, health.keepAliveMs);
    socket.on('data', (bytes: Uint8Array) => this.#onData(bytes));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#systemError = error.code ?? 'unknown';
    });
    socket.on('end', () => this.#finish('peerClosed', ''));
    socket.on('close', () =>
      this.#finish(this.#systemError === '' ? 'peerClosed' : 'peerLost', this.#systemError),
    );
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes that the kernel has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** From now on frames and the end go to someone else. */
  handOver(handlers: LegHandlers): void {
    this.#handlers = handlers;
  }

  /** Sends pieces in one go. Bytes for a closed leg are dropped. */
  send(...pieces: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece, this.#onWritten);
    this.#socket.uncork();
    if (this.#socket.writableLength > 0) this.#watchStall();
  }

  /** Stops or goes on reading: what is not read stays in the kernel, and then with the sender. */
  setPaused(isPaused: boolean): void {
    if (this.#isClosed) return;
    if (isPaused) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Ends the leg, with `lastBytes` (a BYE) when it still stands. Safe to call more than once. */
  close(lastBytes?: Uint8Array): void {
    this.#finish('closedHere', '', lastBytes);
  }

  #onData(bytes: Uint8Array): void {
    for (const frame of this.#reader.push(bytes)) {
      if (this.#isClosed) return;
      if (frame.kind === 'bye') return this.#finish('peerBye', '');
      if (frame.kind === 'invalid') return this.#finish('invalidFrame', frame.reason);
      this.#handlers.onFrame(frame);
    }
  }

  // 'drain' tells only of what had passed the high-water mark, and over TLS even the smallest write waits for a moment.
  readonly #onWritten = (): void => {
    this.#clearStall();
    if (!this.#isClosed && this.#socket.writableLength > 0) this.#watchStall();
  };

  #watchStall(): void {
    this.#stallTimer ??= setTimeout(() => this.#finish('stalled', ''), this.#stallTimeoutMs);
  }

  #clearStall(): void {
    if (this.#stallTimer !== null) clearTimeout(this.#stallTimer);
    this.#stallTimer = null;
  }

  // The only place that closes this socket.
  #finish(reason: CloseReason, detail: string, lastBytes?: Uint8Array): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#clearStall();
    if (lastBytes === undefined || this.#socket.destroyed) this.#socket.destroy();
    else this.#linger(lastBytes);
    this.#handlers.onClosed(reason, detail);
  }

  // Closed at once, a socket that still gets bytes answers with a reset, and the peer may lose the goodbye.
  #linger(lastBytes: Uint8Array): void {
    const socket = this.#socket;
    const destroy = (): void => void socket.destroy();
    let timer = setTimeout(destroy, FLUSH_LIMIT_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.resume(); // what still comes is dropped
    socket.end(lastBytes, () => {
      clearTimeout(timer);
      if (!socket.destroyed) timer = setTimeout(destroy, LINGER_MS);
    });
  }
}
