/**
 * One call of the built-in caller: dials over SIP, holds the conversation, hangs up, reports what happened on the
 * wire. Thread: the caller process's main thread.
 */
import { WildfireError } from '../errors.ts';
import { monotonicMs } from '../observability/clock.ts';
import { makeOffer, readAnswer } from '../sdp/negotiation.ts';
import type { AnsweredCall, SipUserAgent } from '../sip/user-agent.ts';
import { type ConversationParts, type ConversationResult, holdConversation } from './caller-conversation.ts';
import type { LiveCaller } from './live-caller.ts';
import { Telephone, type TelephoneCounters } from './telephone.ts';

export interface PlacedCall extends ConversationResult {
  /** Call-ID of the dialog. */
  readonly sipCallId: string;
  readonly endedBy: 'caller' | 'agent' | 'error';
  /** What went wrong, when endedBy is error. */
  readonly error: string | null;
  readonly postDialDelayMs: number;
  /** monotonicMs() of the answer. */
  readonly answeredAtMs: number;
  readonly rtp: TelephoneCounters;
  /** 8 kHz, both from the answer on: what the caller said and what it heard. */
  readonly saidSamples: Int16Array;
  readonly heardSamples: Int16Array;
}

export interface CallPlan {
  readonly userAgent: SipUserAgent;
  readonly uri: string;
  /** Own address for RTP, on the interface towards the callee. */
  readonly localAddress: string;
  readonly caller: LiveCaller;
  readonly parts: Pick<ConversationParts, 'transcribe' | 'onGreeting' | 'onStep'>;
  /** Answer to hanging up, at the most; default 10 minutes. */
  readonly maxCallMs?: number;
}

const DEFAULT_MAX_CALL_MS = 600_000;
/** From the INVITE; a far side that only rings is not waited for longer. */
const MAX_RINGING_MS = 60_000;

/**
 * Dials and talks.
 * @throws WildfireError SIP_REJECTED, SIP_TIMEOUT when nobody answers
 */
export async function placeCall(plan: CallPlan): Promise<PlacedCall> {
  const telephone = await Telephone.open(plan.localAddress);
  try {
    return await dialAndTalk(plan, telephone);
  } finally {
    await telephone.close();
  }
}

async function dialAndTalk(plan: CallPlan, telephone: Telephone): Promise<PlacedCall> {
  const offer = makeOffer({ address: plan.localAddress, port: telephone.rtpPort });
  const outgoing = plan.userAgent.call(plan.uri, offer);
  const giveUp = setTimeout(() => outgoing.cancel(), MAX_RINGING_MS);
  const call = await outgoing.answered.finally(() => clearTimeout(giveUp));
  try {
    return await talkOver(plan, telephone, call);
  } finally {
    await call.dialog.bye(); // does nothing when the other side has hung up
  }
}

async function talkOver(plan: CallPlan, telephone: Telephone, call: AnsweredCall): Promise<PlacedCall> {
  const answeredAtMs = monotonicMs();
  let isHungUp = false;
  call.dialog.onBye(() => {
    isHungUp = true;
  });
  const media = readAnswer(call.answerSdp);
  if (media.remote === null)
    throw new WildfireError('SDP_INVALID', 'the answer names no address to send audio to');
  telephone.connect(
    {
      remote: media.remote,
      codec: media.codec,
      payloadType: media.payloadType,
      telephoneEventPayloadType: media.telephoneEventPayloadType,
    },
    plan.caller.line,
  );
  const overAtMs = answeredAtMs + (plan.maxCallMs ?? DEFAULT_MAX_CALL_MS);
  const isTooLong = (): boolean => monotonicMs() > overAtMs;
  const { mind, render, expectsGreeting } = plan.caller;
  const talk = await holdConversation(mind, {
    ...plan.parts,
    render,
    expectsGreeting,
    telephone,
    isHungUp: () => isHungUp || isTooLong(),
  });
  const isCut = talk.endedEarly && !isHungUp;
  return {
    ...talk,
    sipCallId: call.dialog.sipCallId,
    endedBy: isHungUp ? 'agent' : isCut ? 'error' : 'caller',
    error: isCut ? 'the call took too long' : null,
    postDialDelayMs: call.postDialDelayMs,
    answeredAtMs,
    rtp: telephone.counters,
    saidSamples: telephone.said.samples,
    heardSamples: telephone.heard.samples,
  };
}
