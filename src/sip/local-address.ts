/**
 * Which of our addresses a peer sees: what Contact, Via and SDP must name even when the socket is bound to
 * 0.0.0.0. Thread: main. The kernel's routing table knows; a connected UDP socket asks it without sending.
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** Answers are kept this long, so that a changed route is noticed within a minute. */
const KEPT_MS = 60_000;

/** Most peers remembered; beyond it the oldest goes. */
const MAX_PEERS = 4096;

export class LocalAddresses {
  readonly #fixed: string | undefined;
  readonly #now: () => number;
  readonly #known = new Map<string, { readonly address: string; readonly untilMs: number }>();

  /**
   * @param bindAddress where the socket is bound; `0.0.0.0` or `::` means every interface.
   * @param advertisedAddress what to name instead, whoever asks (a public address behind NAT).
   */
  constructor(bindAddress: string, advertisedAddress?: string, now: () => number = Date.now) {
    const isAny = bindAddress === '0.0.0.0' || bindAddress === '::';
    this.#fixed = advertisedAddress ?? (isAny ? undefined : bindAddress);
    this.#now = now;
  }

  /** The address that `peer` (numeric) reaches us at. @throws never. */
  for(peer: string): string {
    if (this.#fixed !== undefined) return this.#fixed;
    if (peer.startsWith('127.')) return '127.0.0.1';
    const known = this.#known.get(peer);
    if (known !== undefined && known.untilMs > this.#now()) return known.address;
    const address = localAddressTowards(peer) ?? (isIPv6(peer) ? '::1' : '127.0.0.1');
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
 * Source address the kernel would use towards `peer` (numeric), about 60 us.
 * @returns undefined when there is no route. @throws never.
 */
export function localAddressTowards(peer: string): string | undefined {
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
