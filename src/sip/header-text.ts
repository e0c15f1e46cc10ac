/**
 * Small readers of SIP header text: names with their compact forms, quote-aware splitting, the top Via.
 * Pure. Thread: main. RFC 3261 sections 7.3, 20, 25; RFC 3581 (rport).
 */

/** Compact header names, RFC 3261 section 20 and the extensions that define one. */
const COMPACT_NAMES: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

/** Lower-case full name of a header. */
export function fullHeaderName(name: string): string {
  const lower = name.toLowerCase();
  return lower.length === 1 ? (COMPACT_NAMES[lower] ?? lower) : lower;
}

/** Splits at `separator` outside quotes and angle brackets; parts are trimmed. Linear. */
export function splitOutsideQuotes(text: string, separator: string): string[] {
  if (!text.includes(separator)) return [text.trim()];
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (isQuoted) {
      if (char === '\\') at++;
      else if (char === '"') isQuoted = false;
    } else if (char === '"') isQuoted = true;
    else if (char === '<') depth++;
    else if (char === '>') depth = 0;
    else if (char === separator && depth === 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}

/** Where a message came from or goes to. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * The top Via as the server transport must send it back: `received` and `rport` name the real source, whatever
 * the request claimed there (a claimed `received` would let a stranger aim our responses at a victim).
 *
 * @returns the header value, and where responses go: with rport to the source port, else to the sent-by port.
 */
export function stampVia(via: string, source: SocketAddress): { via: string; replyTo: SocketAddress } {
  const [sentProtocol = '', ...params] = splitOutsideQuotes(via, ';');
  const isRport = params.some((param) => /^rport\s*(=|$)/i.test(param));
  const kept = params.filter((param) => !/^(rport|received|maddr)\s*(=|$)/i.test(param));
  const stamped = [sentProtocol, ...kept, `received=${source.address}`];
  const replyPort = isRport ? source.port : (sentByPort(sentProtocol) ?? 5060);
  if (isRport) stamped.push(`rport=${source.port}`);
  return { via: stamped.join(';'), replyTo: { address: source.address, port: replyPort } };
}

/** Port in the sent-by of a Via (`SIP/2.0/UDP host:port`), undefined when it has none or a bad one. */
function sentByPort(sentProtocol: string): number | undefined {
  const match = /:\s*(\d{1,5})$/.exec(sentProtocol.replace(/\[[^\]]*\]/, ''));
  const port = Number(match?.[1]);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** Where a response with this top Via (stamped by us) goes; undefined when it was not stamped. */
export function replyAddress(via: string): SocketAddress | undefined {
  const received = /;received=([^;\s]+)/.exec(via)?.[1];
  if (received === undefined) return undefined;
  const rport = Number(/;rport=(\d+)/.exec(via)?.[1]);
  const port = rport > 0 ? rport : (sentByPort(via.slice(0, Math.max(0, via.indexOf(';')))) ?? 5060);
  return { address: received, port };
}

/** Host as it stands in a URI or Via: IPv6 in brackets. */
export function uriHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** True for text that is safe inside one header line (no line break or other control character). */
export function isHeaderSafe(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f || code > 0xff) return false;
  }
  return true;
}
