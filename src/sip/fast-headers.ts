/**
 * Readers for the plain shapes of the headers every message carries; anything unusual is left to the grammar.
 * sip.js's grammar costs about 30 us per header field even with its table kept, a reader here 1 to 2 us.
 * What a reader accepts, it must read as the grammar does (one test compares them on thousands of values).
 * Pure; all expressions are linear. Thread: main. RFC 3261 section 25.
 */
import { NameAddrHeader, URI } from 'sip.js/lib/core/index.js';

type Parameters = Record<string, string | null>;

const TOKEN = "[A-Za-z0-9\\-.!%*_+`'~]+";
const CALL_ID = /^[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+(?:@[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+)?$/;
/** Methods the grammar knows; it stumbles over others that begin like one (`BYEX`). */
const METHOD = 'INVITE|ACK|BYE|CANCEL|OPTIONS|INFO';
const CSEQ = new RegExp(`^(\\d{1,10})[ \\t]+(${METHOD})$`);
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d) ([A-Za-z0-9 \-._']*)$/;
const REQUEST_LINE = new RegExp(`^(${METHOD}) (\\S+) SIP/2\\.0$`);
const PLAIN_URI =
  /^(sips?):(?:([A-Za-z0-9\-_.!~*'()&=+$,;?/]+)@)?([A-Za-z0-9.-]+)(?::(\d{1,5}))?((?:;[A-Za-z0-9\-_.!~*'()[\]/:&+$=]+)*)$/;
const NAME_ADDR = new RegExp(
  // quoted string with its escapes, or tokens; then <uri>; then parameters
  '^(?:"((?:[ \\t!#-\\[\\]-~\\x80-\\xff]|\\\\[\\x00-\\x09\\x0b\\x0c\\x0e-\\x7f])*)"' +
    "|([A-Za-z0-9][A-Za-z0-9\\-.!_+'~]*(?: [A-Za-z0-9\\-.!_+'~]+)*))?[ \\t]*<([^<>]+)>(.*)$",
);
const VIA = /^SIP\/2\.0\/(UDP|TCP|TLS) ([A-Za-z0-9.-]+)(?::(\d{1,5}))?(;.*)?$/;
const HEADER_PARAM = new RegExp(`^[ \\t]*(${TOKEN})(?:=(${TOKEN}))?[ \\t]*$`);
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** URI parameters whose values the grammar treats in a way of its own. */
const SPECIAL_URI_PARAMS = new Set(['user', 'method', 'ttl', 'maddr', 'transport', 'lr']);

/** Reads `input` as the grammar's `rule` would; undefined: ask the grammar. @throws never. */
export function parseFast(input: string, rule: string): unknown {
  const reader = READERS[rule];
  return reader === undefined ? undefined : reader(input);
}

const READERS: Readonly<Record<string, (input: string) => unknown>> = {
  Request_Response: readStartLine,
  Via: readVia,
  From: readFromTo,
  To: readFromTo,
  from: readFromTo,
  to: readFromTo,
  Contact: readAddressList,
  Record_Route: readAddressList,
  SIP_URI: readUri,
  CSeq: readCseq,
  Call_ID: (input) => (CALL_ID.test(input) ? input : undefined),
  Max_Forwards: readNumber,
  Content_Length: readNumber,
  Content_Type: (input) => (input === 'application/sdp' ? input : undefined),
};

function readNumber(input: string): number | undefined {
  return /^\d{1,9}$/.test(input) ? Number(input) : undefined;
}

function readCseq(input: string): { value: number; method: string } | undefined {
  const match = CSEQ.exec(input);
  return match === null ? undefined : { value: Number(match[1]), method: match[2] as string };
}

function readStartLine(input: string): unknown {
  const request = REQUEST_LINE.exec(input);
  if (request !== null) {
    const uri = readUri(request[2] as string);
    return uri && { method: request[1], uri, sip_version: 'SIP/2.0' };
  }
  const status = STATUS_LINE.exec(input);
  if (status === null) return undefined;
  return { sip_version: 'SIP/2.0', status_code: Number(status[1]), reason_phrase: status[2] };
}

function readVia(input: string): unknown {
  const match = VIA.exec(input);
  if (match === null) return undefined;
  const [, transport, host = '', port, paramText] = match;
  const hostType = IPV4.test(host) ? 'IPv4' : HOST.test(host) ? 'domain' : undefined;
  const params = readParams(paramText ?? '');
  if (hostType === undefined || params === undefined) return undefined;
  return viaFrom({ protocol: 'SIP', transport, host_type: hostType, host }, port, params);
}

function viaFrom(via: Record<string, unknown>, port: string | undefined, params: Parameters): unknown {
  if (port !== undefined) {
    if (Number(port) > 65_535) return undefined;
    via.port = Number(port);
  }
  for (const [name, value] of Object.entries(params)) {
    if (name === 'branch') via.branch = value;
    else if (name === 'rport' && value === null) via.params = { rport: undefined };
    else if (name === 'rport' && /^\d{1,5}$/.test(value ?? '')) via.rport = value;
    else if (name === 'received' && IPV4.test(value ?? '')) via.received = value;
    else return undefined; // ttl, maddr, extensions
  }
  return via.branch === null ? undefined : via;
}

function readFromTo(input: string): NameAddrHeader | undefined {
  return readNameAddr(input);
}

/** One address only; lists go to the grammar. */
function readAddressList(input: string): unknown {
  const parsed = readNameAddr(input);
  return parsed && [{ position: input.length, offset: 0, parsed }];
}

function readNameAddr(input: string): NameAddrHeader | undefined {
  const match = NAME_ADDR.exec(input);
  if (match === null) return undefined;
  const [, quoted, unquoted, uriText = '', paramText = ''] = match;
  const uri = readUri(uriText);
  const params = readParams(paramText);
  if (uri === undefined || params === undefined) return undefined;
  return new NameAddrHeader(uri, (quoted ?? unquoted) as string, params as { [name: string]: string });
}

/** `;name=value;name`, names in lower case; undefined when a value is quoted, empty or repeated. */
function readParams(text: string): Parameters | undefined {
  const params: Parameters = {};
  if (text === '') return params;
  const parts = text.split(';');
  if ((parts[0] as string).trim() !== '') return undefined;
  for (let index = 1; index < parts.length; index++) {
    const match = HEADER_PARAM.exec(parts[index] as string);
    const name = match?.[1]?.toLowerCase();
    if (name === undefined || name in params) return undefined;
    params[name] = match?.[2] ?? null;
  }
  return params;
}

function readUri(text: string): URI | undefined {
  const match = PLAIN_URI.exec(text);
  if (match === null) return undefined;
  const [, scheme, user, host = '', port, paramText = ''] = match;
  if (!IPV4.test(host) && !HOST.test(host)) return undefined;
  const params = readUriParams(paramText);
  if (params === undefined || Number(port) > 65_535) return undefined;
  const portNumber = port === undefined ? undefined : Number(port);
  return new URI(scheme, user as string, host, portNumber, params as { [name: string]: string });
}

function readUriParams(text: string): Parameters | undefined {
  const params: Parameters = {};
  if (text === '') return params;
  for (const part of text.slice(1).split(';')) {
    const equals = part.indexOf('=');
    const name = (equals === -1 ? part : part.slice(0, equals)).toLowerCase();
    const value = equals === -1 ? null : part.slice(equals + 1);
    if (name === '' || value === '' || value?.includes('=') || name in params) return undefined;
    if (name.startsWith('lr') && name !== 'lr') return undefined; // the grammar's own opinion
    if (SPECIAL_URI_PARAMS.has(name) && !isPlainSpecial(name, value)) return undefined;
    params[name] = name === 'transport' ? (value as string).toLowerCase() : value;
  }
  return params;
}

function isPlainSpecial(name: string, value: string | null): boolean {
  if (name === 'lr') return value === null;
  if (name === 'user') return value === 'phone';
  return name === 'transport' && value !== null && /^(?:udp|tcp|tls)$/i.test(value);
}
