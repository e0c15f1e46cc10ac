/** What every part of the control plane of a process shares. Types and small functions only. Thread: main. */
import type { Config } from '../config/schema.ts';
import type { ControlMetrics } from '../observability/control-metrics.ts';
import type { Log } from '../observability/log.ts';
import type { Dial } from './net/dialler.ts';
import type { LegContext } from './net/leg-server.ts';
import { lengthPrefixed } from './wire/frames.ts';
import type { IdentityPurpose } from './wire/identity.ts';
import type { BeatPolicy, RetryPolicy } from './wire/retry-policy.ts';

export type ControlSettings = Config['control'];

/** The legs, as logs and metrics call them. */
export type LegName = 'audioIn' | 'text8083' | 'text8090' | 'audioOut';

export interface ControlContext extends LegContext {
  readonly settings: ControlSettings;
  readonly dial: Dial;
  readonly retry: RetryPolicy;
  readonly beat: BeatPolicy;
  /** 0..1 */
  readonly random: () => number;
  readonly metrics: ControlMetrics;
  readonly log: Log;
}

/**
 * Calls of outside parties in the engines of this process: beside the numbers of its own calls, which start at 1
 * and do not get this far.
 */
const FIRST_OUTSIDE_CALL_ID = 1_000_000_000;

/** The number of an outside party's call in the engines of this process. */
export function engineCallId(callId: number): number {
  return FIRST_OUTSIDE_CALL_ID + callId;
}

/** The HELLO of a call. */
export function helloFrame(
  context: ControlContext,
  callId: number,
  purpose: IdentityPurpose = 'hello',
): Uint8Array {
  return lengthPrefixed(context.identity.stamp(purpose, callId));
}

export function retryPolicyOf(settings: ControlSettings): RetryPolicy {
  return {
    fastAttempts: settings.connectFastAttempts,
    fastMs: settings.connectFastMs,
    slowAttempts: settings.connectSlowAttempts,
    slowMs: settings.connectSlowMs,
    backoffFactor: settings.backoffFactor,
    maxMs: settings.connectMaxMs,
    jitter: settings.jitter,
    maxAttempts: settings.maxAttempts,
  };
}

export function beatPolicyOf(settings: ControlSettings): BeatPolicy {
  return {
    fastMs: settings.registerFastMs,
    fastForMs: settings.registerFastForMs,
    slowMs: settings.registerSlowMs,
    backoffFactor: settings.backoffFactor,
    maxMs: settings.registerMaxMs,
    jitter: settings.jitter,
  };
}
