/**
 * One call from INVITE to its end: lifecycle only. What it holds is in its ledger, what is said in its
 * conversation; it ends exactly once, however it ends, and then gives everything back.
 * Thread: main.
 */
import { WildfireError } from '../errors.ts';
import type { MediaEvent } from '../media/media-protocol.ts';
import { monotonicMs } from '../observability/clock.ts';
import { answerOffer, makeOffer, type NegotiatedMedia, readAnswer } from '../sdp/negotiation.ts';
import type { IncomingInvite, ReinviteReply, SipDialog } from '../sip/user-agent.ts';
import type { SpeechEvent } from '../turn/turn-messages.ts';
import type { CallAudio } from './call-audio.ts';
import type { CallDependencies, ConversingAgent } from './call-dependencies.ts';
import { Conversation } from './conversation.ts';
import { type LedgerCounts, type LedgerKind, ResourceLedger } from './ledger.ts';
import type { CallReport, EndedBy, RtpReport } from './reports.ts';

/** A BYE that is not answered by then goes on without the call: its transaction repeats it for up to 32 s. */
const HANG_UP_LIMIT_MS = 5_000;

const NO_RTP: RtpReport = { sent: 0, received: 0, lost: 0, late: 0, underrunFrames: 0 };

export class Call {
  readonly id: number;
  readonly sipCallId: string;
  readonly #invite: IncomingInvite;
  readonly #dependencies: CallDependencies;
  readonly #ledger = new ResourceLedger();
  readonly #invitedAtMs = monotonicMs();
  readonly #audio: CallAudio;
  #conversation: Conversation | null = null;
  /** Settles when nothing is being acquired: the end waits for it, since that item has to be given back, too. */
  #acquiring: Promise<void> = Promise.resolve();
  #rtpPort = 0;
  #sessionVersion = 0;
  #rtp: RtpReport = NO_RTP;
  #ending: Promise<void> | null = null;

  constructor(callId: number, invite: IncomingInvite, dependencies: CallDependencies) {
    this.id = callId;
    this.sipCallId = invite.sipCallId;
    this.#invite = invite;
    this.#dependencies = dependencies;
    this.#audio = dependencies.audio.take();
    this.#ledger.acquire('ring', () => {});
    invite.onCancel(() => void this.end('caller', 'cancel'));
  }

  /** Answers the INVITE and starts the conversation. Never throws: a failure ends the call with a reason word. */
  async answer(): Promise<void> {
    try {
      await this.#answer();
    } catch (error) {
      if (this.#ending !== null) return;
      this.#dependencies.log.warn({ callId: this.id, error: String(error) }, 'call could not be set up');
      const isBusy = error instanceof WildfireError && error.retryable;
      await this.#refuse(isBusy ? 503 : 500, 'setUpFailed');
    }
  }

  onSpeech(event: SpeechEvent): void {
    this.#conversation?.onSpeech(event);
  }

  onMediaEvent(event: MediaEvent): void {
    if (event.kind === 'mediaTimeout') void this.end('error', 'mediaTimeout');
    else this.#conversation?.onMediaEvent(event);
  }

  ledgerCounts(): LedgerCounts {
    return this.#ledger.counts();
  }

  /** Ends the call; later ends are ignored. Resolves when everything was given back. */
  end(endedBy: EndedBy, reason: string): Promise<void> {
    this.#ending ??= this.#end(endedBy, reason);
    return this.#ending;
  }

  // ---- setting up -----------------------------------------------------------------------------------------

  async #answer(): Promise<void> {
    // Before anything is answered: a call that nobody would listen to is refused, and comes again.
    if (this.#dependencies.isEcho !== true) await this.#dependencies.vad.running();
    this.#stopIfEnded();
    const { media, isEcho = false } = this.#dependencies;
    const { localAddress: bindAddress, offer } = this.#invite;
    const open = { callId: this.id, bindAddress, isEcho, ...this.#audio };
    const { rtpPort } = await this.#hold(
      'rtpPort',
      () => media.openLeg(open),
      () => this.#closeLeg(),
    );
    this.#rtpPort = rtpPort;
    await this.#openWire();
    if (offer === null) return this.#accept(makeOffer(this.#localMedia()), null);
    const answer = answerOffer(offer, this.#localMedia());
    if ('reject' in answer) return this.#refuse(answer.reject, answer.reason);
    return this.#accept(answer.answer, answer.media);
  }

  async #openWire(): Promise<void> {
    const wire = this.#dependencies.isEcho === true ? null : this.#dependencies.wire;
    if (wire === null) return;
    await this.#hold(
      'wireLeg',
      () => wire.open(this.id, this.#audio),
      () => wire.close(this.id),
    );
  }

  /** @param agreed null after a late offer: the ACK brings the answer. */
  async #accept(sdp: string, agreed: NegotiatedMedia | null): Promise<void> {
    this.#invite.ring();
    const accepted = this.#invite.accept(sdp);
    const dialog = this.#invite.acceptedDialog;
    if (dialog !== null) this.#holdDialog(dialog);
    const { answerSdp } = await accepted;
    this.#stopIfEnded();
    await this.#startLeg(agreed ?? readAnswer(answerSdp ?? ''));
    if (this.#dependencies.isEcho !== true) await this.#watchSpeech(this.#dependencies);
    this.#stopIfEnded();
    this.#limitDuration();
    if (this.#dependencies.isEcho !== true) this.#startConversation(this.#dependencies);
  }

  #limitDuration(): void {
    const limit = setTimeout(
      () => void this.end('agent', 'maxDuration'),
      this.#dependencies.maxCallDurationMs,
    );
    this.#ledger.acquire('timer', () => clearTimeout(limit));
  }

  #holdDialog(dialog: SipDialog): void {
    this.#ledger.acquire('dialog', () => hangUp(dialog));
    dialog.onEnded((end) => {
      if (end === 'remoteBye') void this.end('caller', 'bye');
      else if (end !== 'localBye') void this.end('error', end);
    });
    dialog.onReinvite((offer) => this.#onReinvite(offer));
    dialog.onLateAnswer((answer) => this.#followMedia(() => readAnswer(answer ?? '')));
  }

  #onReinvite(offer: string | null): ReinviteReply {
    if (offer === null) return { answer: makeOffer(this.#localMedia()) };
    const answer = answerOffer(offer, this.#localMedia());
    if ('reject' in answer) return { reject: answer.reject };
    this.#followMedia(() => answer.media);
    return { answer: answer.answer };
  }

  async #followMedia(agreed: () => NegotiatedMedia): Promise<void> {
    try {
      await this.#startLeg(agreed());
    } catch (error) {
      this.#dependencies.log.warn(
        { callId: this.id, error: String(error) },
        'media did not follow a re-INVITE',
      );
    }
  }

  #localMedia(): { address: string; port: number; sessionId: number; sessionVersion: number } {
    this.#sessionVersion += 1;
    return {
      address: this.#invite.advertisedAddress,
      port: this.#rtpPort,
      sessionId: this.id,
      sessionVersion: this.#sessionVersion,
    };
  }

  async #startLeg(media: NegotiatedMedia): Promise<void> {
    const signallingAddress = this.#invite.source.address;
    await this.#dependencies.media.startLeg({ callId: this.id, signallingAddress, ...media });
  }

  async #watchSpeech({ vad }: ConversingAgent): Promise<void> {
    await this.#hold(
      'vadWatch',
      () => vad.watch(this.id, this.#audio.uplink),
      () => vad.unwatch(this.id),
    );
  }

  #startConversation({ engines, agent, turnConfig, onTurn }: ConversingAgent): void {
    const { log } = this.#dependencies;
    const conversation = new Conversation({
      callId: this.id,
      sipCallId: this.sipCallId,
      ...this.#audio,
      invitedAtMs: this.#invitedAtMs,
      engines,
      agent,
      turnConfig,
      onTurn,
      log,
      hangUp: (reason) => void this.end('agent', reason),
    });
    this.#conversation = conversation;
    this.#ledger.acquire('sequence', () => engines.llama.closeConversation(this.id));
    this.#ledger.acquire('timer', () => conversation.close());
    conversation.start();
  }

  /** Acquires one item; when the call ended meanwhile it is given back at once. */
  async #hold<T>(kind: LedgerKind, acquire: () => Promise<T>, release: () => Promise<void>): Promise<T> {
    const settled = Promise.withResolvers<void>();
    this.#acquiring = settled.promise;
    try {
      const item = await acquire();
      const releaseNow = this.#ledger.acquire(kind, release);
      if (this.#ending !== null) await releaseNow();
      this.#stopIfEnded();
      return item;
    } finally {
      settled.resolve();
    }
  }

  #stopIfEnded(): void {
    if (this.#ending !== null) throw new Error(`call ${this.id} ended while it was set up`);
  }

  // ---- ending ---------------------------------------------------------------------------------------------

  async #refuse(status: number, reason: string): Promise<void> {
    this.#dependencies.count('call', reason);
    this.#reject(status);
    await this.end('error', reason);
  }

  /** Does nothing unless the INVITE still waits for its answer. */
  #reject(status: number): void {
    const retryAfter = [`Retry-After: ${this.#dependencies.retryAfterSeconds}`];
    this.#invite.reject(status, undefined, status === 503 ? retryAfter : []);
  }

  async #closeLeg(): Promise<void> {
    const { sent, received, lost, late, underrunFrames } = await this.#dependencies.media.closeLeg(this.id);
    this.#rtp = { sent, received, lost, late, underrunFrames };
  }

  async #end(endedBy: EndedBy, reason: string): Promise<void> {
    const { log, onCallEnded, leave } = this.#dependencies;
    this.#conversation?.close();
    this.#reject(503);
    const errors = await this.#ledger.releaseAll();
    for (const error of errors) log.error({ callId: this.id, error: String(error) }, 'a release failed');
    await this.#acquiring;
    void this.#giveBackAudio(errors.length === 0);
    onCallEnded(this.#report(endedBy, reason));
    leave(this.id);
  }

  // Later than the report: a sentence that is just being written must have noticed first that nobody hears it.
  async #giveBackAudio(isWhollyReleased: boolean): Promise<void> {
    const { audio } = this.#dependencies;
    await this.#conversation?.spokenOut();
    if (isWhollyReleased) audio.giveBack(this.#audio);
    else audio.abandon();
  }

  #report(endedBy: EndedBy, reason: string): CallReport {
    return {
      callId: this.id,
      sipCallId: this.sipCallId,
      endedBy,
      reason,
      durationMs: monotonicMs() - this.#invitedAtMs,
      greetingMs: this.#conversation?.greetingMs ?? 0,
      turns: this.#conversation?.turns ?? 0,
      rtp: this.#rtp,
      ledger: this.#ledger.counts(),
    };
  }
}

/** Resolves when the BYE was answered, or HANG_UP_LIMIT_MS after it was asked for. */
async function hangUp(dialog: SipDialog): Promise<void> {
  let limit: NodeJS.Timeout | undefined;
  const limited = new Promise<void>((resolve) => {
    limit = setTimeout(resolve, HANG_UP_LIMIT_MS);
  });
  await Promise.race([dialog.bye(), limited]);
  clearTimeout(limit);
}
