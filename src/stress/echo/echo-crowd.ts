/**
 * Many calls at once to something that sends back what it hears: SIP on this thread, RTP and its judgement on the thread
 * of the echo lines. A call that breaks is a result and hurts no other. Thread: the caller process's main thread.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type LaneTimes, runLanes } from '../../caller/call-lanes.ts';
import { localAddressFor } from '../../caller/callee-address.ts';
import { punctually } from '../../caller/punctual.ts';
import { toWireError, WildfireError, type WireError } from '../../errors.ts';
import { monotonicMs } from '../../observability/clock.ts';
import { makeOffer, readAnswer } from '../../sdp/negotiation.ts';
import { type AnsweredCall, SipUserAgent } from '../../sip/user-agent.ts';
import { EchoLines } from './echo-lines.ts';
import type { EchoLineReport, EchoSnapshot } from './echo-protocol.ts';

export interface EchoCrowdOptions {
  readonly targetUri: string;
  /** Calls in all. */
  readonly calls: number;
  /** Calls at once, at the most. */
  readonly concurrent: number;
  /** Calls begun in a second, at the most. */
  readonly callsPerS: number;
  /** Answer to hanging up. */
  readonly callLengthMs: number;
  /** No call begins later than this after the first. Default: all are made. */
  readonly beginWithinMs?: number | undefined;
  readonly onCall?: ((call: EchoCall) => void) | undefined;
  /** Runs once, with what looks at the lines while they are up. */
  readonly onStart?: ((snapshot: () => Promise<EchoSnapshot>) => void) | undefined;
}

export interface EchoCall {
  readonly number: number;
  readonly isEstablished: boolean;
  /** Lasted as long as it should have. */
  readonly isCompleted: boolean;
  readonly why: string;
  /** '' when the call was not established. */
  readonly sipCallId: string;
  readonly durationMs: number;
  /** Null when the call was not established. */
  readonly echo: EchoLineReport | null;
}

export interface EchoCrowdResult extends LaneTimes {
  /** In the order in which they ended. */
  readonly calls: readonly EchoCall[];
  readonly lines: EchoSnapshot;
}

/** @throws WildfireError USAGE_INVALID for a target that is no SIP address; WORKER_DIED */
export async function runEchoCrowd(options: EchoCrowdOptions): Promise<EchoCrowdResult> {
  const localAddress = await localAddressFor(options.targetUri);
  const lines = await EchoLines.start();
  try {
    const userAgent = await SipUserAgent.start({
      bindAddress: localAddress,
      port: 0,
      userAgentName: 'Wildfire callers',
      onInvite: (invite) => invite.reject(486),
    });
    options.onStart?.(() => lines.snapshot());
    try {
      return await punctually(() => callAll(options, { lines, userAgent, localAddress }));
    } finally {
      await userAgent.close();
    }
  } finally {
    await lines.close();
  }
}

interface EchoParts {
  readonly lines: EchoLines;
  readonly userAgent: SipUserAgent;
  readonly localAddress: string;
}

async function callAll(options: EchoCrowdOptions, parts: EchoParts): Promise<EchoCrowdResult> {
  const { concurrent, callsPerS, beginWithinMs } = options;
  const calls: EchoCall[] = [];
  const numbers = Array.from({ length: options.calls }, (_, index) => index + 1);
  const times = await runLanes({ items: numbers, concurrent, callsPerS, beginWithinMs }, async (number) => {
    const call = await callOnce(number, options, parts);
    calls.push(call);
    options.onCall?.(call);
  });
  return { ...times, calls, lines: await parts.lines.snapshot() };
}

/** Whatever goes wrong stays with this call. @throws WildfireError WORKER_DIED: there is no line for a next one, either */
async function callOnce(number: number, options: EchoCrowdOptions, parts: EchoParts): Promise<EchoCall> {
  const startedAtMs = monotonicMs();
  const { call, echo, isCut, why, error } = await dialAndHear(options, parts);
  await call?.dialog.bye(); // does nothing when the other side has hung up
  if (error?.code === 'WORKER_DIED') throw WildfireError.fromWire(error);
  return {
    number,
    isEstablished: call !== null,
    isCompleted: call !== null && error === null && !isCut,
    why: error?.message ?? why,
    sipCallId: call?.dialog.sipCallId ?? '',
    durationMs: Math.round(monotonicMs() - startedAtMs),
    echo: call === null ? null : echo,
  };
}

interface Attempt {
  call: AnsweredCall | null;
  echo: EchoLineReport | null;
  /** The far side hung up before its time. */
  isCut: boolean;
  why: string;
  error: WireError | null;
}

/** The call as far as it got, not yet hung up. @throws never */
async function dialAndHear(options: EchoCrowdOptions, parts: EchoParts): Promise<Attempt> {
  const attempt: Attempt = { call: null, echo: null, isCut: false, why: '', error: null };
  try {
    const { line, rtpPort } = await parts.lines.open(parts.localAddress);
    try {
      const offer = makeOffer({ address: parts.localAddress, port: rtpPort });
      attempt.call = await parts.userAgent.call(options.targetUri, offer).answered;
      attempt.isCut = await hearEcho(attempt.call, line, options, parts);
    } finally {
      attempt.echo = await parts.lines.stop(line);
    }
    attempt.why = attempt.isCut ? 'the far side hung up' : verdictOn(attempt.echo);
  } catch (thrown) {
    attempt.error = toWireError(thrown, 'INVALID_STATE');
  }
  return attempt;
}

/** @returns whether the far side hung up before its time */
async function hearEcho(
  { dialog, answerSdp }: AnsweredCall,
  line: number,
  { callLengthMs }: EchoCrowdOptions,
  { lines }: EchoParts,
): Promise<boolean> {
  const { remote, payloadType } = readAnswer(answerSdp);
  if (remote === null) throw new WildfireError('SDP_INVALID', 'the answer names no address to send audio to');
  const hungUp = new AbortController();
  dialog.onBye(() => hungUp.abort());
  await lines.start(line, { ...remote, payloadType });
  await delay(callLengthMs, undefined, { signal: hungUp.signal }).catch(() => {}); // aborted: the call is over
  return hungUp.signal.aborted;
}

/** Whether everything that was sent after the first mark came back, once, in order and whole. */
export function isWhole({ lost, returned, missing, repeated, damaged }: EchoLineReport): boolean {
  return returned > 0 && lost + missing + repeated + damaged === 0;
}

function verdictOn(echo: EchoLineReport): string {
  if (isWhole(echo)) return 'every packet came back';
  const { sent, unsent, returned, lost, missing, repeated, damaged } = echo;
  const refused = unsent === 0 ? '' : `; ${unsent} of ${sent} packets could not be sent`;
  if (returned === 0) return `nothing came back${refused}`;
  return `${lost} packets lost; marks: ${missing} missing, ${repeated} repeated, ${damaged} damaged${refused}`;
}
