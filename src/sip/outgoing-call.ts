/**
 * A call we place: INVITE to ACK, CANCEL, forked answers. Thread: main. RFC 3261 sections 9.1, 13.2, 17.1.1.
 */
import {
  type AckableIncomingResponseWithSession,
  InviteUserAgentClient,
  type OutgoingRequestMessage,
  type Session,
  Timers,
  TransactionState,
  type UserAgentCore,
} from 'sip.js/lib/core/index.js';
import { WildfireError } from '../errors.ts';
import { monotonicMs } from '../observability/clock.ts';
import type { SipCounters } from './counters.ts';
import type { SipDialog } from './sip-dialog.ts';

export interface AnsweredCall {
  readonly answerSdp: string;
  readonly dialog: SipDialog;
  /** From the INVITE to the first 18x, or to the 200 when none came before. */
  readonly postDialDelayMs: number;
  /** From the INVITE to the 200. */
  readonly answerDelayMs: number;
}

export interface OutgoingCallParts {
  readonly core: UserAgentCore;
  readonly request: OutgoingRequestMessage;
  readonly counters: SipCounters;
  readonly openDialog: (session: Session) => SipDialog;
}

export class OutgoingCall {
  /**
   * Resolves when the far end answers and our ACK is sent. @throws WildfireError SIP_TIMEOUT: no answer in
   * 64*T1; SIP_REJECTED: refused, redirected or cancelled, with `context.status`.
   */
  readonly answered: Promise<AnsweredCall>;
  readonly #parts: OutgoingCallParts;
  readonly #client: InviteUserAgentClient;
  readonly #startedAtMs = monotonicMs();
  readonly #progressHandlers: ((status: number) => void)[] = [];
  #firstRingMs: number | undefined;
  #settle: { resolve: (call: AnsweredCall) => void; reject: (error: WildfireError) => void } | undefined;
  #isCancelled = false;

  constructor(parts: OutgoingCallParts) {
    this.#parts = parts;
    this.answered = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.answered.catch(() => undefined); // an owner that only cancels need not listen
    this.#client = new InviteUserAgentClient(parts.core, parts.request, {
      onTrying: () => this.#progressed(100),
      onProgress: ({ message }) => this.#progressed(message.statusCode ?? 0),
      onAccept: (response) => this.#accepted(response),
      onReject: ({ message }) => this.#refused(message.statusCode ?? 500),
      onRedirect: ({ message }) => this.#refused(message.statusCode ?? 300),
    });
    this.#failWithTransaction();
  }

  /** Runs for each provisional response (100, 180, 183). */
  onProgress(handler: (status: number) => void): void {
    this.#progressHandlers.push(handler);
  }

  /** Gives up: CANCEL, or BYE when the answer crosses it. Does nothing after the answer. */
  cancel(): void {
    if (this.#settle === undefined || this.#isCancelled) return;
    this.#isCancelled = true;
    this.#parts.counters.count('call', 'cancel_sent');
    this.#client.cancel();
    // Section 9.1: without a final response in 64*T1 after the CANCEL the call is considered cancelled.
    setTimeout(() => this.#forget(new WildfireError('SIP_REJECTED', 'cancelled')), Timers.TIMER_B).unref();
  }

  /** The user agent closes. */
  onParentClosed(): void {
    this.#forget(new WildfireError('SIP_REJECTED', 'the user agent was closed'));
  }

  #progressed(status: number): void {
    if (status > 100) this.#firstRingMs ??= monotonicMs();
    for (const handler of this.#progressHandlers)
      this.#parts.counters.safely('progress', () => handler(status));
  }

  #accepted(response: AckableIncomingResponseWithSession): void {
    const { message, session } = response;
    response.ack();
    const dialog = this.#parts.openDialog(session);
    if (this.#settle === undefined || this.#isCancelled) {
      // A second branch of a fork, or an answer that crossed our CANCEL: acknowledged, then ended.
      void dialog.bye();
      this.#fail(new WildfireError('SIP_REJECTED', 'cancelled'));
      return;
    }
    const nowMs = monotonicMs();
    this.#parts.counters.count('call', 'placed');
    this.#settle.resolve({
      answerSdp: message.body,
      dialog,
      postDialDelayMs: (this.#firstRingMs ?? nowMs) - this.#startedAtMs,
      answerDelayMs: nowMs - this.#startedAtMs,
    });
    this.#settle = undefined;
  }

  #refused(status: number): void {
    if (status === 408) {
      this.#fail(
        new WildfireError('SIP_TIMEOUT', 'the call was not answered (408)', {
          retryable: true,
          context: { status },
        }),
      );
      return;
    }
    const isRetryable = status === 503 || status === 480 || status === 486;
    this.#fail(
      new WildfireError('SIP_REJECTED', `the call was refused with ${status}`, {
        retryable: isRetryable,
        context: { status },
      }),
    );
  }

  /** Whatever ends the transaction (a 200 without Contact, a disposed core) must settle the promise. */
  #failWithTransaction(): void {
    const { transaction } = this.#client;
    transaction.addStateChangeListener(() => {
      if (transaction.state !== TransactionState.Terminated) return;
      this.#fail(new WildfireError('SIP_TIMEOUT', 'the INVITE ended without a usable answer'));
    });
  }

  /** Ends the transaction that no final response will ever end (it has no timer once it is proceeding). */
  #forget(error: WildfireError): void {
    if (this.#settle === undefined) return;
    this.#parts.core.userAgentClients.delete(`${this.#client.transaction.id}INVITE`);
    this.#client.dispose();
    this.#fail(error);
  }

  #fail(error: WildfireError): void {
    if (this.#settle === undefined) return;
    this.#parts.counters.count('call', 'not_placed');
    this.#settle.reject(error);
    this.#settle = undefined;
  }
}
