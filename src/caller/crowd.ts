/**
 * Many generated callers at once against one SIP address: a few at a time, spaced out, each in its own call, all with
 * one mouth and one ear. A call that breaks is a result and hurts no other. Thread: the caller process's main thread.
 */
import { messageOf } from '../errors.ts';
import type { ModelPack } from '../models/pack.ts';
import { monotonicMs } from '../observability/clock.ts';
import { SipUserAgent } from '../sip/user-agent.ts';
import { type LaneTimes, runLanes } from './call-lanes.ts';
import { localAddressFor } from './callee-address.ts';
import type { StepResult } from './caller-conversation.ts';
import { type CallerEngines, startCallerEngines } from './caller-engines.ts';
import type { CallerGrammar, Phrasing } from './caller-grammar.ts';
import { type CallerKind, type CallerPlan, planCaller } from './caller-plan.ts';
import { briefCaller, generatedCaller } from './live-caller.ts';
import { type PlacedCall, placeCall } from './place-call.ts';
import { punctually } from './punctual.ts';
import type { TelephoneCounters } from './telephone.ts';

export interface CrowdOptions {
  readonly targetUri: string;
  /** Its TTS and Whisper are the callers' mouth and ear. */
  readonly pack: ModelPack;
  readonly grammar: CallerGrammar;
  /** One caller each. */
  readonly seeds: Iterable<number>;
  /** Calls at once, at the most. */
  readonly concurrent: number;
  readonly phrasing: Phrasing;
  /** Default: all. */
  readonly kinds?: readonly CallerKind[];
  /** Callers that say one thing, hear any answer and hang up. Default false. */
  readonly isBrief?: boolean;
  /** Calls begun in a second, at the most. Default 2. */
  readonly callsPerS?: number;
  /** No call begins later than this after the first. Default: all seeds are used. */
  readonly durationMs?: number;
  /** Answer to hanging up, at the most. Default 3 minutes. */
  readonly maxCallMs?: number;
  /** Engines that are running already; they stay open. Default: of its own. */
  readonly engines?: CallerEngines;
  /** Runs when a call is over. @param placed with its recording; null when it was not established */
  readonly onCall?: (call: CrowdCall, placed: PlacedCall | null) => void;
  /** Runs when a turn is over. */
  readonly onStep?: (step: StepResult) => void;
}

/** One call of the crowd as it went. */
export interface CrowdCall {
  readonly seed: number;
  readonly kind: CallerKind;
  readonly phrasing: Phrasing;
  readonly goal: CallerPlan['goal'];
  readonly line: CallerPlan['line'];
  readonly voice: CallerPlan['voice'];
  readonly isEstablished: boolean;
  /** The conversation went to its end; its goal may still have been missed. */
  readonly isCompleted: boolean;
  readonly goalMet: boolean;
  /** What was reached, or why not. */
  readonly why: string;
  /** Call-ID; '' when the call was not established. */
  readonly sipCallId: string;
  readonly durationMs: number;
  readonly greetingMs: number | null;
  readonly greeting: string;
  readonly steps: readonly StepResult[];
  readonly rtp: TelephoneCounters;
}

export interface CrowdResult extends LaneTimes {
  /** In the order in which they ended. */
  readonly calls: readonly CrowdCall[];
}

const DEFAULT_CALLS_PER_S = 2;
const DEFAULT_MAX_CALL_MS = 180_000;
const NO_PACKETS: TelephoneCounters = { sent: 0, received: 0, lost: 0, late: 0 };

/**
 * Lets every caller call once.
 * @throws WildfireError USAGE_INVALID for a target that is no SIP address; WORKER_WARMUP when the engines do not load
 */
export async function runCrowd(options: CrowdOptions): Promise<CrowdResult> {
  const localAddress = await localAddressFor(options.targetUri);
  const engines = options.engines ?? (await startCallerEngines(options.pack));
  try {
    const userAgent = await SipUserAgent.start({
      bindAddress: localAddress,
      port: 0,
      userAgentName: 'Wildfire callers',
      onInvite: (invite) => invite.reject(486),
    });
    try {
      const crowd = new Crowd(options, { engines, userAgent, localAddress });
      return await punctually(() => crowd.run());
    } finally {
      await userAgent.close();
    }
  } finally {
    if (options.engines === undefined) await engines.close();
  }
}

interface CrowdParts {
  readonly engines: CallerEngines;
  readonly userAgent: SipUserAgent;
  readonly localAddress: string;
}

class Crowd {
  readonly #options: CrowdOptions;
  readonly #parts: CrowdParts;
  readonly #calls: CrowdCall[] = [];

  constructor(options: CrowdOptions, parts: CrowdParts) {
    this.#options = options;
    this.#parts = parts;
  }

  async run(): Promise<CrowdResult> {
    const { seeds, concurrent, callsPerS = DEFAULT_CALLS_PER_S, durationMs } = this.#options;
    const lanes = { items: seeds, concurrent, callsPerS, beginWithinMs: durationMs };
    const times = await runLanes(lanes, (seed) => this.#call(seed));
    return { ...times, calls: this.#calls };
  }

  async #call(seed: number): Promise<void> {
    const { grammar, phrasing, kinds, onCall } = this.#options;
    const plan = planCaller({ grammar, seed, phrasing, ...(kinds === undefined ? {} : { kinds }) });
    const startedAtMs = monotonicMs();
    const { placed, error } = await this.#place(plan);
    const call = callOf(plan, { placed, error, durationMs: monotonicMs() - startedAtMs });
    this.#calls.push(call);
    onCall?.(call, placed);
  }

  // Whatever goes wrong stays with this call.
  async #place(plan: CallerPlan): Promise<{ placed: PlacedCall | null; error: string | null }> {
    const { engines, userAgent, localAddress } = this.#parts;
    const { targetUri, grammar, isBrief, onStep, maxCallMs = DEFAULT_MAX_CALL_MS } = this.#options;
    try {
      const makeCaller = isBrief === true ? briefCaller : generatedCaller;
      const caller = await makeCaller(plan, grammar, engines.render);
      const parts = { transcribe: engines.transcribe, ...(onStep === undefined ? {} : { onStep }) };
      const placed = await placeCall({ userAgent, uri: targetUri, localAddress, caller, parts, maxCallMs });
      return { placed, error: placed.error };
    } catch (error) {
      return { placed: null, error: messageOf(error) };
    }
  }
}

interface Ended {
  readonly placed: PlacedCall | null;
  readonly error: string | null;
  readonly durationMs: number;
}

function callOf(plan: CallerPlan, { placed, error, durationMs }: Ended): CrowdCall {
  const { seed, kind, phrasing, goal, line, voice } = plan;
  const outcome = placed?.outcome ?? { goalMet: false, why: 'there was no conversation' };
  const hungUpEarly = placed?.endedEarly === true && !outcome.goalMet;
  const reason = error ?? (hungUpEarly ? `the agent hung up; ${outcome.why}` : outcome.why);
  return {
    ...{ seed, kind, phrasing, goal, line, voice },
    isEstablished: placed !== null,
    isCompleted: placed !== null && error === null && !hungUpEarly,
    goalMet: outcome.goalMet,
    why: reason,
    sipCallId: placed?.sipCallId ?? '',
    durationMs: Math.round(durationMs),
    greetingMs: placed?.greetingMs ?? null,
    greeting: placed?.greeting ?? '',
    steps: placed?.steps ?? [],
    rtp: placed?.rtp ?? NO_PACKETS,
  };
}
