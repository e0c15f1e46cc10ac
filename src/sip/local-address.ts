/**
 * Which of our addresses a peer sees: what Contact, Via and SDP must name even when the socket is bound to
 * 0.0.0.0. Thread: main. The kernel's routing table knows; a connected UDP socket asks it without sending.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { WildfireError } from '../errors.ts';

/** Answers are kept this long, so that a changed route is noticed within a minute. */
const KEPT_MS = 60_000;

/** Most peers remembered; beyond it the oldest goes. */
const MAX_PEERS = 4096;

export class LocalAddresses {
  readonly #bound: string | undefined;
  readonly #advertised: string | undefined;
  readonly #now: () => number;
  readonly #known = new Map<string, { readonly address: string; readonly untilMs: number }>();

  /**
   * @param bindAddress where the socket is bound; `0.0.0.0` or `::` means every interface.
   * @param advertisedAddress what to name instead, whoever asks (a public address behind NAT).
   */
  constructor(bindAddress: string, advertisedAddress?: string, now: () => number = Date.now) {
    const isAny = bindAddress === '0.0.0.0' || bindAddress === '::';
    this.#bound = isAny ? undefined : bindAddress;
    this.#advertised = advertisedAddress;
    this.#now = now;
  }

  /** The address to name in messages to `peer` (numeric). @throws never. */
  advertisedFor(peer: string): string {
    return this.#advertised ?? this.interfaceFor(peer);
  }

  /** The address of the interface that leads to `peer` (numeric); a socket can be bound to it. @throws never. */
  interfaceFor(peer: string): string {
    if (this.#bound !== undefined) return this.#bound;
    if (peer.startsWith('127.')) return '127.0.0.1';
    const known = this.#known.get(peer);
    if (known !== undefined && known.untilMs > this.#now()) return known.address;
    const address = routeSource(peer) ?? (isIPv6(peer) ? '::1' : '127.0.0.1');
    this.#known.delete(peer);
    if (this.#known.size >= MAX_PEERS) this.#forgetOldest();
    this.#known.set(peer, { address, untilMs: this.#now() + KEPT_MS });
    return address;
  }

  #forgetOldest(): void {
    for (const peer of this.#known.keys()) {
      this.#known.delete(peer);
      return;
    }
  }
}

/**
 * Our address on the way to a host, for a caller that binds before it dials.
 * @param host numeric address or name. @throws WildfireError SIP_TRANSPORT when the name or the route is unknown.
 */
export async function localAddressTowards(host: string): Promise<string> {
  const peer = isIP(host) === 0 ? await resolve(host) : host;
  if (peer.startsWith('127.')) return '127.0.0.1';
  const address = peer === '' ? undefined : routeSource(peer);
  if (address === undefined) throw new WildfireError('SIP_TRANSPORT', `there is no way to ${host}`);
  return address;
}

/** First IPv4 address of a name; empty when it has none. */
function resolve(name: string): Promise<string> {
  return lookup(name, { family: 4 }).then(
    ({ address }) => address,
    () => '',
  );
}

/** Source address the kernel would use towards `peer`, about 60 us; undefined when there is no route. */
function routeSource(peer: string): string | undefined {
  const family = isIPv6(peer) ? 6 : 4;
  // With a lookup that answers at once, bind and connect are done when the calls return.
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  socket.on('error', () => undefined);
  try {
    socket.bind({ port: 0, exclusive: true });
    socket.connect(9, peer);
    return socket.address().address;
  } catch {
    return undefined; // no route to the peer
  } finally {
    socket.close();
  }
}
