/**
 * An INVITE and its dialog without SIP. They keep the contracts that incoming-invite.ts and sip-dialog.ts write
 * down: what is settled when, and which calls do nothing.
 */
import { WildfireError } from '../../src/errors.ts';
import type {
  AcceptedCall,
  DialogEnd,
  IncomingInvite,
  ReinviteReply,
  SipDialog,
} from '../../src/sip/user-agent.ts';
import { Gate } from './gate.ts';

export const OFFER =
  'v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n' +
  'm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n';

export class FakeDialog {
  byesSent = 0;
  /** While set, a BYE waits for it before it counts as answered. */
  byeGate: Gate | null = null;
  reinvite: (offer: string | null) => ReinviteReply = () => ({ reject: 488 });
  lateAnswer: (answer: string | null) => void = () => {};
  readonly acknowledged = new Gate<string | null>();
  readonly #endHandlers: ((end: DialogEnd) => void)[] = [];
  #end: DialogEnd | null = null;

  onEnded(handler: (end: DialogEnd) => void): void {
    if (this.#end === null) this.#endHandlers.push(handler);
    else queueMicrotask(() => handler(this.#end ?? 'closed'));
  }

  onReinvite(handler: (offer: string | null) => ReinviteReply): void {
    this.reinvite = handler;
  }

  onLateAnswer(handler: (answer: string | null) => void): void {
    this.lateAnswer = handler;
  }

  async bye(): Promise<void> {
    if (this.#end !== null) return;
    this.byesSent += 1;
    this.finish('localBye');
    await this.byeGate?.promise;
  }

  /** What the peer or a timer does. Tells of the missing ACK first, as the real one. */
  finish(end: DialogEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.acknowledged.fail(new WildfireError('SIP_REJECTED', `the call ended before its ACK (${end})`));
    for (const handler of this.#endHandlers.splice(0)) handler(end);
  }
}

export class FakeInvite implements IncomingInvite {
  readonly sipCallId = 'abc@test';
  readonly fromUser = 'alice';
  readonly toUser = 'bot';
  readonly source = { address: '127.0.0.9', port: 5060 };
  readonly localAddress = '127.0.0.1';
  readonly advertisedAddress: string;
  readonly offer: string | null;
  readonly refusals: number[] = [];
  /** Header lines of the refusal. */
  refusalHeaders: readonly string[] = [];
  rings = 0;
  /** What the 200 carried. */
  acceptedSdp: string | null = null;
  dialog: FakeDialog | null = null;
  readonly #cancelHandlers: (() => void)[] = [];
  #isCancelled = false;

  constructor(offer: string | null = OFFER, advertisedAddress = '127.0.0.1') {
    this.offer = offer;
    this.advertisedAddress = advertisedAddress;
  }

  get acceptedDialog(): SipDialog | null {
    return this.dialog as unknown as SipDialog | null;
  }

  get #isWaiting(): boolean {
    return !this.#isCancelled && this.dialog === null && this.refusals.length === 0;
  }

  ring(): void {
    this.rings += 1;
  }

  accept(sdp: string): Promise<AcceptedCall> {
    if (this.#isCancelled) return Promise.reject(new WildfireError('SIP_REJECTED', 'cancelled'));
    if (!this.#isWaiting) return Promise.reject(new WildfireError('INVALID_STATE', 'answered already'));
    const dialog = new FakeDialog();
    this.dialog = dialog;
    this.acceptedSdp = sdp;
    return dialog.acknowledged.promise.then((answerSdp) => ({
      dialog: dialog as unknown as SipDialog,
      answerSdp: this.offer === null ? answerSdp : null,
    }));
  }

  reject(status: number, _reason?: string, extraHeaders: readonly string[] = []): void {
    if (!this.#isWaiting) return;
    this.refusals.push(status);
    this.refusalHeaders = extraHeaders;
  }

  onCancel(handler: () => void): void {
    this.#cancelHandlers.push(handler);
  }

  // ---- what the peer does ---------------------------------------------------------------------------------

  cancel(): void {
    if (!this.#isWaiting) return;
    this.#isCancelled = true;
    for (const handler of this.#cancelHandlers) handler();
  }

  acknowledge(answerSdp: string | null = null): void {
    this.dialog?.acknowledged.open(answerSdp);
  }
}
