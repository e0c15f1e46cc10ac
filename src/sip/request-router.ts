/**
 * Takes each request to where it belongs: a transaction, a dialog, a new INVITE, or a refusal. Thread: main.
 * RFC 3261 sections 8.2 (the order of the checks), 9.2, 12.2.2, 17.2.3; RFC 6026.
 *
 * sip.js's own routing answers 404 unless the Request-URI names its one user, matches transactions by branch
 * alone and scans all of them for merged requests; so the routing is ours and sip.js gets what it is good at.
 */
import {
  type IncomingRequestMessage,
  InviteUserAgentServer,
  NameAddrHeader,
  TransactionState,
  type UserAgentCore,
  type UserAgentServer,
} from 'sip.js/lib/core/index.js';
import type { SipCounters } from './counters.ts';
import type { RawHead } from './datagram-screen.ts';
import { type SocketAddress, splitOutsideQuotes } from './header-text.ts';
import { MAX_PENDING_INVITES_PER_SOURCE, MAX_TRANSACTIONS, OVERLOAD_RETRY_AFTER_S } from './limits.ts';
import { SDP_TYPE } from './sip-dialog.ts';
import { ALLOWED_METHODS } from './sip-js-patches.ts';
import type { StatelessResponse } from './stateless-response.ts';

/** A request on its way: parsed, raw, and where it came from. */
export interface ArrivedRequest {
  readonly message: IncomingRequestMessage;
  readonly head: RawHead;
  readonly source: SocketAddress;
}

/** Why new calls are refused for now. */
export interface Unavailable {
  /** The word that counts them. */
  readonly reason: 'starting' | 'draining';
  /** For Retry-After, seconds. */
  readonly retryAfterS: number;
}

export interface RequestRouterParts {
  readonly core: UserAgentCore;
  readonly counters: SipCounters;
  /** undefined: new calls are welcome. */
  readonly unavailable: () => Unavailable | undefined;
  readonly refuse: (request: ArrivedRequest, response: StatelessResponse, reason: string) => void;
  readonly openInvite: (request: ArrivedRequest, uas: InviteUserAgentServer) => void;
}

export const ALLOW_HEADER = `Allow: ${ALLOWED_METHODS.join(', ')}`;

interface Refusal extends StatelessResponse {
  readonly reason: string;
}

/** Methods we know and do not act on; anything else is 501. RFC 3261 section 8.2.1, 6665, 3262. */
const OTHER_METHODS: Readonly<Record<string, Refusal>> = {
  REGISTER: { status: 405, reason: 'method', headerLines: [ALLOW_HEADER] },
  MESSAGE: { status: 405, reason: 'method', headerLines: [ALLOW_HEADER] },
  PUBLISH: { status: 405, reason: 'method', headerLines: [ALLOW_HEADER] },
  REFER: { status: 405, reason: 'method', headerLines: [ALLOW_HEADER] },
  UPDATE: { status: 405, reason: 'method', headerLines: [ALLOW_HEADER] },
  SUBSCRIBE: { status: 489, reason: 'event' },
  NOTIFY: { status: 481, reason: 'no_subscription' },
  PRACK: { status: 481, reason: 'no_reliable_response' },
};

/** The refusal for a method we do not act on, before its message is even parsed; undefined: it is ours. */
export function methodRefusal(method: string): Refusal | undefined {
  if ((ALLOWED_METHODS as readonly string[]).includes(method)) return undefined;
  return OTHER_METHODS[method] ?? { status: 501, reason: 'unknown_method', headerLines: [ALLOW_HEADER] };
}

export class RequestRouter {
  readonly #parts: RequestRouterParts;
  /** INVITE transactions by From tag, Call-ID and CSeq: another branch of the same request is merged. */
  readonly #inviteIdentities = new Set<string>();
  /** Unanswered INVITEs per source address. */
  readonly #pendingBySource = new Map<string, number>();

  constructor(parts: RequestRouterParts) {
    this.#parts = parts;
  }

  /** Routes one screened, parsed request whose top Via is stamped. */
  route(request: ArrivedRequest): void {
    const { message } = request;
    const key = transactionKey(message);
    message.viaBranch = key;
    const server = this.#parts.core.userAgentServers.get(key);
    if (message.method === 'CANCEL') this.#cancel(request, server);
    else if (message.method === 'ACK') this.#acknowledge(message, server);
    else if (server !== undefined) {
      this.#parts.counters.count('received', 'retransmission');
      server.transaction.receiveRequest(message);
    } else this.#routeNew(request);
  }

  #cancel(request: ArrivedRequest, server: UserAgentServer | undefined): void {
    if (server === undefined) {
      this.#refuse(request, { status: 481, reason: 'no_transaction' });
      return;
    }
    this.#parts.core.replyStateless(request.message, { statusCode: 200, toTag: toTagOf(server) });
    const isOpen = server.transaction.state === TransactionState.Proceeding;
    if (server instanceof InviteUserAgentServer && isOpen) server.receiveCancel(request.message);
    else this.#parts.counters.count('received', 'late_cancel');
  }

  /** An ACK belongs to the transaction of a refusal, or to a dialog; it is never answered. */
  #acknowledge(message: IncomingRequestMessage, server: UserAgentServer | undefined): void {
    if (server !== undefined && server.transaction.state !== TransactionState.Accepted) {
      server.transaction.receiveRequest(message);
      return;
    }
    const dialog = this.#parts.core.dialogs.get(dialogId(message));
    if (dialog !== undefined) dialog.receiveRequest(message);
    else this.#parts.counters.count('dropped', 'stray_ack');
  }

  #routeNew(request: ArrivedRequest): void {
    const refusal =
      schemeRefusal(request.message) ?? this.#dialogRefusal(request.message) ?? requireRefusal(request.head);
    if (refusal !== undefined) {
      this.#refuse(request, refusal);
      return;
    }
    const { message } = request;
    if (message.method === 'OPTIONS') this.#answerOptions(request);
    else if (message.toTag) this.#routeInDialog(request);
    else this.#admitInvite(request);
  }

  /** 481 for a dialog or, without a To tag, a BYE or INFO that belongs to none. */
  #dialogRefusal(message: IncomingRequestMessage): Refusal | undefined {
    const isAlone = message.toTag
      ? !this.#parts.core.dialogs.has(dialogId(message))
      : message.method === 'BYE' || message.method === 'INFO';
    return isAlone ? { status: 481, reason: 'no_dialog' } : undefined;
  }

  #answerOptions(request: ArrivedRequest): void {
    const unavailable = this.#parts.unavailable();
    if (unavailable !== undefined) {
      this.#refuse(request, refusalOf(unavailable));
      return;
    }
    this.#parts.counters.count('received', 'options');
    this.#parts.refuse(request, { status: 200, headerLines: OPTIONS_HEADERS }, '');
  }

  #routeInDialog(request: ArrivedRequest): void {
    const { message } = request;
    const isFull = message.method !== 'BYE' && this.#parts.core.userAgentServers.size >= 2 * MAX_TRANSACTIONS;
    const invite = message.method === 'INVITE' ? inviteRefusal(request) : undefined;
    const refusal = isFull ? overloaded('table_full') : invite;
    if (refusal !== undefined) {
      this.#refuse(request, refusal);
      return;
    }
    this.#parts.core.dialogs.get(dialogId(message))?.receiveRequest(message);
  }

  #admitInvite(request: ArrivedRequest): void {
    const { message, source } = request;
    const identity = `${message.fromTag}|${message.callId}|${message.cseq}`;
    const isMerged = this.#inviteIdentities.has(identity);
    const refusal =
      hopsRefusal(message) ??
      (isMerged ? { status: 482, reason: 'merged' } : undefined) ??
      inviteRefusal(request) ??
      this.#capacityRefusal(source);
    if (refusal !== undefined) {
      this.#refuse(request, refusal);
      return;
    }
    const uas = new InviteUserAgentServer(this.#parts.core, message);
    this.#watch(uas, identity, source.address);
    this.#parts.openInvite(request, uas);
  }

  #capacityRefusal(source: SocketAddress): Refusal | undefined {
    const unavailable = this.#parts.unavailable();
    if (unavailable !== undefined) return refusalOf(unavailable);
    const pending = this.#pendingBySource.get(source.address) ?? 0;
    const isFull = this.#parts.core.userAgentServers.size >= MAX_TRANSACTIONS;
    if (!isFull && pending < MAX_PENDING_INVITES_PER_SOURCE) return undefined;
    return overloaded(isFull ? 'table_full' : 'source_full');
  }

  /** Keeps the identity while the transaction lives, and the source's count while it is unanswered. */
  #watch(uas: InviteUserAgentServer, identity: string, address: string): void {
    const { transaction } = uas;
    this.#inviteIdentities.add(identity);
    this.#pendingBySource.set(address, (this.#pendingBySource.get(address) ?? 0) + 1);
    let isPending = true;
    transaction.addStateChangeListener(() => {
      if (isPending) {
        isPending = false;
        const left = (this.#pendingBySource.get(address) ?? 1) - 1;
        if (left > 0) this.#pendingBySource.set(address, left);
        else this.#pendingBySource.delete(address);
      }
      if (transaction.state === TransactionState.Terminated) this.#inviteIdentities.delete(identity);
    });
  }

  #refuse(request: ArrivedRequest, refusal: Refusal): void {
    this.#parts.refuse(request, refusal, refusal.reason);
  }
}

const OPTIONS_HEADERS = [ALLOW_HEADER, `Accept: ${SDP_TYPE}`, 'Accept-Encoding: identity', 'Supported: '];

function refusalOf({ reason, retryAfterS }: Unavailable): Refusal {
  return { status: 503, reason, headerLines: [`Retry-After: ${retryAfterS}`] };
}

function overloaded(reason: string): Refusal {
  return { status: 503, reason, headerLines: [`Retry-After: ${OVERLOAD_RETRY_AFTER_S}`] };
}

/** Section 8.2.2.1: only sip: URIs here (sips: needs TLS), and without header fields (section 19.1.1). */
function schemeRefusal(message: IncomingRequestMessage): Refusal | undefined {
  if (message.ruri?.scheme !== 'sip') return { status: 416, reason: 'uri_scheme' };
  return Object.keys(message.ruri.headers).length > 0 ? { status: 400, reason: 'uri_headers' } : undefined;
}

/** Section 8.2.2.3: we support no extension that may be required. */
function requireRefusal(head: RawHead): Refusal | undefined {
  const tags = (head.headers.get('require') ?? []).flatMap((value) => splitOutsideQuotes(value, ','));
  const unsupported = tags.filter((tag) => tag !== '');
  if (unsupported.length === 0) return undefined;
  return { status: 420, reason: 'extension', headerLines: [`Unsupported: ${unsupported.join(', ')}`] };
}

/** A request that may go no further is not for us either way; OPTIONS is answered (RFC 4475 section 3.1.1.9). */
function hopsRefusal(message: IncomingRequestMessage): Refusal | undefined {
  return message.getHeader('max-forwards') === '0' ? { status: 483, reason: 'max_forwards' } : undefined;
}

/** What an INVITE must bring: one Contact with a sip URI, and a body that is SDP or none. Section 8.2.3. */
function inviteRefusal(request: ArrivedRequest): Refusal | undefined {
  const { message, head } = request;
  const contact: unknown = message.parseHeader('contact');
  if (!(contact instanceof NameAddrHeader) || contact.uri.scheme !== 'sip') {
    return { status: 400, reason: 'contact', reasonPhrase: 'Missing or Bad Contact' };
  }
  if (message.getHeaders('contact').length > 1) {
    return { status: 400, reason: 'contacts', reasonPhrase: 'More Than One Contact' };
  }
  return acceptRefusal(head) ?? (message.body === '' ? undefined : bodyRefusal(head));
}

/** Section 21.4.7: a caller that cannot take SDP cannot be answered. */
function acceptRefusal(head: RawHead): Refusal | undefined {
  const accepted = (head.headers.get('accept') ?? []).flatMap((value) => splitOutsideQuotes(value, ','));
  const isFine =
    accepted.length === 0 || accepted.some((type) => /^(?:\*|application)\/(?:\*|sdp)\s*(?:;|$)/i.test(type));
  return isFine ? undefined : { status: 406, reason: 'accept' };
}

function bodyRefusal(head: RawHead): Refusal | undefined {
  const type = head.headers.get('content-type')?.[0];
  if (type === undefined)
    return { status: 400, reason: 'content_type', reasonPhrase: 'Missing Content-Type' };
  if (!/^application\/sdp\s*(?:;|$)/i.test(type)) {
    return { status: 415, reason: 'content_type', headerLines: [`Accept: ${SDP_TYPE}`] };
  }
  const encoding = head.headers.get('content-encoding')?.[0];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return { status: 415, reason: 'content_encoding', headerLines: ['Accept-Encoding: identity'] };
  }
  return undefined;
}

function dialogId(message: IncomingRequestMessage): string {
  return message.callId + message.toTag + message.fromTag;
}

/** The To tag that a transaction's responses carry (protected in sip.js's types). */
function toTagOf(server: UserAgentServer): string {
  return (server as unknown as { toTag: string }).toTag;
}

/**
 * Section 17.2.3: branch and sent-by name the transaction, with the method (ACK and CANCEL go to the INVITE's).
 * A client of RFC 2543 has no cookie in its branch: then Request-URI, tags, Call-ID, CSeq and Via do.
 */
export function transactionKey(message: IncomingRequestMessage): string {
  const { via, viaBranch } = message;
  const isInviteKey = message.method === 'INVITE' || message.method === 'ACK' || message.method === 'CANCEL';
  const method = isInviteKey ? 'INVITE' : message.method;
  if (viaBranch !== undefined && /^z9hG4bK./i.test(viaBranch)) {
    return `${viaBranch}|${via.host.toLowerCase()}:${via.port ?? 5060}|${method}`;
  }
  const uri = message.ruri?.toString();
  return [
    '2543',
    uri,
    message.fromTag,
    message.callId,
    message.cseq,
    via.host,
    via.port,
    viaBranch,
    method,
  ].join('|');
}
