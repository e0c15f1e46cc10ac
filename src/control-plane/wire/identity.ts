/**
 * Who a datagram or a HELLO comes from: the call id in decimal, and with a shared secret a signature behind it,
 * `112;1764331200;<32 hex digits>`: the time in seconds and a MAC over purpose, id and time. Thread: main.
 * Without a secret this is the earlier protocol byte for byte. Decision: docs/adr/0007-control-plane-security.md.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * What a signature is good for: one for a HELLO is none for a BYE. `hearing`: the HELLO of a Whisper that asks for a
 * caller's speech, which no HELLO said to a neighbour may do.
 */
export type IdentityPurpose = 'register' | 'bye' | 'hello' | 'hearing';

export type IdentityRefusal = 'idInvalid' | 'signatureMissing' | 'signatureWrong' | 'signatureOld';

/** How far two clocks may be apart, and how long a signature overheard could be used again. */
const SIGNATURE_LIFE_S = 30;
const MAC_HEX_DIGITS = 32;
const ID_DIGITS = /^\d{1,10}$/;

export class Identity {
  readonly #secret: string;
  readonly #maxId: number;
  readonly #nowS: () => number;

  /** @param secret '' takes and gives plain ids. @param maxId greater ids have no ports. */
  constructor(secret: string, maxId: number, nowS: () => number = () => Math.floor(Date.now() / 1000)) {
    this.#secret = secret;
    this.#maxId = maxId;
    this.#nowS = nowS;
  }

  /** Whether there is a secret, so that whoever is asked for a HELLO can prove it. */
  get isSigned(): boolean {
    return this.#secret !== '';
  }

  /** The payload that names a call. */
  stamp(purpose: IdentityPurpose, callId: number): string {
    if (this.#secret === '') return String(callId);
    const atS = this.#nowS();
    return `${callId};${atS};${this.#mac(purpose, callId, atS)}`;
  }

  /** The call that a payload names, or why it is not believed. */
  read(purpose: IdentityPurpose, payload: string): number | IdentityRefusal {
    const [id = '', at, mac] = payload.trim().split(';');
    const callId = Number(id);
    if (!ID_DIGITS.test(id) || callId > this.#maxId) return 'idInvalid';
    if (this.#secret === '') return at === undefined ? callId : 'idInvalid';
    if (at === undefined || mac === undefined) return 'signatureMissing';
    const atS = Number(at);
    if (!isEqual(mac, this.#mac(purpose, callId, atS))) return 'signatureWrong';
    return Math.abs(this.#nowS() - atS) <= SIGNATURE_LIFE_S ? callId : 'signatureOld';
  }

  #mac(purpose: IdentityPurpose, callId: number, atS: number): string {
    const mac = createHmac('sha256', this.#secret).update(`${purpose}:${callId}:${atS}`);
    return mac.digest('hex').slice(0, MAC_HEX_DIGITS);
  }
}

function isEqual(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given, 'latin1'), Buffer.from(wanted, 'latin1')];
  return a.length === b.length && timingSafeEqual(a, b);
}
