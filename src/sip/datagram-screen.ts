/**
 * Looks at a datagram before any parser does: size, framing by bytes, one of each header that must be there,
 * numbers in range. What it passes is small and complete; sip.js takes messages without From, with two
 * Content-Lengths or a CSeq of another method for good. Thread: main. RFC 3261 sections 7, 8.1.1, 18.3; the
 * reasons follow the messages of RFC 4475. Pure.
 */
import type { Buffer } from 'node:buffer';
import { fullHeaderName, splitOutsideQuotes } from './header-text.ts';
import {
  MAX_CSEQ,
  MAX_DATAGRAM_BYTES,
  MAX_DELTA_SECONDS,
  MAX_HEADER_LINES,
  MAX_LINE_BYTES,
  MAX_LISTED_ADDRESSES,
  MAX_MAX_FORWARDS,
} from './limits.ts';

/** Raw header values by lower-case full name, in order. */
export type RawHeaders = ReadonlyMap<string, readonly string[]>;

/** Start line and headers as text, good enough to answer 400. */
export interface RawHead {
  /** Method of a request, undefined for a response. */
  readonly method: string | undefined;
  readonly headers: RawHeaders;
}

export type Screened =
  | { readonly kind: 'keepalive' }
  | { readonly kind: 'dropped'; readonly reason: string }
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string; readonly head: RawHead }
  | PassedDatagram;

export interface PassedDatagram {
  readonly kind: 'passed';
  readonly head: RawHead;
  /** Start line and unfolded headers, one Via per line, ending in an empty line; latin1, byte for byte. */
  readonly headText: string;
  /** Exactly Content-Length bytes, as UTF-8. */
  readonly body: string;
}

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const REQUEST_LINE = /^([A-Za-z0-9\-.!%*_+`'~]+) (\S+) SIP\/2\.0$/i;
const OTHER_VERSION_LINE = /^([A-Za-z0-9\-.!%*_+`'~]+) \S+ SIP\/\d+\.\d+$/i;
const STATUS_LINE = /^SIP\/2\.0 [1-6]\d\d /i;
/** Header fields that may stand once only. */
const SINGLE_HEADERS = ['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-length', 'content-type'];
const MANDATORY_HEADERS = ['via', 'from', 'to', 'call-id', 'cseq'];
const DELTA_SECONDS_HEADERS = ['expires', 'min-expires', 'retry-after'];

/** Judges one datagram. @throws never. */
export function screenDatagram(bytes: Buffer): Screened {
  if (bytes.length > MAX_DATAGRAM_BYTES) return { kind: 'dropped', reason: 'too_large' };
  const start = firstTextByte(bytes);
  if (start === bytes.length) return { kind: 'keepalive' };
  const headEnd = bytes.indexOf('\r\n\r\n', start, 'latin1');
  if (headEnd === -1) return { kind: 'dropped', reason: 'no_header_end' };
  const text = bytes.toString('latin1', start, headEnd);
  if (hasBareLineBreak(text)) return { kind: 'dropped', reason: 'bare_line_break' };
  return screenHead(text, bytes.subarray(headEnd + 4));
}

/** CRLF before the start line is ignored, RFC 3261 section 7.5; a datagram of only that is a keep-alive. */
function firstTextByte(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length && (bytes[at] === 0x0d || bytes[at] === 0x0a || bytes[at] === 0)) at++;
  return at;
}

/** A CR or LF alone would become a line of its own in the response that repeats the header. */
function hasBareLineBreak(text: string): boolean {
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    if (text.charCodeAt(at - 1) !== 0x0d) return true;
  }
  for (let at = text.indexOf('\r'); at !== -1; at = text.indexOf('\r', at + 1)) {
    if (text.charCodeAt(at + 1) !== 0x0a) return true;
  }
  return false;
}

function screenHead(text: string, bodyBytes: Buffer): Screened {
  const lines = (/\r\n[ \t]/.test(text) ? text.replace(/(?:[ \t]*\r\n[ \t]+)+/g, ' ') : text).split('\r\n');
  const startLine = lines[0] ?? '';
  const isResponse = STATUS_LINE.test(startLine);
  const method = /^[^ ]+/.exec(startLine)?.[0] ?? '';
  const headers = new Map<string, string[]>();
  const syntaxFault = collectHeaders(lines, headers);
  const head: RawHead = { method: isResponse ? undefined : method, headers };
  const refusal =
    startLineFault(startLine, isResponse) ??
    (syntaxFault === undefined ? undefined : { status: 400, reason: syntaxFault }) ??
    headerFault(head) ??
    bodyFault(headers, bodyBytes.length);
  if (refusal !== undefined) return refuse(head, refusal);
  const contentLength = headers.get('content-length')?.[0];
  const bodyLengthBytes = contentLength === undefined ? bodyBytes.length : Number(contentLength);
  return {
    kind: 'passed',
    head,
    headText: headText(startLine, lines, headers),
    body: bodyBytes.toString('utf8', 0, bodyLengthBytes),
  };
}

interface Fault {
  readonly status: number;
  readonly reason: string;
}

/** Only a request that is not an ACK and that we could answer is answered. */
function refuse(head: RawHead, fault: Fault): Screened {
  const isAnswerable = head.method !== undefined && head.method !== 'ACK' && TOKEN.test(head.method);
  if (!isAnswerable || !head.headers.has('via')) return { kind: 'dropped', reason: fault.reason };
  return { kind: 'refused', status: fault.status, reason: fault.reason, head };
}

/** Fills `headers`; returns the reason word of the first line that cannot be read. */
function collectHeaders(lines: readonly string[], headers: Map<string, string[]>): string | undefined {
  let fault: string | undefined = lines.length - 1 > MAX_HEADER_LINES ? 'too_many_headers' : undefined;
  if ((lines[0]?.length ?? 0) > MAX_LINE_BYTES) fault ??= 'line_too_long';
  const lastLine = Math.min(lines.length, MAX_HEADER_LINES + 1);
  for (let index = 1; index < lastLine; index++) {
    const line = lines[index] as string;
    if (line.length > MAX_LINE_BYTES) {
      fault ??= 'line_too_long';
      continue;
    }
    const colon = line.indexOf(':');
    const name = colon > 0 ? line.slice(0, colon).trimEnd() : '';
    if (!TOKEN.test(name)) {
      fault ??= 'header_syntax';
      continue;
    }
    addHeader(headers, fullHeaderName(name), line.slice(colon + 1).trim());
  }
  return fault;
}

function addHeader(headers: Map<string, string[]>, name: string, value: string): void {
  const values = name === 'via' ? splitOutsideQuotes(value, ',') : [value];
  const present = headers.get(name);
  if (present === undefined) headers.set(name, values);
  else present.push(...values);
}

function startLineFault(line: string, isResponse: boolean): Fault | undefined {
  if (isResponse || REQUEST_LINE.test(line)) return undefined;
  if (OTHER_VERSION_LINE.test(line)) return { status: 505, reason: 'bad_version' };
  return { status: 400, reason: 'start_line' };
}

function headerFault(head: RawHead): Fault | undefined {
  const { headers } = head;
  for (const name of MANDATORY_HEADERS) {
    if (!headers.get(name)?.[0]) return { status: 400, reason: `missing_${name.replace('-', '_')}` };
  }
  for (const name of SINGLE_HEADERS) {
    if ((headers.get(name)?.length ?? 0) > 1) {
      return { status: 400, reason: `duplicate_${name.replace('-', '_')}` };
    }
  }
  return cseqFault(head) ?? maxForwardsFault(head) ?? numberFault(headers) ?? listFault(headers);
}

function listFault(headers: RawHeaders): Fault | undefined {
  let addresses = 0;
  for (const name of ['contact', 'record-route']) {
    for (const value of headers.get(name) ?? [])
      addresses += value.split(',', MAX_LISTED_ADDRESSES + 1).length;
  }
  return addresses > MAX_LISTED_ADDRESSES ? { status: 400, reason: 'too_many_addresses' } : undefined;
}

function cseqFault(head: RawHead): Fault | undefined {
  const match = /^(\d+)[ \t]+(\S+)$/.exec(head.headers.get('cseq')?.[0] ?? '');
  if (match === null) return { status: 400, reason: 'cseq_syntax' };
  if (Number(match[1]) > MAX_CSEQ) return { status: 400, reason: 'cseq_range' };
  if (head.method !== undefined && match[2] !== head.method) return { status: 400, reason: 'cseq_method' };
  return undefined;
}

/** A client of RFC 2543 (no magic cookie in its branch) may leave Max-Forwards out, one of RFC 3261 may not. */
function maxForwardsFault(head: RawHead): Fault | undefined {
  if (head.method === undefined) return undefined;
  const value = head.headers.get('max-forwards')?.[0];
  if (value === undefined) {
    const isNewClient = /;\s*branch\s*=\s*z9hG4bK/i.test(head.headers.get('via')?.[0] ?? '');
    return isNewClient ? { status: 400, reason: 'missing_max_forwards' } : undefined;
  }
  if (!/^\d+$/.test(value)) return { status: 400, reason: 'max_forwards_syntax' };
  return Number(value) > MAX_MAX_FORWARDS ? { status: 400, reason: 'max_forwards_range' } : undefined;
}

function numberFault(headers: RawHeaders): Fault | undefined {
  for (const name of DELTA_SECONDS_HEADERS) {
    const digits = /^\d+/.exec(headers.get(name)?.[0] ?? '')?.[0];
    if (digits !== undefined && Number(digits) > MAX_DELTA_SECONDS) {
      return { status: 400, reason: `${name.replace('-', '_')}_range` };
    }
  }
  for (const contact of headers.get('contact') ?? []) {
    const digits = /;\s*expires\s*=\s*(\d+)/i.exec(contact)?.[1];
    if (digits !== undefined && Number(digits) > MAX_DELTA_SECONDS) {
      return { status: 400, reason: 'contact_expires_range' };
    }
  }
  return undefined;
}

function bodyFault(headers: RawHeaders, bodyLengthBytes: number): Fault | undefined {
  const value = headers.get('content-length')?.[0];
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) return { status: 400, reason: 'content_length_syntax' };
  return Number(value) > bodyLengthBytes ? { status: 400, reason: 'short_body' } : undefined;
}

/** The head for the parser; written anew only when a Via line carried several values. */
function headText(startLine: string, lines: readonly string[], headers: RawHeaders): string {
  const vias = headers.get('via') ?? [];
  const viaLines = lines.filter((line) => isViaLine(line));
  if (viaLines.length === vias.length) return `${lines.join('\r\n')}\r\n\r\n`;
  const others = lines.slice(1).filter((line) => !isViaLine(line));
  return `${[startLine, ...vias.map((via) => `Via: ${via}`), ...others].join('\r\n')}\r\n\r\n`;
}

function isViaLine(line: string): boolean {
  const first = line.charCodeAt(0) | 0x20;
  return first === 0x76 && /^v(?:ia)?[ \t]*:/i.test(line);
}
