/**
 * Our UDP transport under sip.js: one datagram socket, routing of what leaves, and our own address written into
 * it. Thread: main. RFC 3261 section 18, RFC 3581; RFC 3263 without SRV (numeric hosts or one address look-up).
 *
 * sip.js composes messages before anyone knows where they go. So it writes a placeholder host into Via, Contact
 * and From, and `send` puts the address in that the destination can reach us at. The placeholder is random and
 * never leaves the process, so nobody can send it to us.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup as resolveName } from 'node:dns';
import { isIP } from 'node:net';
import { WildfireError } from '../errors.ts';
import type { SipCounters } from './counters.ts';
import { replyAddress, type SocketAddress, uriHost } from './header-text.ts';
import { LocalAddresses } from './local-address.ts';

/** Kernel receive buffer: 200 kB loses datagrams at 50,000 per second, 4 MB none (where rmem_max allows it). */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** A resolved name is used this long before it is asked for again. */
const NAME_KEPT_MS = 30_000;
const MAX_NAMES = 1024;

export interface UdpTransportOptions {
  readonly bindAddress: string;
  readonly port: number;
  readonly advertisedAddress?: string | undefined;
  readonly counters: SipCounters;
  readonly onDatagram: (bytes: Buffer, source: SocketAddress) => void;
}

export class UdpTransport {
  /** What sip.js writes into Via. */
  readonly protocol = 'UDP';
  /** Host that sip.js is given for Via, Contact and From; replaced by `address:port` on the way out. */
  readonly placeholderHost = `wf${randomBytes(8).toString('hex')}.invalid`;
  readonly localAddresses: LocalAddresses;
  readonly address: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #counters: SipCounters;
  readonly #placeholders = new RegExp(this.placeholderHost, 'g');
  readonly #names = new Map<string, { readonly address: string; readonly untilMs: number }>();
  #isClosed = false;

  /** Binds the socket. @throws WildfireError PORT_IN_USE, or CONFIG_INVALID for an address that is not ours. */
  static async start(options: UdpTransportOptions): Promise<UdpTransport> {
    const family = isIP(options.bindAddress) === 6 ? 6 : 4;
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      ipv6Only: family === 6, // IPv4 has its own socket; mapped addresses would stand in Contact and SDP
      // Destinations are numeric when they get here: no trip through the resolver's thread pool per packet.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    await bind(socket, options);
    return new UdpTransport(socket, options);
  }

  private constructor(socket: Socket, options: UdpTransportOptions) {
    this.#socket = socket;
    this.#counters = options.counters;
    const bound = socket.address();
    this.address = bound.address;
    this.port = bound.port;
    this.localAddresses = new LocalAddresses(options.bindAddress, options.advertisedAddress);
    socket.on('error', () => this.#counters.count('failed', 'socket'));
    socket.on('message', (bytes: Buffer, from: RemoteInfo) => {
      if (!this.#isClosed) options.onDatagram(bytes, { address: from.address, port: from.port });
    });
  }

  /**
   * Sends what sip.js composed: a response to where its top Via says (stamped by us on arrival), a request to
   * its first Route or its Request-URI. Never rejects: loss is the timers' business, a bad address is counted.
   */
  async send(message: string): Promise<void> {
    const isResponse = message.startsWith('SIP/2.0 ');
    const destination = isResponse ? replyAddress(topVia(message)) : await this.#numeric(nextHop(message));
    if (destination !== undefined) this.sendTo(message, destination);
    else this.#counters.count('dropped', isResponse ? 'no_reply_address' : 'no_next_hop');
  }

  /** Sends text (latin1) to a numeric address. @throws never. */
  sendTo(message: string, destination: SocketAddress): void {
    if (this.#isClosed) return;
    const ours = `${uriHost(this.localAddresses.advertisedFor(destination.address))}:${this.port}`;
    const bytes = Buffer.from(message.replace(this.#placeholders, ours), 'latin1');
    try {
      this.#socket.send(bytes, destination.port, destination.address, (error) => {
        if (error !== null) this.#counters.count('dropped', 'send_failed');
      });
      this.#counters.count('sent', message.startsWith('SIP/2.0 ') ? 'response' : 'request');
    } catch {
      this.#counters.count('dropped', 'bad_destination'); // port 0, or an address of the other family
    }
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }

  /** The next hop as a numeric address. Undefined when its name does not resolve. */
  #numeric(hop: SocketAddress | undefined): SocketAddress | undefined | Promise<SocketAddress | undefined> {
    if (hop === undefined || isIP(hop.address) !== 0) return hop;
    const known = this.#names.get(hop.address);
    if (known !== undefined && known.untilMs > Date.now()) return { address: known.address, port: hop.port };
    const family = isIP(this.address) === 6 ? 6 : 4;
    return new Promise((resolve) => {
      resolveName(hop.address, { family }, (error, address) => {
        resolve(error === null ? { address, port: hop.port } : undefined);
        if (error !== null) return;
        if (this.#names.size >= MAX_NAMES) this.#names.clear();
        this.#names.set(hop.address, { address, untilMs: Date.now() + NAME_KEPT_MS });
      });
    });
  }
}

function topVia(response: string): string {
  return /\r\nVia: ([^\r]*)/.exec(response)?.[1] ?? '';
}

function bind(socket: Socket, options: UdpTransportOptions): Promise<void> {
  const { bindAddress, port } = options;
  return new Promise((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(bindError(error, bindAddress, port));
    });
    socket.bind({ address: bindAddress, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      try {
        socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
      } catch {
        // The system allows less; SIP alone does not need it.
      }
      resolve();
    });
  });
}

function bindError(error: NodeJS.ErrnoException, address: string, port: number): WildfireError {
  const where = `${uriHost(address)}:${port}`;
  const context = { address, port };
  if (error.code === 'EADDRINUSE') {
    return new WildfireError('PORT_IN_USE', `SIP port ${where} (UDP) is already in use`, { context });
  }
  return new WildfireError('CONFIG_INVALID', `cannot listen for SIP on ${where} (UDP): ${error.message}`, {
    context,
    cause: error,
  });
}

const URI_TARGET = /^(?:[^<]*<)?sips?:(?:[^@>\s]*@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?/i;

/** Where a request goes next: first Route, else Request-URI; port 5060 unless told. RFC 3261 section 8.1.2. */
export function nextHop(request: string): SocketAddress | undefined {
  const headEnd = request.indexOf('\r\n\r\n');
  const head = headEnd === -1 ? request : request.slice(0, headEnd);
  const target = /\r\nRoute: ([^\r]*)/i.exec(head)?.[1] ?? /^\S+ (\S+) /.exec(head)?.[1] ?? '';
  const match = URI_TARGET.exec(target);
  if (match === null) return undefined;
  const port = match[2] === undefined ? 5060 : Number(match[2]);
  if (port < 1 || port > 65_535) return undefined;
  return { address: (match[1] as string).replace(/^\[|\]$/g, ''), port };
}
