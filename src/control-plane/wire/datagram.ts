/**
 * The registration datagrams: `REGISTER:<id>` and `BYE:<id>`, plain ASCII without newline, NUL or length.
 * Thread: main. Pure. What is not one of them is null, never an exception.
 */

export interface Datagram {
  readonly kind: 'register' | 'bye';
  /** What stands behind the colon: who, as wire/identity.ts reads it. */
  readonly payload: string;
}

/** The earlier receivers read this much at most. */
export const MAX_DATAGRAM_BYTES = 256;

const PREFIXES = { register: 'REGISTER:', bye: 'BYE:' } as const;

/** One datagram as it came. White space around the payload is dropped. */
export function parseDatagram(bytes: Uint8Array): Datagram | null {
  if (bytes.length > MAX_DATAGRAM_BYTES) return null;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  for (const kind of ['register', 'bye'] as const) {
    const prefix = PREFIXES[kind];
    if (text.startsWith(prefix)) return { kind, payload: text.slice(prefix.length).trim() };
  }
  return null;
}

/** The bytes of one datagram. */
export function datagramBytes({ kind, payload }: Datagram): Uint8Array {
  return Buffer.from(`${PREFIXES[kind]}${payload}`, 'latin1');
}
