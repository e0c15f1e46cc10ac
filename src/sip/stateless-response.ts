/**
 * Responses written from raw headers, for requests that never got a transaction: malformed, unsupported or
 * refused under load. Thread: main. RFC 3261 sections 8.2.6 and 8.2.7.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { RawHead } from './datagram-screen.ts';
import { isHeaderSafe, type SocketAddress, stampVia } from './header-text.ts';

const REASON_PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  415: 'Unsupported Media Type',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  489: 'Bad Event',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'Version Not Supported',
};

/** Most Via lines repeated; a request that came through more hops than Max-Forwards allows is not answered. */
const MAX_VIAS = 70;

export interface StatelessResponse {
  readonly status: number;
  /** Complete header lines without line end, e.g. `Retry-After: 5`. */
  readonly headerLines?: readonly string[];
  readonly reasonPhrase?: string;
}

const tagKey = randomBytes(16);

/** A To tag that is the same for a retransmission of the same request, section 8.2.7. */
export function statelessTag(head: RawHead): string {
  const hmac = createHmac('sha256', tagKey);
  for (const name of ['via', 'call-id', 'cseq', 'from']) hmac.update(head.headers.get(name)?.[0] ?? '');
  return hmac.digest('hex').slice(0, 16);
}

/**
 * Composes the response and says where it goes.
 * @returns undefined when the request gives no Via to answer to.
 */
export function composeStatelessResponse(
  head: RawHead,
  source: SocketAddress,
  response: StatelessResponse,
): { readonly message: string; readonly replyTo: SocketAddress } | undefined {
  const [topVia, ...otherVias] = head.headers.get('via') ?? [];
  if (topVia === undefined || otherVias.length > MAX_VIAS) return undefined;
  const { via, replyTo } = stampVia(topVia, source);
  const phrase = response.reasonPhrase ?? REASON_PHRASES[response.status] ?? 'Error';
  const lines = [
    `SIP/2.0 ${response.status} ${phrase}`,
    `Via: ${via}`,
    ...otherVias.map((other) => `Via: ${other}`),
  ];
  for (const [name, header] of [
    ['From', 'from'],
    ['To', 'to'],
    ['Call-ID', 'call-id'],
    ['CSeq', 'cseq'],
  ] as const) {
    const value = head.headers.get(header)?.[0];
    if (value === undefined) continue;
    lines.push(`${name}: ${header === 'to' ? withTag(value, head) : value}`);
  }
  lines.push(...(response.headerLines ?? []).filter(isHeaderSafe), 'Content-Length: 0', '', '');
  return { message: lines.join('\r\n'), replyTo };
}

function withTag(to: string, head: RawHead): string {
  return /;\s*tag\s*=/i.test(to) ? to : `${to};tag=${statelessTag(head)}`;
}
