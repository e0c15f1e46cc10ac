/**
 * An INVITE that waits for our owner's answer, from its arrival to the ACK. Thread: main. RFC 3261 sections 9.2
 * (CANCEL), 13.3, 17.2.1.
 */
import type { IncomingRequestMessage, InviteUserAgentServer, Session } from 'sip.js/lib/core/index.js';
import { WildfireError } from '../errors.ts';
import type { SipCounters } from './counters.ts';
import { isHeaderSafe, type SocketAddress } from './header-text.ts';
import { SDP_TYPE, type SipDialog, sdpBody } from './sip-dialog.ts';

export interface AcceptedCall {
  readonly dialog: SipDialog;
  /** SDP of the ACK when the INVITE had no offer; null when it had one, or the ACK brought none. */
  readonly answerSdp: string | null;
}

/** What `onInvite` gets. Unanswered when the handler returns: 100 is sent and the INVITE waits. */
export interface IncomingInvite {
  readonly sipCallId: string;
  /** User part of From. Personal data: never in a log line. */
  readonly fromUser: string;
  /** User part of the Request-URI (the number dialled). Personal data: never in a log line. */
  readonly toUser: string;
  readonly source: SocketAddress;
  /** Address of the interface the call came in on: where its media sockets belong. */
  readonly localAddress: string;
  /** Our address as the caller reaches it: what the SDP answer must name. Equal to `localAddress` unless configured. */
  readonly advertisedAddress: string;
  /** SDP offer; null when the caller wants ours (late offer). */
  readonly offer: string | null;
  /** The dialog as soon as `accept` was called: media may start with the 200. */
  readonly acceptedDialog: SipDialog | null;
  /** Sends 180. Does nothing when the INVITE is answered or cancelled. */
  ring(): void;
  /**
   * Sends 200 with our SDP (the answer, or the offer when `offer` is null) and repeats it until the ACK.
   * @returns resolves with the ACK. @throws WildfireError SIP_TIMEOUT: no ACK in 64*T1 (a BYE was sent);
   * SIP_REJECTED: cancelled before, or hung up meanwhile; INVALID_STATE: answered already.
   */
  accept(sdp: string): Promise<AcceptedCall>;
  /** Sends a final refusal, 400 to 699. Header lines are complete, e.g. `Retry-After: 5`. */
  reject(status: number, reason?: string, extraHeaders?: readonly string[]): void;
  /** Runs when the caller cancels before our final answer (487 is sent by us); late handlers run at once. */
  onCancel(handler: () => void): void;
}

export interface InviteServerParts {
  readonly uas: InviteUserAgentServer;
  readonly message: IncomingRequestMessage;
  readonly source: SocketAddress;
  readonly localAddress: string;
  readonly advertisedAddress: string;
  readonly counters: SipCounters;
  readonly openDialog: (session: Session) => SipDialog;
}

type InviteState = 'waiting' | 'accepted' | 'rejected' | 'cancelled';

export class InviteServer implements IncomingInvite {
  readonly sipCallId: string;
  readonly fromUser: string;
  readonly toUser: string;
  readonly source: SocketAddress;
  readonly localAddress: string;
  readonly advertisedAddress: string;
  readonly offer: string | null;
  readonly #parts: InviteServerParts;
  readonly #cancelHandlers: (() => void)[] = [];
  #dialog: SipDialog | null = null;
  #state: InviteState = 'waiting';

  constructor(parts: InviteServerParts) {
    const { message, uas } = parts;
    this.#parts = parts;
    this.sipCallId = message.callId;
    this.fromUser = plainUser(message.from.uri.user);
    this.toUser = plainUser(message.ruri?.user);
    this.source = parts.source;
    this.localAddress = parts.localAddress;
    this.advertisedAddress = parts.advertisedAddress;
    this.offer = message.body === '' ? null : message.body;
    uas.delegate = { onCancel: () => this.cancelled('cancelled') };
  }

  get acceptedDialog(): SipDialog | null {
    return this.#dialog;
  }

  get isWaiting(): boolean {
    return this.#state === 'waiting';
  }

  /** 100, so that the caller stops repeating its INVITE. */
  trying(): void {
    if (this.#state === 'waiting') this.#parts.uas.trying();
  }

  ring(): void {
    if (this.#state !== 'waiting') return;
    const { session } = this.#parts.uas.progress({ statusCode: 180 });
    session.delegate = {
      // Section 15: the caller may end an early dialog by BYE; the INVITE then ends as if cancelled.
      onBye: (request) => {
        request.accept();
        this.cancelled('early_bye');
      },
    };
  }

  accept(sdp: string): Promise<AcceptedCall> {
    if (this.#state === 'cancelled') {
      return Promise.reject(new WildfireError('SIP_REJECTED', 'the caller cancelled the call'));
    }
    if (this.#state !== 'waiting') {
      return Promise.reject(new WildfireError('INVALID_STATE', `the INVITE was already ${this.#state}`));
    }
    this.#state = 'accepted';
    let dialog: SipDialog;
    try {
      const { session } = this.#parts.uas.accept({ statusCode: 200, body: sdpBody(sdp) });
      dialog = this.#parts.openDialog(session);
    } catch (cause) {
      return Promise.reject(new WildfireError('INVALID_STATE', 'the 200 could not be sent', { cause }));
    }
    this.#dialog = dialog;
    this.#parts.counters.count('call', 'answered');
    return new Promise((resolve, reject) => {
      dialog.onAcknowledged((error, body) => {
        if (error !== undefined) reject(error);
        else resolve({ dialog, answerSdp: this.offer === null ? body : null });
      });
    });
  }

  reject(status: number, reason?: string, extraHeaders: readonly string[] = []): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'rejected';
    this.#parts.counters.count('call', `refused_${status}`);
    this.#refuse(status, reason, extraHeaders);
  }

  onCancel(handler: () => void): void {
    if (this.#state === 'cancelled') queueMicrotask(() => this.#parts.counters.safely('cancel', handler));
    else this.#cancelHandlers.push(handler);
  }

  /** The caller gave up, or the user agent closes: 487, and the owner is told. */
  cancelled(reason: 'cancelled' | 'early_bye' | 'closed'): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'cancelled';
    this.#parts.counters.count('call', reason);
    this.#refuse(reason === 'closed' ? 503 : 487, undefined, []);
    for (const handler of this.#cancelHandlers.splice(0)) this.#parts.counters.safely('cancel', handler);
  }

  #refuse(status: number, reason: string | undefined, extraHeaders: readonly string[]): void {
    const statusCode = status >= 400 && status <= 699 ? status : 500;
    const headers = extraHeaders.filter(isHeaderSafe);
    this.#parts.counters.safely('reject', () => {
      this.#parts.uas.reject({
        statusCode,
        extraHeaders: statusCode === 415 ? [...headers, `Accept: ${SDP_TYPE}`] : headers,
        ...(reason !== undefined && isHeaderSafe(reason) ? { reasonPhrase: reason } : {}),
      });
    });
  }
}

/** User part with its escapes read; as it stands when they are not valid UTF-8. */
function plainUser(user: string | undefined): string {
  if (user === undefined) return '';
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}
