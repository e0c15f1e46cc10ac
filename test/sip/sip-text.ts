/** Builds SIP messages for tests, and catches what a user agent sends without a network. */
import { vi } from 'vitest';
import type { SocketAddress } from '../../src/sip/header-text.ts';
import { UdpTransport } from '../../src/sip/udp-transport.ts';

export const PEER: SocketAddress = { address: '127.0.0.1', port: 5099 };

export const SDP =
  'v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

export interface RequestText {
  readonly method?: string;
  readonly uri?: string;
  readonly callId?: string;
  readonly branch?: string;
  readonly cseq?: number;
  readonly toTag?: string;
  /** Header lines instead of those of the same name; `null` takes a line out. */
  readonly replace?: Readonly<Record<string, string | null>>;
  /** Header lines added at the end. */
  readonly add?: readonly string[];
  readonly body?: string;
}

let serial = 0;

/** A valid request, changed where the options say. */
export function requestText(options: RequestText = {}): string {
  serial++;
  const { method = 'INVITE', uri = 'sip:bob@127.0.0.1', body = method === 'INVITE' ? SDP : '' } = options;
  const callId = options.callId ?? `call-${serial}`;
  const headers: Record<string, string | null> = {
    Via: `Via: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bK-${options.branch ?? serial};rport`,
    'Max-Forwards': 'Max-Forwards: 70',
    From: `From: "Alice" <sip:alice@127.0.0.1>;tag=from-${callId}`,
    To: `To: <sip:bob@127.0.0.1>${options.toTag === undefined ? '' : `;tag=${options.toTag}`}`,
    'Call-ID': `Call-ID: ${callId}`,
    CSeq: `CSeq: ${options.cseq ?? 1} ${method}`,
    Contact: 'Contact: <sip:alice@127.0.0.1:5099>',
    'Content-Type': body === '' ? null : 'Content-Type: application/sdp',
    'Content-Length': `Content-Length: ${Buffer.byteLength(body)}`,
    ...options.replace,
  };
  const lines = Object.values(headers).filter((line) => line !== null);
  return [`${method} ${uri} SIP/2.0`, ...lines, ...(options.add ?? []), '', body].join('\r\n');
}

export interface SentMessage {
  readonly text: string;
  readonly to: SocketAddress;
}

/** Catches every message from now on; nothing reaches the network. */
export function catchSent(): SentMessage[] {
  const sent: SentMessage[] = [];
  vi.spyOn(UdpTransport.prototype, 'sendTo').mockImplementation((text, to) => {
    sent.push({ text, to });
  });
  return sent;
}

/** Status code of a response; 0 for a request. */
export function statusOf(message: SentMessage | undefined): number {
  return Number(/^SIP\/2\.0 (\d{3})/.exec(message?.text ?? '')?.[1] ?? 0);
}

/** First value of a header, by its full name. */
export function headerOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)$`, 'mi').exec(text)?.[1]?.trimEnd();
}
