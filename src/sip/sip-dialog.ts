/**
 * One confirmed dialog (a call from 200 to BYE), either side. Thread: main. RFC 3261 sections 12, 14, 15.
 *
 * Closing table: local `bye()` sends BYE (after the ACK, when that is still to come: a UAS must not send BYE
 * before it, section 15) and ends; BYE from the peer is answered 200 and ends; no ACK within 64*T1 sends BYE and
 * ends; closing the user agent ends without a word. `onEnded` runs exactly once in every case.
 */
import {
  type Body,
  type IncomingInviteRequest,
  type IncomingRequestMessage,
  ReInviteUserAgentServer,
  type Session,
  SessionDialog,
  TransactionState,
} from 'sip.js/lib/core/index.js';
import { WildfireError } from '../errors.ts';
import type { SipCounters } from './counters.ts';
import { isHeaderSafe } from './header-text.ts';

export type DialogEnd = 'localBye' | 'remoteBye' | 'ackTimeout' | 'closed';

/** Answer to a re-INVITE: an SDP, or the status to refuse it with (the session goes on as it was). */
export type ReinviteReply = { readonly answer: string } | { readonly reject: number };

export interface SipDialogParts {
  readonly session: Session;
  readonly counters: SipCounters;
  /** Our Contact header line. */
  readonly contactHeader: string;
  /** True on the answering side until the ACK of the 200 arrives. */
  readonly isAckPending: boolean;
  /** Tells the user agent's registry. */
  readonly onEnded: (dialog: SipDialog) => void;
}

export const SDP_TYPE = 'application/sdp';

/** An SDP as sip.js wants a body; ASCII, so that characters are bytes and Content-Length is right. */
export function sdpBody(sdp: string): Body {
  return { contentDisposition: 'session', contentType: SDP_TYPE, content: sdp.replace(/[^\r\n\t -~]/g, '?') };
}

export class SipDialog {
  readonly #session: Session;
  readonly #parts: SipDialogParts;
  readonly #endHandlers: ((end: DialogEnd) => void)[] = [];
  #reinviteHandler: ((offer: string | null) => ReinviteReply) | undefined;
  #lateAnswerHandler: ((answer: string | null) => void) | undefined;
  #infoHandler: ((contentType: string, body: string) => void) | undefined;
  #ackHandler: ((error: WildfireError | undefined, body: string | null) => void) | undefined;
  #isAckPending: boolean;
  #end: DialogEnd | undefined;
  #byeSent: Promise<void> | undefined;
  #sendByeNow: (() => void) | undefined;

  constructor(parts: SipDialogParts) {
    this.#parts = parts;
    this.#session = parts.session;
    this.#isAckPending = parts.isAckPending;
    this.#session.delegate = {
      onAck: ({ message }) => this.#acknowledged(message),
      onAckTimeout: () => this.#ackTimedOut(),
      onBye: (request) => {
        request.accept();
        this.#finish('remoteBye');
      },
      onInfo: (request) => {
        request.accept();
        const { message } = request;
        this.#safely('info', () =>
          this.#infoHandler?.(message.getHeader('content-type') ?? '', message.body),
        );
      },
      onInvite: (request) => this.#reinvited(request),
    };
  }

  /** Call-ID: the same on both sides. */
  get sipCallId(): string {
    return this.#session.callId;
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Hangs up. Resolves when the BYE was answered or gave up (64*T1); at once when the dialog has ended.
   * @param reason becomes a Reason header (RFC 3326), e.g. `SIP;cause=200;text="done"`. @throws never.
   */
  bye(reason?: string): Promise<void> {
    if (this.#byeSent !== undefined) return this.#byeSent;
    if (this.#end !== undefined) return Promise.resolve();
    this.#byeSent = new Promise((resolve) => {
      if (this.#isAckPending) this.#sendByeNow = () => this.#sendBye(reason, resolve);
      else this.#sendBye(reason, resolve);
    });
    return this.#byeSent;
  }

  /** Runs when the peer hangs up; at once (next microtask) when it already has. */
  onBye(handler: () => void): void {
    this.onEnded((end) => {
      if (end === 'remoteBye') handler();
    });
  }

  /** Runs once when the dialog is over, however it ended; next microtask when it already is. */
  onEnded(handler: (end: DialogEnd) => void): void {
    const end = this.#end;
    if (end === undefined) this.#endHandlers.push(handler);
    else queueMicrotask(() => this.#safely('ended', () => handler(end)));
  }

  /**
   * Answers re-INVITEs (hold, resume, other media address). `offer` null: the peer asks us to offer; `answer`
   * is then our offer, and the peer's answer comes to `onLateAnswer`. Without a handler: 488.
   */
  onReinvite(handler: (offer: string | null) => ReinviteReply): void {
    this.#reinviteHandler = handler;
  }

  /** SDP that came in the ACK of a re-INVITE without offer (null: the ACK had none). */
  onLateAnswer(handler: (answer: string | null) => void): void {
    this.#lateAnswerHandler = handler;
  }

  /** INFO in the dialog, e.g. DTMF as application/dtmf-relay. Always answered 200. */
  onInfo(handler: (contentType: string, body: string) => void): void {
    this.#infoHandler = handler;
  }

  /**
   * Sends a re-INVITE.
   * @returns the peer's SDP. @throws WildfireError SIP_REJECTED with `context.status`; the session goes on,
   * unless the peer does not know it any more (481) or is gone (408): then it ends. INVALID_STATE: another
   * re-INVITE is under way.
   */
  reinvite(offerSdp: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const refused = (status = 500): void => {
        reject(
          new WildfireError('SIP_REJECTED', `re-INVITE refused with ${status}`, { context: { status } }),
        );
        if (status === 481 || status === 408) this.#sendBye(undefined, () => undefined);
      };
      if (this.#end !== undefined) {
        refused(481);
        return;
      }
      try {
        this.#sendReinvite(offerSdp, resolve, refused);
      } catch (cause) {
        reject(
          new WildfireError('INVALID_STATE', 'another re-INVITE is under way', { retryable: true, cause }),
        );
      }
    });
  }

  /** For the answering side: called once, with the ACK's SDP or with what came instead of an ACK. */
  onAcknowledged(handler: (error: WildfireError | undefined, body: string | null) => void): void {
    this.#ackHandler = handler;
  }

  /** The user agent closes: no more messages, only the owner is told. */
  onParentClosed(): void {
    this.#finish('closed');
  }

  #sendReinvite(offerSdp: string, answered: (sdp: string) => void, refused: (status?: number) => void): void {
    this.#session.invite(
      {
        onAccept: (response) => {
          response.ack();
          answered(response.message.body);
        },
        onReject: ({ message }) => refused(message.statusCode),
        onRedirect: ({ message }) => refused(message.statusCode),
      },
      { body: sdpBody(offerSdp), extraHeaders: [this.#parts.contactHeader] },
    );
  }

  #acknowledged(message: IncomingRequestMessage): void {
    const body = message.body === '' ? null : message.body;
    if (!this.#isAckPending) {
      this.#safely('late_answer', () => this.#lateAnswerHandler?.(body));
      return;
    }
    this.#isAckPending = false;
    this.#safely('ack', () => this.#ackHandler?.(undefined, body));
    this.#sendWaitingBye();
  }

  #ackTimedOut(): void {
    if (!this.#isAckPending) return;
    this.#isAckPending = false;
    if (this.#end !== undefined) return;
    this.#parts.counters.count('failed', 'ack_timeout');
    const error = new WildfireError('SIP_TIMEOUT', 'no ACK within 64*T1; the call was ended', {
      retryable: true,
    });
    this.#safely('ack', () => this.#ackHandler?.(error, null));
    if (this.#sendByeNow !== undefined) this.#sendWaitingBye();
    else this.#sendBye('SIP;cause=408;text="no ACK"', () => undefined, 'ackTimeout');
  }

  #sendWaitingBye(): void {
    const send = this.#sendByeNow;
    this.#sendByeNow = undefined;
    send?.();
  }

  #sendBye(reason: string | undefined, answered: () => void, end: DialogEnd = 'localBye'): void {
    if (this.#end !== undefined) {
      answered();
      return;
    }
    const extraHeaders = reason !== undefined && isHeaderSafe(reason) ? [`Reason: ${reason}`] : [];
    try {
      this.#session.bye({ onAccept: answered, onReject: answered, onRedirect: answered }, { extraHeaders });
    } catch {
      this.#parts.counters.count('failed', 'bye'); // the peer will notice by its own timers
      answered();
    }
    this.#finish(end);
  }

  #reinvited(request: IncomingInviteRequest): void {
    const offer = request.message.body === '' ? null : request.message.body;
    let reply: ReinviteReply = { reject: 500 };
    this.#safely('reinvite', () => {
      reply = this.#reinviteHandler?.(offer) ?? { reject: 488 };
    });
    if ('reject' in reply) {
      request.reject({ statusCode: (reply as { reject: number }).reject });
      return;
    }
    this.#endWithoutAck(request);
    request.accept({
      statusCode: 200,
      body: sdpBody((reply as { answer: string }).answer),
      extraHeaders: [this.#parts.contactHeader],
    });
  }

  /** The 200 of a re-INVITE that is never acknowledged ends the call (section 14.2); sip.js leaves this open. */
  #endWithoutAck(request: IncomingInviteRequest): void {
    if (!(request instanceof ReInviteUserAgentServer)) return;
    const { transaction } = request;
    transaction.addStateChangeListener(() => {
      if (transaction.state !== TransactionState.Terminated || this.#end !== undefined) return;
      if (this.#session instanceof SessionDialog && this.#session.reinviteUserAgentServer === request) {
        this.#parts.counters.count('failed', 'ack_timeout');
        this.#sendBye('SIP;cause=408;text="no ACK"', () => undefined, 'ackTimeout');
      }
    });
  }

  #finish(end: DialogEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    if (this.#isAckPending) {
      const error = new WildfireError('SIP_REJECTED', `the call ended before its ACK (${end})`);
      this.#safely('ack', () => this.#ackHandler?.(error, null));
    }
    const unsentBye = this.#sendByeNow;
    this.#sendByeNow = undefined;
    unsentBye?.(); // resolves a bye() that was waiting for the ACK; the dialog is over, so nothing is sent
    this.#parts.onEnded(this);
    for (const handler of this.#endHandlers.splice(0)) this.#safely('ended', () => handler(end));
  }

  #safely(what: string, run: () => void): void {
    this.#parts.counters.safely(what, run);
  }
}
