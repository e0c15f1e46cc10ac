/** Who may talk to the control plane: this box, and the addresses of an allow-list. Thread: main. Pure. */
import { BlockList, isIP } from 'node:net';

/** Addresses and networks, `192.0.2.7, 198.51.100.0/24, 2001:db8::/32`. */
export class AllowList {
  readonly #list = new BlockList();

  /**
   * @param text entries separated by commas; this box is always allowed
   * @throws TypeError or RangeError for what configuration would have refused
   */
  constructor(text: string) {
    for (const entry of text.split(',').map((part) => part.trim())) if (entry !== '') this.#add(entry);
  }

  allows(address: string): boolean {
    const plain = plainAddress(address);
    const family = isIP(plain);
    if (family === 0) return false;
    if (isLoopback(plain)) return true;
    return this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }

  #add(entry: string): void {
    const [address = '', bits] = entry.split('/');
    const type = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) this.#list.addAddress(address, type);
    else this.#list.addSubnet(address, Number(bits), type);
  }
}

/** An IPv4 address as it is written by itself, where a socket for both families shows it inside an IPv6 one (RFC 4291 2.5.5.2). */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** Whether an address is this box itself. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address === 'localhost' || /^127\./.test(address);
}
