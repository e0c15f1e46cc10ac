/**
 * Source lock: whose packets a leg believes, and so to whom it sends. Guards against injected RTP ("RTP bleed").
 * Thread: media. Hot: `judge` does not allocate. Pure: the clock is passed in.
 * Source: the rules of Asterisk's strictrtp and rtpengine's heuristic learning, made stricter. Walk: step 2.
 *
 * A source is an address, a port and an SSRC. How it may be learnt, best first:
 *   sdp         the address and port of the SDP: believed at once, and whenever it turns up later
 *   sdpAddress  the SDP's address, another port (a NAT or a sender that is not symmetric)
 *   signalling  the address the SIP came from, for callers whose SDP names a private address
 *   nat         any address, only when the SDP names none or a private one and no signalling address is known
 * All but the first need 4 packets in sequence within the latch time after answer or re-INVITE. Everything else is
 * foreign: dropped, counted, never sent to.
 */
import { addToSequence } from './sequence-number.ts';

/** In-sequence packets before a source that is not the SDP's is believed (Asterisk's strictrtp: 4). */
const PROBATION_PACKETS = 4;
/** In-sequence packets before a new SSRC of the locked source is believed (RFC 3550 A.1, MIN_SEQUENTIAL). */
const NEW_SSRC_PACKETS = 2;
/** How long after answer or re-INVITE a source may be learnt. */
export const LATCH_WINDOW_MS = 5000;

/**
 * accepted: believed. newStream: believed, and a new SSRC begins: forget what came before. probation: not yet.
 * foreign: never.
 */
export type SourceVerdict = 'accepted' | 'newStream' | 'probation' | 'foreign';

export interface RemoteEndpoint {
  readonly address: string;
  readonly port: number;
}

export interface SourceExpectation {
  /** From the SDP; null when it names no usable address. */
  readonly remote: RemoteEndpoint | null;
  /** Where the SIP came from, when that is known. */
  readonly signallingAddress: string | null;
}

/** Ranks of how a source was learnt; a better one replaces a worse one. */
const RANKS = { none: 0, nat: 1, signalling: 2, sdpAddress: 3, sdp: 4 } as const;
type Rank = (typeof RANKS)[keyof typeof RANKS];

export class SourceLock {
  #expectation: SourceExpectation = { remote: null, signallingAddress: null };
  #latchUntilMs = 0;
  #rank: Rank = RANKS.none;
  #address = '';
  #port = 0;
  #ssrc = -1;
  #candidateAddress = '';
  #candidatePort = 0;
  #candidateSsrc = -1;
  #candidateSequence = 0;
  #candidatePackets = 0;

  /** Answer or re-INVITE: says whom to expect. A new address or port ends an earlier lock; the same one keeps it. */
  expect(expectation: SourceExpectation, nowMs: number): void {
    const before = this.#expectation.remote;
    const remote = canonicalEndpoint(expectation.remote);
    const { signallingAddress } = expectation;
    const isSame = before?.address === remote?.address && before?.port === remote?.port;
    this.#expectation = {
      remote,
      signallingAddress: signallingAddress === null ? null : canonicalAddress(signallingAddress),
    };
    this.#latchUntilMs = nowMs + LATCH_WINDOW_MS;
    if (isSame) return;
    this.#rank = RANKS.none;
    this.#ssrc = -1;
    this.#candidatePackets = 0;
  }

  /** Whether any source is believed by now. */
  get isLocked(): boolean {
    return this.#rank !== RANKS.none;
  }

  /** SSRC of the believed source; -1 while there is none. */
  get ssrc(): number {
    return this.#ssrc;
  }

  /** Where to send: the believed source, else the SDP's address; '' and 0 when there is neither. */
  get sendAddress(): string {
    return this.isLocked ? this.#address : (this.#expectation.remote?.address ?? '');
  }

  get sendPort(): number {
    return this.isLocked ? this.#port : (this.#expectation.remote?.port ?? 0);
  }

  /** Judges one well-formed RTP packet of a payload type that was agreed on. @throws never */
  judge(address: string, port: number, ssrc: number, sequence: number, nowMs: number): SourceVerdict {
    if (this.#rank !== RANKS.none && port === this.#port && address === this.#address) {
      return ssrc === this.#ssrc ? 'accepted' : this.#considerSsrc(ssrc, sequence);
    }
    const rank = this.#rankOf(address, port);
    if (rank <= this.#rank) return 'foreign';
    if (rank !== RANKS.sdp && nowMs > this.#latchUntilMs) return 'foreign';
    if (rank !== RANKS.sdp || this.#rank !== RANKS.none) {
      const packets = this.#noteCandidate(address, port, ssrc, sequence);
      if (packets < PROBATION_PACKETS) return 'probation';
    }
    return this.#lock(rank, address, port, ssrc);
  }

  /** Whether RTCP from here may be believed: the locked source's address, and its SSRC. @throws never */
  isBelievedRtcp(address: string, ssrc: number): boolean {
    return this.isLocked && address === this.#address && ssrc === this.#ssrc;
  }

  #rankOf(address: string, port: number): Rank {
    const { remote, signallingAddress } = this.#expectation;
    if (remote !== null && remote.address === address)
      return remote.port === port ? RANKS.sdp : RANKS.sdpAddress;
    if (signallingAddress === address) return RANKS.signalling;
    const mayBeNat = remote === null || isPrivateAddress(remote.address);
    return mayBeNat && signallingAddress === null ? RANKS.nat : RANKS.none;
  }

  #lock(rank: Rank, address: string, port: number, ssrc: number): SourceVerdict {
    this.#rank = rank;
    this.#address = address;
    this.#port = port;
    this.#ssrc = ssrc;
    this.#candidatePackets = 0;
    return 'newStream';
  }

  #considerSsrc(ssrc: number, sequence: number): SourceVerdict {
    if (this.#noteCandidate(this.#address, this.#port, ssrc, sequence) < NEW_SSRC_PACKETS) return 'probation';
    this.#ssrc = ssrc;
    this.#candidatePackets = 0;
    return 'newStream';
  }

  // Packets in sequence from one source and SSRC; anything out of step starts the count again.
  #noteCandidate(address: string, port: number, ssrc: number, sequence: number): number {
    const isNext =
      this.#candidatePackets > 0 &&
      port === this.#candidatePort &&
      ssrc === this.#candidateSsrc &&
      sequence === this.#candidateSequence &&
      address === this.#candidateAddress;
    this.#candidatePackets = isNext ? this.#candidatePackets + 1 : 1;
    this.#candidateAddress = address;
    this.#candidatePort = port;
    this.#candidateSsrc = ssrc;
    this.#candidateSequence = addToSequence(sequence, 1);
    return this.#candidatePackets;
  }
}

/**
 * An IPv6 address as the socket layer spells it (RFC 5952), so that addresses can be compared as text.
 * @throws never; what is no IPv6 address is given back
 */
export function canonicalAddress(address: string): string {
  if (!address.includes(':') || !URL.canParse(`http://[${address}]`)) return address;
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function canonicalEndpoint(endpoint: RemoteEndpoint | null): RemoteEndpoint | null {
  return endpoint === null ? null : { address: canonicalAddress(endpoint.address), port: endpoint.port };
}

/**
 * Addresses that mean nothing outside their own network, so that packets from elsewhere point to a NAT:
 * RFC 1918, RFC 6598, link-local, unique local IPv6. Loopback is not among them.
 * @throws never
 */
export function isPrivateAddress(address: string): boolean {
  return (
    /^10\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\./.test(address) ||
    /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(address) ||
    /^f[cd][0-9a-f]{2}:|^fe[89ab][0-9a-f]:/i.test(address)
  );
}
