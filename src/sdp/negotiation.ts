/**
 * Offer and answer for one audio stream: PCMU or PCMA, telephone-event beside it. Pure. Thread: main.
 * RFC 3264 (offer/answer), RFC 6337 (its practice), RFC 4566/8866 attributes, RFC 4733 (telephone-event).
 */
import { WildfireError } from '../errors.ts';
import {
  attributeByFormat,
  attributeValue,
  type Direction,
  isUnspecified,
  type MediaDescription,
  parseSdp,
} from './session-description.ts';

export type Codec = 'PCMU' | 'PCMA';

/** What both sides agreed on, in the fields that `MediaClient.startLeg` takes. */
export interface NegotiatedMedia {
  readonly codec: Codec;
  /** RTP payload type of the codec. */
  readonly payloadType: number;
  /** RTP payload type of RFC 4733 events at 8,000 Hz; null when not agreed. */
  readonly telephoneEventPayloadType: number | null;
  /** Where our RTP goes; null while the peer names no usable address (old hold, host name): wait for its RTP. */
  readonly remote: { readonly address: string; readonly port: number } | null;
  /** Audio per packet that we send, ms. */
  readonly ptimeMs: number;
  /** Ours: `recvonly` means the peer holds us. */
  readonly direction: Direction;
}

/** Our side of an SDP. */
export interface LocalMedia {
  /** Numeric address the peer reaches us at. */
  readonly address: string;
  /** RTP port; RTCP is the next one. */
  readonly port: number;
  /** Same for the whole call. Default 1. */
  readonly sessionId?: number;
  /** One more for each changed SDP of the same call (RFC 3264 section 8). Default 1. */
  readonly sessionVersion?: number;
  /** What we are willing to do, default sendrecv. */
  readonly direction?: Direction;
  /** Codecs in order of preference, default PCMU, PCMA. In an answer the offerer's order counts. */
  readonly codecs?: readonly Codec[];
}

export type RejectReason =
  | 'bad_sdp'
  | 'no_audio'
  | 'no_common_codec'
  | 'secure_media_only'
  | 'no_connection'
  | 'address_family'
  | 'multicast';

export type Answer =
  | { readonly answer: string; readonly media: NegotiatedMedia }
  /** `reject` is the SIP status: 400 for unreadable SDP, 488 for one we cannot serve. */
  | { readonly reject: 400 | 488; readonly reason: RejectReason };

export const DEFAULT_PTIME_MS = 20;
const ACCEPTED_PTIMES_MS: readonly number[] = [10, 20, 30, 40, 50, 60];
const OUR_TELEPHONE_EVENT_TYPE = 101;
/** DTMF 0-9, *, #, A-D. */
const OUR_EVENTS = '0-15';
const STATIC_TYPES: Readonly<Record<Codec, number>> = { PCMU: 0, PCMA: 8 };
const ALL_CODECS: readonly Codec[] = ['PCMU', 'PCMA'];

/** Ours, seen from theirs. */
const MIRRORED: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/** Answers an offer. The first usable audio stream is taken, every other one refused with port 0. @throws never. */
export function answerOffer(offerSdp: string, local: LocalMedia): Answer {
  const parsed = parseSdp(offerSdp);
  if (!parsed.ok) return { reject: 400, reason: 'bad_sdp' };
  const offered = parsed.session.media;
  let reason: RejectReason = 'no_audio';
  for (const [index, medium] of offered.entries()) {
    const outcome = negotiate(medium, local);
    if ('media' in outcome) {
      const lines = offered.map((other, at) =>
        at === index ? acceptedLines(other, local, outcome.media) : refusedLine(other),
      );
      return { answer: write(local, lines.flat()), media: outcome.media };
    }
    // The reason of an audio stream says more than that of a video stream beside it.
    if (medium.kind === 'audio') reason = outcome.reason;
  }
  return { reject: 488, reason };
}

/** Our offer: every codec we speak, in our order, and telephone-event. */
export function makeOffer(local: LocalMedia): string {
  const codecs = local.codecs ?? ALL_CODECS;
  const types = [...codecs.map((codec) => STATIC_TYPES[codec]), OUR_TELEPHONE_EVENT_TYPE];
  return write(local, [
    `m=audio ${local.port} RTP/AVP ${types.join(' ')}`,
    ...codecs.map((codec) => `a=rtpmap:${STATIC_TYPES[codec]} ${codec}/8000`),
    ...telephoneEventLines(OUR_TELEPHONE_EVENT_TYPE),
    `a=ptime:${DEFAULT_PTIME_MS}`,
    `a=${local.direction ?? 'sendrecv'}`,
  ]);
}

/**
 * Reads the answer to an offer of `makeOffer`.
 * @throws WildfireError SDP_INVALID (unreadable, or no audio stream), SDP_NO_COMMON_CODEC.
 */
export function readAnswer(answerSdp: string, local: Partial<LocalMedia> = {}): NegotiatedMedia {
  const parsed = parseSdp(answerSdp);
  if (!parsed.ok) throw new WildfireError('SDP_INVALID', `the SDP answer cannot be read (${parsed.reason})`);
  let reason: RejectReason = 'no_audio';
  for (const medium of parsed.session.media) {
    const outcome = negotiate(medium, local);
    if ('media' in outcome) return outcome.media;
    if (medium.kind === 'audio') reason = outcome.reason;
  }
  const code = reason === 'no_common_codec' ? 'SDP_NO_COMMON_CODEC' : 'SDP_INVALID';
  throw new WildfireError(code, `the SDP answer gives no stream to use (${reason})`);
}

type Outcome = { readonly media: NegotiatedMedia } | { readonly reason: RejectReason };

function negotiate(medium: MediaDescription, local: Partial<LocalMedia>): Outcome {
  const reason = unusable(medium, local);
  if (reason !== undefined) return { reason };
  const chosen = chooseCodec(medium, local.codecs ?? ALL_CODECS);
  if (chosen === undefined) return { reason: 'no_common_codec' };
  const connection = medium.connection as { address: string };
  const isHeld = isUnspecified(connection.address);
  const theirs = isHeld ? withoutReceiving(medium.direction) : medium.direction;
  return {
    media: {
      ...chosen,
      telephoneEventPayloadType: telephoneEventType(medium),
      remote:
        isHeld || !isNumeric(connection.address) ? null : { address: connection.address, port: medium.port },
      ptimeMs: ptimeOf(medium),
      direction: narrowed(MIRRORED[theirs], local.direction ?? 'sendrecv'),
    },
  };
}

function unusable(medium: MediaDescription, local: Partial<LocalMedia>): RejectReason | undefined {
  if (medium.kind !== 'audio' || medium.port === 0) return 'no_audio';
  if (/SAVPF?$/i.test(medium.protocol)) return 'secure_media_only';
  if (!/^RTP\/AVPF?$/i.test(medium.protocol)) return 'no_audio';
  if (medium.connection === null) return 'no_connection';
  const { address, family } = medium.connection;
  if (/^(?:22[4-9]|23\d)\.|^ff/i.test(address)) return 'multicast';
  const isOurs = local.address === undefined || local.address.includes(':') === (family === 'IP6');
  return isOurs ? undefined : 'address_family';
}

/** A host name in c= is legal, but nothing on the media path looks names up. */
function isNumeric(address: string): boolean {
  if (address.includes(':')) return URL.canParse(`rtp://[${address}]`);
  const parts = address.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

/** The first format in the peer's order that is one of ours. A static type needs no rtpmap (RFC 3551). */
function chooseCodec(
  medium: MediaDescription,
  codecs: readonly Codec[],
): { codec: Codec; payloadType: number } | undefined {
  const maps = attributeByFormat(medium, 'rtpmap');
  for (const format of medium.formats) {
    const payloadType = payloadTypeOf(format);
    const encoding = maps.get(format) ?? STATIC_ENCODINGS[format];
    const codec = codecs.find((one) => isEncoding(encoding, one));
    if (payloadType !== undefined && codec !== undefined) return { codec, payloadType };
  }
  return undefined;
}

const STATIC_ENCODINGS: Readonly<Record<string, string>> = { '0': 'PCMU/8000', '8': 'PCMA/8000' };

/** `PCMU/8000` or `PCMU/8000/1`, in any case. */
function isEncoding(encoding: string | undefined, name: string): boolean {
  const wanted = `${name.toLowerCase()}/8000`;
  const found = encoding?.toLowerCase();
  return found === wanted || found === `${wanted}/1`;
}

function telephoneEventType(medium: MediaDescription): number | null {
  for (const [format, encoding] of attributeByFormat(medium, 'rtpmap')) {
    const payloadType = payloadTypeOf(format);
    const isListed = medium.formats.includes(format);
    if (payloadType !== undefined && isListed && isEncoding(encoding, 'telephone-event')) return payloadType;
  }
  return null;
}

/** RTP payload types are 0 to 127; 72 to 76 are RTCP's (RFC 5761). */
function payloadTypeOf(format: string): number | undefined {
  if (!/^\d{1,3}$/.test(format)) return undefined;
  const payloadType = Number(format);
  return payloadType <= 127 && !(payloadType >= 72 && payloadType <= 76) ? payloadType : undefined;
}

/** The peer's ptime when it is one we can send, else 20 ms; never more than its maxptime. */
function ptimeOf(medium: MediaDescription): number {
  const asked = Number(attributeValue(medium, 'ptime') ?? Number.NaN);
  const most = Number(attributeValue(medium, 'maxptime') ?? Number.NaN);
  const ptimeMs = ACCEPTED_PTIMES_MS.includes(asked) ? asked : DEFAULT_PTIME_MS;
  return most >= 10 && most < ptimeMs ? Math.floor(most / 10) * 10 : ptimeMs;
}

/** An address of 0.0.0.0 says: do not send to me. */
function withoutReceiving(direction: Direction): Direction {
  return direction === 'sendrecv' || direction === 'sendonly' ? 'sendonly' : 'inactive';
}

function narrowed(possible: Direction, wanted: Direction): Direction {
  const isSending = sends(possible) && sends(wanted);
  const isReceiving = receives(possible) && receives(wanted);
  if (isSending) return isReceiving ? 'sendrecv' : 'sendonly';
  return isReceiving ? 'recvonly' : 'inactive';
}

function sends(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

function receives(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

function acceptedLines(offered: MediaDescription, local: LocalMedia, media: NegotiatedMedia): string[] {
  const { codec, payloadType, telephoneEventPayloadType, ptimeMs, direction } = media;
  const events = telephoneEventPayloadType === null ? [] : [telephoneEventPayloadType];
  return [
    `m=audio ${local.port} ${offered.protocol} ${[payloadType, ...events].join(' ')}`,
    `a=rtpmap:${payloadType} ${codec}/8000`,
    ...events.flatMap(telephoneEventLines),
    `a=ptime:${ptimeMs}`,
    `a=${direction}`,
  ];
}

/** RFC 3264 section 6: a refused stream keeps its place, with port 0. */
function refusedLine(offered: MediaDescription): string[] {
  return [`m=${offered.kind} 0 ${offered.protocol} ${offered.formats.join(' ')}`];
}

function telephoneEventLines(payloadType: number): string[] {
  return [`a=rtpmap:${payloadType} telephone-event/8000`, `a=fmtp:${payloadType} ${OUR_EVENTS}`];
}

function write(local: LocalMedia, mediaLines: readonly string[]): string {
  const family = local.address.includes(':') ? 'IP6' : 'IP4';
  const lines = [
    'v=0',
    `o=wildfire ${local.sessionId ?? 1} ${local.sessionVersion ?? 1} IN ${family} ${local.address}`,
    's=-',
    `c=IN ${family} ${local.address}`,
    't=0 0',
    ...mediaLines,
  ];
  return `${lines.join('\r\n')}\r\n`;
}
