/**
 * SDP text to data and back. Never throws on what a stranger sent: a fault is a result with a reason word.
 * Pure. Thread: main. RFC 8866 (SDP), read leniently: LF alone ends a line, unknown lines and attributes are kept
 * out of the way, only what a call needs must be right.
 */

/** Longest SDP read; real ones have 200 to 2,000 characters. */
export const MAX_SDP_CHARACTERS = 8192;
/** Most m= lines; real offers have 1 to 4. Each must be answered, so this also bounds the answer. */
export const MAX_MEDIA = 32;
const MAX_LINES = 512;
const MAX_FORMATS = 64;

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface Connection {
  readonly family: 'IP4' | 'IP6';
  /** Numeric address or host name, without TTL. */
  readonly address: string;
}

export interface MediaDescription {
  /** `audio`, `video`, ... */
  readonly kind: string;
  /** 0: not used or refused. */
  readonly port: number;
  /** `RTP/AVP`, ... */
  readonly protocol: string;
  /** Payload types for RTP. */
  readonly formats: readonly string[];
  /** Its own c= line, else that of the session, else null. */
  readonly connection: Connection | null;
  /** Its own direction, else that of the session, else sendrecv. */
  readonly direction: Direction;
  /** Attributes of this medium, in order; value null for `a=flag`. */
  readonly attributes: readonly Attribute[];
}

export interface Attribute {
  readonly name: string;
  readonly value: string | null;
}

export interface SessionDescription {
  readonly media: readonly MediaDescription[];
}

export type ParsedSdp =
  | { readonly ok: true; readonly session: SessionDescription }
  | { readonly ok: false; readonly reason: SdpFault };

export type SdpFault =
  | 'empty'
  | 'too_large'
  | 'too_many_lines'
  | 'too_many_media'
  | 'bad_line'
  | 'bad_version'
  | 'bad_origin'
  | 'bad_connection'
  | 'bad_media';

const DIRECTIONS: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
const TOKEN = /^[!#-'*+\-.0-9A-Z^-~]+$/;
const HOST = /^[0-9A-Za-z.:%_-]{1,255}$/;

/** A medium (or the session) while its lines are read. */
interface Section {
  kind: string;
  port: number;
  protocol: string;
  formats: string[];
  connection: Connection | null;
  direction: Direction | null;
  attributes: Attribute[];
}

/** Reads an SDP. @throws never; time is linear in its length. */
export function parseSdp(text: string): ParsedSdp {
  if (text.trim() === '') return fault('empty');
  if (text.length > MAX_SDP_CHARACTERS) return fault('too_large');
  const lines = text.split(/\r?\n/);
  while (lines.at(-1) === '') lines.pop();
  if (lines.length > MAX_LINES) return fault('too_many_lines');
  if (lines[0]?.trimEnd() !== 'v=0') return fault('bad_version');
  const session = emptySection();
  const media: Section[] = [];
  for (const line of lines.slice(1)) {
    const problem = readLine(line, session, media);
    if (problem !== undefined) return fault(problem);
  }
  return { ok: true, session: { media: media.map((section) => finish(section, session)) } };
}

function fault(reason: SdpFault): ParsedSdp {
  return { ok: false, reason };
}

function emptySection(): Section {
  return {
    kind: '',
    port: 0,
    protocol: '',
    formats: [],
    connection: null,
    direction: null,
    attributes: [],
  };
}

function readLine(line: string, session: Section, media: Section[]): SdpFault | undefined {
  if (line[1] !== '=' || !/^[a-z]/.test(line)) return 'bad_line';
  const value = line.slice(2).trimEnd();
  const section = media.at(-1) ?? session;
  switch (line[0]) {
    case 'm':
      return readMedia(value, media);
    case 'c':
      return readConnection(value, section);
    case 'o':
      return value.split(' ').length === 6 ? undefined : 'bad_origin';
    case 'a':
      readAttribute(value, section);
      return undefined;
    default:
      return undefined;
  }
}

/** `audio 49170 RTP/AVP 0 8` or `audio 49170/2 RTP/AVP 0`. */
function readMedia(value: string, media: Section[]): SdpFault | undefined {
  if (media.length >= MAX_MEDIA) return 'too_many_media';
  const [kind = '', portText = '', protocol = '', ...formats] = value.split(/ +/);
  const port = /^(\d{1,5})(?:\/\d{1,4})?$/.exec(portText)?.[1];
  const isWhole = TOKEN.test(kind) && port !== undefined && /^[A-Za-z0-9/]+$/.test(protocol);
  if (!isWhole || Number(port) > 65_535) return 'bad_media';
  if (formats.length === 0 || formats.length > MAX_FORMATS) return 'bad_media';
  if (!formats.every((format) => TOKEN.test(format))) return 'bad_media';
  media.push({ ...emptySection(), kind: kind.toLowerCase(), port: Number(port), protocol, formats });
  return undefined;
}

/** `IN IP4 192.0.2.1`, with a TTL behind a slash for multicast. */
function readConnection(value: string, section: Section): SdpFault | undefined {
  const [net, family, address = '', ...rest] = value.split(' ');
  const host = address.split('/')[0] as string;
  if (net !== 'IN' || (family !== 'IP4' && family !== 'IP6') || rest.length > 0) return 'bad_connection';
  if (!HOST.test(host)) return 'bad_connection';
  section.connection ??= { family, address: host };
  return undefined;
}

function readAttribute(value: string, section: Section): void {
  const colon = value.indexOf(':');
  const name = (colon === -1 ? value : value.slice(0, colon)).toLowerCase();
  section.attributes.push({ name, value: colon === -1 ? null : value.slice(colon + 1).trim() });
  if (DIRECTIONS.includes(name)) section.direction = name as Direction;
}

function finish(section: Section, session: Section): MediaDescription {
  return {
    kind: section.kind,
    port: section.port,
    protocol: section.protocol,
    formats: section.formats,
    connection: section.connection ?? session.connection,
    direction: section.direction ?? session.direction ?? 'sendrecv',
    attributes: section.attributes,
  };
}

/** Values of an attribute that stands for one payload type (`rtpmap:101 telephone-event/8000`), by that type. */
export function attributeByFormat(media: MediaDescription, name: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const attribute of media.attributes) {
    const match = attribute.name === name ? /^(\d{1,3}) +(.+)$/.exec(attribute.value ?? '') : null;
    if (match !== null && !values.has(match[1] as string)) values.set(match[1] as string, match[2] as string);
  }
  return values;
}

/** First attribute of this name; undefined when there is none. */
export function attributeValue(media: MediaDescription, name: string): string | null | undefined {
  return media.attributes.find((attribute) => attribute.name === name)?.value;
}

/** True for an address nobody can be sent to: how RFC 2543 put a call on hold. */
export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || /^[0:]+$/.test(address);
}
