/**
 * TCP as the earlier programs used it: reads that wait for so many bytes, connects with a limit, listeners that take
 * their clients when they feel like it. Everything on loopback.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** Reads a socket in the manner of a blocking `recv` loop. One reader at a time. */
export class SocketReader {
  readonly #socket: Socket;
  #isOver = false;
  #wake: (() => void) | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    const over = (): void => {
      this.#isOver = true;
      this.#wake?.();
    };
    socket
      .on('readable', () => this.#wake?.())
      .on('end', over)
      .on('close', over)
      .on('error', over);
  }

  /** @returns exactly so many bytes, or null when the stream ended before */
  async take(count: number): Promise<Buffer | null> {
    if (count === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes = this.#socket.read(count) as Buffer | null;
      if (bytes !== null) return bytes.length === count ? bytes : null;
      if (this.#isOver || this.#socket.destroyed) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  /** @returns one length field, or null when the stream ended */
  async word(): Promise<number | null> {
    return (await this.take(4))?.readUInt32BE(0) ?? null;
  }

  /** @returns a frame's payload; null at the end, for a length outside 1..limit and thus for both goodbyes */
  async frame(limitBytes: number): Promise<Buffer | null> {
    const length = await this.word();
    if (length === null || length === 0 || length > limitBytes) return null;
    return this.take(length);
  }
}

/** @returns a connected socket whose errors are ignored, or null when there is none after `limitMs` */
export function connectWithin(port: number, limitMs: number): Promise<Socket | null> {
  const socket = connect({ port, host: LOOPBACK });
  return new Promise((resolve) => {
    const fail = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(null);
    };
    const timer = setTimeout(fail, limitMs);
    socket.on('error', fail).once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

/** A listener that gives out its clients one by one, unread; those not yet taken wait as in a backlog. */
export class Listener {
  readonly #server: Server;
  readonly #waiting: Socket[] = [];
  readonly #open = new Set<Socket>();
  #wake: (() => void) | null = null;
  #isClosed = false;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#open.add(socket);
      socket.on('error', () => {}).on('close', () => this.#open.delete(socket));
      this.#waiting.push(socket);
      this.#wake?.();
    });
  }

  /** @throws the system's error, for example EADDRINUSE */
  static async open(port: number, backlog: number): Promise<Listener> {
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ port, host: LOOPBACK, backlog }, resolve);
    });
    return new Listener(server);
  }

  /** @returns the next client, or null when the listener was closed */
  async accept(): Promise<Socket | null> {
    for (;;) {
      if (this.#isClosed) return null;
      const socket = this.#waiting.shift();
      if (socket !== undefined) return socket;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  /** Clients that have connected and are not yet closed. */
  get openSockets(): number {
    return this.#open.size;
  }

  /** Stops listening and drops every client. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#open) socket.destroy();
    await closed;
  }
}

export function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
