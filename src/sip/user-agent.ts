/**
 * The SIP user agent: answers and places calls over UDP. Thread: main. RFC 3261; README.md lists the rest.
 * A datagram's way in: `#onDatagram` -> datagram-screen -> sip.js Parser -> request-router -> sip.js transaction
 * or dialog -> incoming-invite / sip-dialog -> the owner.
 */
import { randomBytes } from 'node:crypto';
import {
  Grammar,
  IncomingRequestMessage,
  type IncomingResponseMessage,
  type InviteUserAgentServer,
  LoggerFactory,
  Parser,
  type Session,
  URI,
  UserAgentCore,
} from 'sip.js/lib/core/index.js';
import { WildfireError } from '../errors.ts';
import { type CountHook, SipCounters } from './counters.ts';
import { type PassedDatagram, type RawHead, screenDatagram } from './datagram-screen.ts';
import { isHeaderSafe, type SocketAddress, stampVia } from './header-text.ts';
import { type IncomingInvite, InviteServer } from './incoming-invite.ts';
import { OutgoingCall } from './outgoing-call.ts';
import {
  ALLOW_HEADER,
  type ArrivedRequest,
  methodRefusal,
  RequestRouter,
  type Unavailable,
} from './request-router.ts';
import { SipDialog, sdpBody } from './sip-dialog.ts';
import { applySipJsPatches } from './sip-js-patches.ts';
import { composeStatelessResponse, type StatelessResponse } from './stateless-response.ts';
import { UdpTransport } from './udp-transport.ts';

export type { AcceptedCall, IncomingInvite } from './incoming-invite.ts';
export type { AnsweredCall, OutgoingCall } from './outgoing-call.ts';
export type { DialogEnd, ReinviteReply, SipDialog } from './sip-dialog.ts';

export interface SipUserAgentOptions {
  /** Numeric address; `0.0.0.0` for every interface. */
  readonly bindAddress: string;
  /** UDP port, 0 for any free one. */
  readonly port: number;
  /** Address to name in Contact, Via and SDP instead of the one we find (NAT). */
  readonly advertisedAddress?: string | undefined;
  /** User-Agent header. */
  readonly userAgentName: string;
  /** Runs for each new call; must not throw (what it throws becomes 500). */
  readonly onInvite: (invite: IncomingInvite) => void;
  readonly onCount?: CountHook | undefined;
}

export interface CallOptions {
  /** User part of From, default `wildfire`. */
  readonly fromUser?: string;
  /** Complete header lines to add, e.g. `Subject: test`. */
  readonly extraHeaders?: readonly string[];
}

/** User part of our Contact. */
const CONTACT_USER = 'wildfire';

export class SipUserAgent {
  readonly #transport: UdpTransport;
  readonly #core: UserAgentCore;
  readonly #counters: SipCounters;
  readonly #router: RequestRouter;
  readonly #onInvite: (invite: IncomingInvite) => void;
  readonly #contactHeader: string;
  readonly #dialogs = new Set<SipDialog>();
  readonly #waitingInvites = new Set<InviteServer>();
  readonly #outgoingCalls = new Set<OutgoingCall>();
  #unavailable: Unavailable | undefined;
  #isClosed = false;

  /**
   * Binds the socket and starts answering.
   * @throws WildfireError PORT_IN_USE naming address and port; CONFIG_INVALID for an address that is not ours;
   * INVALID_STATE for a sip.js other than the one patched.
   */
  static async start(options: SipUserAgentOptions): Promise<SipUserAgent> {
    applySipJsPatches();
    const counters = new SipCounters(options.onCount);
    let agent: SipUserAgent | undefined;
    const transport = await UdpTransport.start({
      bindAddress: options.bindAddress,
      port: options.port,
      advertisedAddress: options.advertisedAddress,
      counters,
      onDatagram: (bytes, source) => agent?.receive(bytes, source),
    });
    agent = new SipUserAgent(options, transport, counters);
    return agent;
  }

  private constructor(options: SipUserAgentOptions, transport: UdpTransport, counters: SipCounters) {
    this.#transport = transport;
    this.#counters = counters;
    this.#onInvite = options.onInvite;
    this.#contactHeader = `Contact: <sip:${CONTACT_USER}@${transport.placeholderHost}>`;
    this.#core = makeCore(transport, options.userAgentName);
    this.#router = new RequestRouter({
      core: this.#core,
      counters,
      unavailable: () => this.#unavailable,
      refuse: (request, response, reason) => this.#reply(request, response, reason),
      openInvite: (request, uas) => this.#openInvite(request, uas),
    });
  }

  /** Address the socket is bound to. */
  get address(): string {
    return this.#transport.address;
  }

  /** UDP port the socket is bound to. */
  get port(): number {
    return this.#transport.port;
  }

  /** Calls between 200 and BYE. */
  get openDialogs(): number {
    return this.#dialogs.size;
  }

  /** Transactions in memory, those that only absorb retransmissions (up to 32 s) included. */
  get pendingTransactions(): number {
    return this.#core.userAgentServers.size + this.#core.userAgentClients.size;
  }

  /** Our address as `peer` (numeric) reaches it: what an SDP towards it must name. */
  advertisedAddressFor(peer: string): string {
    return this.#transport.localAddresses.advertisedFor(peer);
  }

  /** Everything counted so far, `name.reason` -> number; `dropped.*` and `refused.*` give each cause. */
  counters(): Record<string, number> {
    return this.#counters.snapshot();
  }

  /** From now on new INVITEs and OPTIONS get 503 with this Retry-After; undefined: they are welcome. */
  setUnavailable(unavailable: Unavailable | undefined): void {
    this.#unavailable = unavailable;
  }

  /**
   * Places a call with this SDP offer.
   * @param uri `sip:user@host:port` (numeric host, or a name with an address record).
   * @throws WildfireError USAGE_INVALID for anything else, INVALID_STATE after `close`.
   */
  call(uri: string, offerSdp: string, options: CallOptions = {}): OutgoingCall {
    if (this.#isClosed) throw new WildfireError('INVALID_STATE', 'the user agent is closed');
    const target = Grammar.URIParse(uri);
    if (target === undefined || target.scheme !== 'sip') {
      throw new WildfireError('USAGE_INVALID', `not a SIP address: ${uri}; write it as sip:user@host:port`);
    }
    const from = new URI('sip', options.fromUser ?? CONTACT_USER, this.#transport.placeholderHost);
    const request = this.#core.makeOutgoingRequestMessage(
      'INVITE',
      target,
      from,
      target,
      { fromTag: token(), callId: token() },
      [this.#contactHeader, ALLOW_HEADER, ...(options.extraHeaders ?? []).filter(isHeaderSafe)],
      sdpBody(offerSdp),
    );
    const call = new OutgoingCall({
      core: this.#core,
      request,
      counters: this.#counters,
      openDialog: (session) => this.#openDialog(session, false),
    });
    this.#outgoingCalls.add(call);
    const forget = (): boolean => this.#outgoingCalls.delete(call);
    call.answered.then(forget, forget);
    return call;
  }

  /**
   * Handles one datagram as if it had come from `source`. Public for tests and benches.
   * @throws never: what goes wrong inside is counted as `failed.message` and costs only this message.
   */
  receive(bytes: Buffer, source: SocketAddress): void {
    this.#counters.safely('message', () => this.#onDatagram(bytes, source));
  }

  /**
   * Ends at once: waiting INVITEs get 503, open dialogs end without BYE (the owner hangs up first), timers and
   * socket close.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const invite of this.#waitingInvites) invite.cancelled('closed');
    for (const call of this.#outgoingCalls) call.onParentClosed();
    for (const dialog of [...this.#dialogs]) dialog.onParentClosed();
    this.#core.dispose();
    await this.#transport.close();
  }

  #onDatagram(bytes: Buffer, source: SocketAddress): void {
    const screened = screenDatagram(bytes);
    if (screened.kind === 'keepalive') this.#counters.count('received', 'keepalive');
    else if (screened.kind === 'dropped') this.#counters.count('dropped', screened.reason);
    else if (screened.kind === 'refused') {
      this.#replyRaw(screened.head, source, { status: screened.status }, screened.reason);
    } else this.#onMessage(screened, source);
  }

  #onMessage(screened: PassedDatagram, source: SocketAddress): void {
    const { head, headText, body } = screened;
    const refusal = head.method === undefined ? undefined : methodRefusal(head.method);
    if (refusal !== undefined) {
      this.#replyRaw(head, source, refusal, refusal.reason);
      return;
    }
    const message = parseHead(headText);
    if (message === undefined) {
      this.#replyRaw(head, source, { status: 400 }, 'grammar');
      return;
    }
    message.body = body;
    if (message instanceof IncomingRequestMessage) {
      this.#counters.count('received', message.method.toLowerCase());
      setTopVia(message, stampVia(message.getHeader('via') ?? '', source).via);
      this.#router.route({ message, head, source });
    } else this.#onResponse(message);
  }

  #onResponse(message: IncomingResponseMessage): void {
    if (this.#core.userAgentClients.has(message.viaBranch + message.method)) {
      this.#counters.count('received', 'response');
      this.#core.receiveIncomingResponseFromTransport(message);
    } else this.#counters.count('dropped', 'unmatched_response');
  }

  #reply(request: ArrivedRequest, response: StatelessResponse, reason: string): void {
    this.#replyRaw(request.head, request.source, response, reason);
  }

  #replyRaw(head: RawHead, source: SocketAddress, response: StatelessResponse, reason: string): void {
    const isAnswerable = head.method !== undefined && head.method !== 'ACK';
    const composed = !isAnswerable ? undefined : composeStatelessResponse(head, source, response);
    if (response.status !== 200) this.#counters.count(composed === undefined ? 'dropped' : 'refused', reason);
    if (composed !== undefined) this.#transport.sendTo(composed.message, composed.replyTo);
  }

  #openInvite(request: ArrivedRequest, uas: InviteUserAgentServer): void {
    (uas as unknown as { toTag: string }).toTag = token();
    const invite = new InviteServer({
      uas,
      message: request.message,
      source: request.source,
      localAddress: this.#transport.localAddresses.interfaceFor(request.source.address),
      advertisedAddress: this.#transport.localAddresses.advertisedFor(request.source.address),
      counters: this.#counters,
      openDialog: (session) => this.#openDialog(session, true),
    });
    this.#waitingInvites.add(invite);
    uas.transaction.addStateChangeListener(() => this.#waitingInvites.delete(invite));
    this.#counters.count('call', 'offered');
    try {
      this.#onInvite(invite);
    } catch {
      this.#counters.count('failed', 'invite_handler');
      invite.reject(500);
    }
    invite.trying();
  }

  #openDialog(session: Session, isAckPending: boolean): SipDialog {
    const dialog = new SipDialog({
      session,
      counters: this.#counters,
      contactHeader: this.#contactHeader,
      isAckPending,
      onEnded: (ended) => this.#dialogs.delete(ended),
    });
    this.#dialogs.add(dialog);
    return dialog;
  }
}

/** sip.js's diagnostics carry whole messages (numbers of callers): counters replace them. */
const SILENT_LOGGER_FACTORY = new LoggerFactory();
SILENT_LOGGER_FACTORY.builtinEnabled = false;
const SILENT_LOGGER = SILENT_LOGGER_FACTORY.getLogger('sip');

/** Undefined for what is not SIP grammar. */
function parseHead(headText: string): IncomingRequestMessage | IncomingResponseMessage | undefined {
  try {
    return Parser.parseMessage(headText, SILENT_LOGGER);
  } catch {
    return undefined; // sip.js stumbles over a response whose CSeq it cannot read
  }
}

function makeCore(transport: UdpTransport, userAgentName: string): UserAgentCore {
  const contactUri = new URI('sip', CONTACT_USER, transport.placeholderHost);
  return new UserAgentCore({
    aor: contactUri,
    contact: {
      uri: contactUri,
      pubGruu: undefined,
      tempGruu: undefined,
      toString: () => `<${contactUri.toString()}>`,
    },
    displayName: '',
    loggerFactory: SILENT_LOGGER_FACTORY,
    hackViaTcp: false,
    routeSet: [],
    sipjsId: '',
    supportedOptionTags: [],
    supportedOptionTagsResponse: [],
    userAgentHeaderFieldValue: isHeaderSafe(userAgentName) ? userAgentName : 'wildfire',
    viaForceRport: true,
    viaHost: transport.placeholderHost,
    authenticationFactory: () => undefined,
    transportAccessor: () => transport,
  });
}

/** The raw header that responses repeat (private in sip.js's types). */
function setTopVia(message: IncomingRequestMessage, via: string): void {
  const headers = (message as unknown as { headers: Record<string, { raw: string }[]> }).headers;
  const top = headers.Via?.[0];
  if (top !== undefined) top.raw = via;
}

function token(): string {
  return randomBytes(12).toString('base64url');
}
